"""The budget gates of one partition, one for each office and level, and what they refused today."""

from collections.abc import Mapping
from typing import Any

from alerts.level import LevelRules
from models.budget import Gate

QUARTER_HOUR_US = 900_000_000
"""Local midnights fall on quarters of an hour in every zone in use, so a day number holds for one."""


class Gates:
    """Asks the gate of (office, level); one that was refused is asked for again when its score rises, or tomorrow.

    Extra looks at the same score change nothing, so a regrading between two signals is free.
    """

    def __init__(self, rules: LevelRules) -> None:
        self.rules = rules
        self._gates: dict[tuple[int, int], Gate] = {}
        self._touched: set[tuple[int, int]] = set()
        self._day = -1
        self._refused: dict[bytes, int] = {}
        self._newly_refused: dict[bytes, int] = {}
        self._quarter, self._day_of_quarter = -1, 0

    def day(self, now: int) -> int:
        """Local day number; yesterday's refusals are forgotten."""
        quarter = now // QUARTER_HOUR_US
        if quarter != self._quarter:
            self._quarter, self._day_of_quarter = quarter, self.rules.day_of(now)
        if self._day_of_quarter > self._day:
            self._day = self._day_of_quarter
            self._refused.clear()
            self._newly_refused.clear()
        return self._day

    def is_worth_asking(self, key: bytes, score: int, now: int) -> bool:
        """Whether the subject was not refused today at this score or a higher one."""
        self.day(now)
        return score > self._refused.get(key, -1)

    def refuse(self, key: bytes, score: int) -> bool:
        """Note a refusal; True if it is the subject's first today."""
        is_first = key not in self._refused
        self._refused[key] = self._newly_refused[key] = score
        return is_first

    def passes(self, office: int, level: int, key: bytes, score: int, now: int) -> bool:
        """Whether the office's budget at the level lets this subject through; equal scores are ordered by their key."""
        tie = int.from_bytes(key[:4], "little") / 2**32
        return self._gate(office, level).passes(score + tie, self.day(now))

    def count(self, office: int, level: int, now: int) -> None:
        """Count one that a rule lets past the budget."""
        self._gate(office, level).count(self.day(now))

    def reconfigure(self, rules: LevelRules) -> None:
        """New budgets; what was learned is kept."""
        self.rules = rules
        self._quarter = -1
        for (office, level), gate in self._gates.items():
            gate.budget, gate.lowest = rules.budget(office, level), float(rules.raises[level - 1])
            self._touched.add((office, level))

    def _gate(self, office: int, level: int) -> Gate:
        place = (office, level)
        gate = self._gates.get(place)
        if gate is None:
            gate = self._gates[place] = Gate(self.rules.budget(office, level), self.rules.raises[level - 1])
        self._touched.add(place)
        return gate

    def to_state(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        self._touched = set(self._gates)
        self._newly_refused = dict(self._refused)
        return self.to_delta()

    def to_delta(self) -> dict[str, Any]:
        """What changed since the last call."""
        delta = {
            "day": self._day,
            "refused": [[key.hex(), score] for key, score in self._newly_refused.items()],
            "gates": [[*place, self._gates[place].to_state()] for place in sorted(self._touched)],
        }
        self._touched, self._newly_refused = set(), {}
        return delta

    def patch(self, delta: Mapping[str, Any]) -> None:
        """Apply what `to_state` or `to_delta` returned."""
        if delta["day"] > self._day:
            self._day = delta["day"]
            self._refused.clear()
        self._refused |= {bytes.fromhex(key): score for key, score in delta["refused"]}
        for office, level, state in delta["gates"]:
            self._gates[office, level] = Gate.from_state(state)
