"""The site fold: counts of all county partitions in, warnings of surges and of silent sources out.

A minute is taken when every partition's mark has passed it, in the order (minute, partition, seq), so it does not
matter how partitions interleave; what a partition had already is passed over by its seq. Looks at the windows hang on
minutes, never on ticks or frames; ticks only let time pass for silent sources and for the life of warnings.
"""

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.assessment import Assessment, AssessmentKind, Evidence, Ground, Subject, Why
from pipeline.calendar import DAY_US, MINUTE_US
from pipeline.county import FOLD_VERSION
from pipeline.effects import Digest, Effects
from pipeline.errors import Reason
from pipeline.frame import Frame, Kind
from pipeline.ids import key128
from pipeline.rules import FoldRules
from pipeline.shares import Shares
from pipeline.stages.missing import Sources
from pipeline.stages.period import Periods
from pipeline.stages.surge import Surges, Surprise
from pipeline.topology import SHARES, Grader, chain

_DIGESTS = ("transitions", "intents", "verdicts", "series")

Pending = tuple[int, int, int, list[list[int]]]
"""Counts that wait for the other partitions: minute, partition, seq, cells."""


class SiteFold:
    """The one partition of the site log.

    Parameters
    ----------
    rules : of the genesis configuration. grader : the site's warnings.
    """

    def __init__(self, rules: FoldRules, grader: Grader) -> None:
        self.now = 0
        self.rules = rules
        self.grader = grader
        self.surges = Surges(rules)
        self.periods = Periods()
        self.sources = Sources(rules)
        self.shares = Shares()
        self.marks: dict[int, int] = {}
        self.seqs: dict[int, int] = {}
        self.pending: list[Pending] = []
        self.taken = -1
        self.digests = {name: Digest() for name in _DIGESTS}
        self._effects = Effects()

    # stepping ------------------------------------------------------------------------------------------------------

    def step(self, frame: Frame) -> Effects:
        """Fold one frame; the frame is not changed."""
        effects = self._effects = Effects()
        others = iter(frame.others)
        for kind, now in zip(frame.kinds.tolist(), frame.now.tolist(), strict=True):
            self._advance(now)
            payload = {} if kind in _BARE else next(others)
            if kind == Kind.COUNTS:
                self._counts(payload)
            elif kind == Kind.PROCEED:
                self._mark(payload["partition"], payload["minute"])
                self._take_minutes()
            elif kind == Kind.FACT:
                self._fact(payload)
            elif kind == Kind.COMMAND:
                self.grader.command(payload, self.now, effects)
                self._watch_again()
            elif kind == Kind.CONFIG:
                self.configure(FoldRules.from_json(payload["rules"]))
            effects.counts["entries"] += 1
        for name, items in (
            ("transitions", effects.transitions),
            ("intents", effects.intents),
            ("verdicts", effects.verdicts),
            ("series", effects.series),
        ):
            chain(self.digests[name], items)
        return effects

    def configure(self, rules: FoldRules) -> None:
        """Take new rules; open warnings are graded by them at once."""
        self.rules = rules
        self.surges.obey(rules)
        self.grader.configure(rules, self.now, self._effects)
        for key in self.sources.obey(rules, self.now):
            self.grader.decided(key, self.now, self._effects)
        self._watch_again()

    def seq(self, partition: int) -> int:
        """The last seq that this fold has of a county partition; 0 before the first."""
        return self.seqs.get(partition, 0)

    # time ----------------------------------------------------------------------------------------------------------

    def _advance(self, until: int) -> None:
        """Fire everything due by `until`, in order, each with now = its due; then it is `until`, or later already."""
        if not self.now:
            self.now = until
            self.sources.obey(self.rules, until)
        # Appenders beside each other: what is stamped a little earlier comes as if it were stamped alike.
        until = max(until, self.now)
        grader, sources = self.grader, self.sources
        while sources.next_due <= until:
            grader.fire(sources.next_due, self._effects)
            due, subject, said, cause = sources.fall_silent()
            grader.grade(subject, due, [said], cause, [], self._effects)
        if grader.next_due <= until:
            grader.fire(until, self._effects)
        self.now = until

    # counts by minute ----------------------------------------------------------------------------------------------

    def _counts(self, payload: Mapping[str, Any]) -> None:
        for source in payload.get("sources", ()):
            self._hear(source)
        if "period_us" in payload:
            self._period(payload)
            return
        partition, seq, minute = payload["partition"], payload["seq"], payload["minute"]
        counts = self._effects.counts
        if seq <= self.seq(partition):
            counts[Reason.DUPLICATE] += 1
            return
        self.seqs[partition] = seq
        self._mark(partition, minute)
        if minute <= self.taken:
            counts[Reason.LATE] += 1
            return
        self.shares.take(partition, payload.get("asked", ()))
        heapq.heappush(self.pending, (minute, partition, seq, payload["cells"]))
        counts["applied"] += 1
        self._take_minutes()

    def _mark(self, partition: int, minute: int) -> None:
        self.marks[partition] = max(minute, self.marks.get(partition, -1))

    def _take_minutes(self) -> None:
        """Take every minute that all partitions have passed."""
        if len(self.marks) < self.surges.rules.partitions:
            return
        complete = min(self.marks.values())
        while self.pending and self.pending[0][0] <= complete:
            minute, _, _, cells = heapq.heappop(self.pending)
            self._look(minute)
            for place, category, count in cells:
                self.surges.take(minute, place, category, count)
        if complete > self.taken:
            before, self.taken = self.taken, complete
            self._look(complete + 1)
            if self.surges.rules.partitions > 1:
                self._share_out(before)

    def _share_out(self, before: int) -> None:
        """When local midnight has passed in every partition, deal the offices' budgets out anew."""
        count, day_of = self.surges.rules.partitions, self.rules.calendar.day_of
        today = day_of((self.taken + 1) * MINUTE_US)
        table = self.shares.deal(today, count) if day_of((before + 1) * MINUTE_US) < today else None
        if table is None:
            return
        version = self.shares.version
        told = [
            {
                "seq": (version - 1) * count + number + 1,
                "partition": number,
                "fact": SHARES,
                "version": version,
                "offices": [[office, parts[number]] for office, parts in table.items()],
            }
            for number in range(count)
        ]
        chain(self.digests.setdefault(SHARES, Digest()), told)
        self._effects.to_signals += told

    def _look(self, until: int) -> None:
        for surprises in self.surges.passing(until):
            for surprise in surprises:
                self._grade(surprise)
            self._watch(surprises)

    def _grade(self, surprise: Surprise) -> None:
        place, category = surprise.place, surprise.category
        rules = self.rules
        subject = Subject(
            key=surprise.key,
            kind=AssessmentKind.SURGE.value,
            office=rules.leads.get((place, category), rules.offices.get(category, 0)),
            place=place,
            category=category,
        )
        facts: tuple[tuple[str, int | str], ...] = (
            ("count", int(surprise.count)),
            ("expected", f"{max(surprise.expected, 0.1):.1f}"),
            ("window_us", surprise.window_us),
        )
        said = Assessment(
            kind=AssessmentKind.SURGE, recurrence=surprise.recurrence, grounds=(Ground(Why.SURGE, facts=facts),)
        )
        evidence: Evidence = [[place, category, *surprise.minutes]]
        cause = key128("surge", str(surprise.minutes[-1] if surprise.minutes else self.now))
        if self.grader.next_due <= self.now:
            self.grader.fire(self.now, self._effects)
        self.grader.grade(subject, self.now, [said], cause, evidence, self._effects)

    def _watch(self, surprises: Sequence[Surprise]) -> None:
        """Look at cells with a warning every time, whether or not anything new came."""
        watch = self.surges.watch
        for surprise in surprises:
            slot = self.surges.slot_of[surprise.place, surprise.category]
            (watch.add if self.grader.needs(surprise.key) else watch.discard)(slot)

    def _watch_again(self) -> None:
        keys = self.surges.keys
        self.surges.watch = {slot for slot, key in enumerate(keys) if self.grader.needs(key)}

    # sums of periods -----------------------------------------------------------------------------------------------

    def _period(self, payload: Mapping[str, Any]) -> None:
        at, period = payload["at"], payload["period_us"]
        said, again = self.periods.take(at, period, payload["cells"])
        effects, rules = self._effects, self.surges.rules
        effects.counts["applied"] += len(said)
        effects.counts[Reason.DUPLICATE] += again
        for one in said:
            key, seen = one.pop("key"), one.pop("periods")
            effects.series.append({"at": at, **one})
            days = one["recurrence"]
            if not rules.is_warm(seen, period / DAY_US) or not rules.min_count <= one["count"] > one["expected"]:
                days = 0.0
            if days >= rules.least(period / DAY_US) or self.grader.needs(key):
                place, category, minute = one["place"], one["category"], at // MINUTE_US
                self._grade(Surprise(key, place, category, one["count"], one["expected"], days, period, (minute,)))

    # sources -------------------------------------------------------------------------------------------------------

    def _fact(self, payload: Mapping[str, Any]) -> None:
        if "source" in payload:
            self._hear(payload["source"])

    def _hear(self, source: int | str) -> None:
        ended = self.sources.hear(source, self.now)
        if ended is not None:
            self.grader.decided(ended, self.now, self._effects)

    # checkpoints ---------------------------------------------------------------------------------------------------

    def digest(self) -> dict[str, str]:
        """The chained digests by kind of effect."""
        return {name: digest.value.hex() for name, digest in self.digests.items()}

    def checkpoint(self, *, delta: bool = False) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole state, between frames; of the warnings only what changed where `delta` is asked for."""
        surges, arrays = self.surges.to_state()
        head = {
            "fold_version": FOLD_VERSION,
            "now": self.now,
            "taken": self.taken,
            "marks": sorted([partition, minute] for partition, minute in self.marks.items()),
            "seqs": sorted([partition, seq] for partition, seq in self.seqs.items()),
            "pending": [list(one) for one in sorted(self.pending)],
            "surges": surges,
            "sources": self.sources.to_state(),
            "warnings": self.grader.to_delta() if delta else self.grader.to_state(),
            "versions": dict(self.grader.versions),
            "rules": self.rules.to_json(),
            "digests": self.digest(),
        }
        columns = {f"surges.{name}": np.array(column) for name, column in arrays.items()}
        columns |= {f"periods.{name}": column for name, column in self.periods.to_state().items()}
        if self.surges.rules.partitions > 1:
            head["shares"], asked = self.shares.to_state()
            columns |= {f"shares.{name}": column for name, column in asked.items()}
        return head, columns

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, delta: bool = False) -> None:
        """Become what `checkpoint` returned; deltas come after their base."""
        self.rules = FoldRules.from_json(head["rules"])
        self.now, self.taken = head["now"], head["taken"]
        self.marks = {partition: minute for partition, minute in head["marks"]}
        self.seqs = {partition: seq for partition, seq in head["seqs"]}
        self.pending = [(minute, partition, seq, cells) for minute, partition, seq, cells in head["pending"]]
        self.surges.obey(self.rules)
        self.surges.restore(head["surges"], _under("surges.", arrays))
        self.periods.restore(_under("periods.", arrays))
        self.sources = Sources(self.rules)
        self.sources.restore(head["sources"])
        self.grader.configure(self.rules, 0, Effects())
        self.grader.patch(head["warnings"])
        self.grader.versions.update(head["versions"])
        if "shares" in head:
            self.shares.restore(head["shares"], _under("shares.", arrays))
        for name, value in head["digests"].items():
            self.digests.setdefault(name, Digest()).value = bytes.fromhex(value)

    def ready(self) -> None:
        """Nothing is left to rebuild after the last delta; the county folds have indexes here."""


_BARE = frozenset({int(Kind.TICK), int(Kind.SIGNAL), int(Kind.READING)})
"""Kinds without a payload among the others of a frame."""


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
