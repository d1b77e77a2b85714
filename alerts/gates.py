"""The budget gates of one partition, one for each office and level, and what they refused today."""

from collections.abc import Mapping
from typing import Any

from alerts.level import WHOLE, LevelRules
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
        self._shares: dict[int, int] = {}
        self.share_version = 0
        self._wished: dict[tuple[int, int], int] = {}
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

    def wish(self, office: int, now: int) -> None:
        """Count that somebody asked for the office's budget, where it is shared with other partitions."""
        if self.rules.share != WHOLE:
            asked = (self.day(now), office)
            self._wished[asked] = self._wished.get(asked, 0) + 1

    def wishes(self, before: int) -> list[list[int]]:
        """(local day, office, times) asked before a local day; they are told once."""
        told = sorted(asked for asked in self._wished if asked[0] < before)
        return [[*asked, self._wished.pop(asked)] for asked in told]

    def share(self, version: int, shares: Mapping[int, int]) -> None:
        """This partition's part (1/10,000) of the budgets of these offices; an older version changes nothing."""
        if version <= self.share_version:
            return
        self.share_version, self._shares = version, dict(shares)
        for office, level in self._gates:
            self._gates[office, level].budget = self._budget(office, level)
            self._touched.add((office, level))

    def _budget(self, office: int, level: int) -> float:
        return self.rules.budget(office, level, self._shares.get(office))

    def reconfigure(self, rules: LevelRules) -> None:
        """New budgets; what was learned is kept."""
        self.rules = rules
        self._quarter = -1
        for (office, level), gate in self._gates.items():
            gate.budget, gate.lowest = self._budget(office, level), float(rules.raises[level - 1])
            self._touched.add((office, level))

    def _gate(self, office: int, level: int) -> Gate:
        place = (office, level)
        gate = self._gates.get(place)
        if gate is None:
            gate = self._gates[place] = Gate(self._budget(office, level), self.rules.raises[level - 1])
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
        if self.rules.share != WHOLE:
            delta["wished"] = [[*asked, times] for asked, times in sorted(self._wished.items())]
            delta["shares"] = [self.share_version, sorted(self._shares.items())]
        return delta

    def patch(self, delta: Mapping[str, Any]) -> None:
        """Apply what `to_state` or `to_delta` returned."""
        if delta["day"] > self._day:
            self._day = delta["day"]
            self._refused.clear()
        self._refused |= {bytes.fromhex(key): score for key, score in delta["refused"]}
        for office, level, state in delta["gates"]:
            self._gates[office, level] = Gate.from_state(state)
        if "shares" in delta:
            self._wished = {(day, office): times for day, office, times in delta["wished"]}
            version, shares = delta["shares"]
            self.share_version, self._shares = version, {office: part for office, part in shares}
