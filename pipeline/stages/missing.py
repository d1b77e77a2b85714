"""Silent sources: what should speak at an interval and has not. Missing data is never "resolved"."""

from collections.abc import Mapping
from typing import Any

from pipeline.assessment import Assessment, AssessmentKind, Ground, Subject, Why
from pipeline.ids import code64, key128
from pipeline.rules import DutyRule, FoldRules
from pipeline.state import NEVER

KIND = Why.SILENT_SOURCE.value


class Sources:
    """When each watched source was last heard, and how many rules have spoken of its silence.

    A source that was never heard is silent from the moment on at which it began to be watched.
    """

    def __init__(self, rules: FoldRules) -> None:
        self.heard: dict[int, int] = {}
        self.silent: dict[int, int] = {}
        self.names: dict[int, str] = {}
        self.next_due = NEVER
        self._read(rules)

    def obey(self, rules: FoldRules, now: int) -> list[bytes]:
        """Follow these rules; the keys of silences that are no longer watched for."""
        self._read(rules)
        for source in self.intervals:
            self.heard.setdefault(source, now)
        gone = sorted(source for source in self.silent if source not in self.intervals or not self.rules)
        for source in gone:
            del self.silent[source]
        self._schedule()
        return [subject_of(source).key for source in gone]

    def hear(self, source: int | str, now: int) -> bytes | None:
        """A source spoke; the key of its silence if that ends now."""
        code = code64(source) if isinstance(source, str) else source
        if code not in self.intervals:
            return None
        if isinstance(source, str):
            self.names[code] = source
        self.heard[code] = now
        ended = self.silent.pop(code, None)
        self._schedule()
        return None if ended is None else subject_of(code).key

    def fall_silent(self) -> tuple[int, Subject, Assessment, bytes]:
        """The first silence that is due: when, whose, what to say of it, and its cause."""
        due, source = min((self._due(source), source) for source in self.intervals)
        spoken = self.silent[source] = self.silent.get(source, 0) + 1
        self._schedule()
        rule = max(self.rules[:spoken], key=lambda each: each.level)
        facts: tuple[tuple[str, int | str], ...] = (
            ("since", self.heard[source]),
            ("silent_us", due - self.heard[source]),
            ("interval_us", self.intervals[source]),
        )
        if source in self.names:
            facts = (("source", self.names[source]), *facts)
        said = Assessment(
            kind=AssessmentKind.DUTY,
            hard=rule.level,
            past_budget=rule.past_budget,
            action=rule.action,
            grounds=(Ground(Why.SILENT_SOURCE, facts=facts),),
        )
        return due, subject_of(source), said, key128("silent", str(source), str(due))

    def _read(self, rules: FoldRules) -> None:
        self.intervals = rules.intervals
        own = (rule for rule in rules.duty if rule.kind == KIND)
        self.rules: tuple[DutyRule, ...] = tuple(sorted(own, key=lambda rule: (rule.at_least, rule.level)))

    def _due(self, source: int) -> int:
        spoken = self.silent.get(source, 0)
        if spoken >= len(self.rules):
            return NEVER
        return self.heard[source] + round(self.rules[spoken].at_least * self.intervals[source])

    def _schedule(self) -> None:
        self.next_due = min((self._due(source) for source in self.intervals), default=NEVER)

    def to_state(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "heard": sorted([source, at] for source, at in self.heard.items()),
            "silent": sorted([source, spoken] for source, spoken in self.silent.items()),
            "names": sorted([source, name] for source, name in self.names.items()),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what `to_state` returned, under the rules in force."""
        self.heard = {source: at for source, at in state["heard"]}
        self.silent = {source: spoken for source, spoken in state["silent"]}
        self.names = {source: name for source, name in state["names"]}
        self._schedule()


def subject_of(source: int) -> Subject:
    """A source as a subject of warnings."""
    return Subject(key=key128("source", str(source)), kind="source")
