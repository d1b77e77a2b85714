"""The results board of a simulated site: its warnings against what was true. Pure arithmetic; every figure is defined.

An incident is a matter that failed one of the outcomes the site learns, a planted surge, or a planted hazard of a
sensor. It is warned of in time when a forewarning on its subject was raised before its moment. Forewarnings are those
warnings that say what is likely to come: of a model, of a clock that runs out, of a surge, of a value that is unusual
or beyond its limit (`FOREWARNING`). Rules that state what has happened, ask for attendance whatever comes of it, or say
that data are missing are none. Beside them stands what a rule that knows the clock alone would have done.

Moments are epoch seconds.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

LEAST = 10
"""A figure that rests on fewer cases is not shown."""
SHARE = 0.75
"""Of the clock, after which the rule that knows deadlines only warns."""
ATTEND_S = 600
"""A hazard's moment is ten minutes after its limit was passed: somebody should be there by then."""
FOREWARNING = frozenset({"risk", "due_soon", "surge", "abnormal_reading", "out_of_range"})
"""First reasons of the warnings that count."""
ROOTS = frozenset({"", "root", "city"})
_KNOWN_BY = {"breach": "done_at", "bounced": "done_at", "unsatisfied": "called_back_at"}
_MONTH_S = 30 * 86_400


class Warned(NamedTuple):
    """A warning: kind, matter or sensor, category and place (of a surge), code of its first reason, when raised."""

    kind: str
    subject: str
    category: str
    place: str
    reason: str
    since: float


class Incident(NamedTuple):
    """Something that went wrong with one subject; a warning counts for it if raised in [opens, at)."""

    kind: str
    subject: str
    opens: float
    at: float


class MatterTruth(NamedTuple):
    """When a matter was registered, first due, done; when it failed first (0: never); by when that is known."""

    registered: float
    due: float
    done: float
    failed: float
    known: float


@dataclass(slots=True)
class Tally:
    """What a policy achieved: hours of lead of the incidents warned of in time; warnings by what became of them."""

    incidents: int = 0
    leads: list[float] = field(default_factory=list)
    true: int = 0
    false: int = 0
    pending: int = 0


class Truth:
    """What is true of a simulated city, taken in as it becomes true. `targets`: outcomes the site learns."""

    def __init__(self, targets: Collection[str]) -> None:
        self._targets = tuple(targets)
        self.matters: dict[str, MatterTruth] = {}
        self.called_back: list[tuple[float, bool]] = []
        self.surges: list[tuple[str, tuple[str, ...], float, float]] = []
        self.hazards: dict[str, list[tuple[float, float, float]]] = defaultdict(list)

    def take(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Add records of truth.jsonl."""
        for record in records:
            kind = record["kind"]
            if kind == "matter":
                self._matter(record)
            elif kind == "surge":
                begin, end = seconds(record["begin"]), seconds(record["end"])
                self.surges.append((record["category"], tuple(record["places"]), begin, end))
            elif kind == "sensor" and record["what"] == "hazard":
                times = (seconds(record[name]) for name in ("begin", "passes_at", "end"))
                self.hazards[record["sensor"]].append(tuple(times))  # type: ignore[arg-type]

    def _matter(self, record: Mapping[str, Any]) -> None:
        registered, done = seconds(record["registered_at"]), seconds(record["done_at"])
        failed = [seconds(at) for name, at in record["failed_at"].items() if name in self._targets]
        known = [
            seconds(record[_KNOWN_BY[name]]) if name in _KNOWN_BY else registered + _MONTH_S for name in self._targets
        ]
        self.matters[record["matter"]] = MatterTruth(
            registered, seconds(record["first_due_at"]), done, min(failed, default=0.0), max(known, default=done)
        )
        self.called_back.append((seconds(record["called_back_at"]), not record["outcomes"]["unsatisfied"]))

    def incidents(self, since: float, now: float) -> Iterator[Incident]:
        """Incidents whose moment lies in [since, now]; a surge's moment is its end."""
        for matter, one in self.matters.items():
            if one.failed and since <= one.failed <= now:
                yield Incident("matter", matter, one.registered, one.failed)
        for number, (_, _, begin, end) in enumerate(self.surges):
            if since <= end <= now:
                yield Incident("surge", str(number), begin, end)
        for sensor, hazards in self.hazards.items():
            for begin, passes_at, _ in hazards:
                if since <= passes_at + ATTEND_S <= now:
                    yield Incident("sensor", sensor, begin, passes_at + ATTEND_S)

    def surge_of(self, warning: Warned) -> str:
        """The planted surge that a warning of a surge speaks of; '' for none."""
        for number, (category, places, begin, end) in enumerate(self.surges):
            is_there = warning.place in ROOTS or any(grid.startswith(warning.place) for grid in places)
            if category == warning.category and is_there and begin <= warning.since <= end + 86_400:
                return str(number)
        return ""

    def verdict(self, warning: Warned, now: float) -> bool | None:
        """Whether a forewarning proved true; None while that is not known."""
        if warning.kind == "matter":
            one = self.matters.get(warning.subject)
            if one is None:
                return None
            if one.failed and one.failed > warning.since:
                return True if one.failed <= now else None
            return False if one.known <= now else None
        if warning.kind == "surge":
            return bool(self.surge_of(warning))
        return any(begin <= warning.since <= end for begin, _, end in self.hazards.get(warning.subject, ()))


def seconds(moment: str) -> float:
    """RFC 3339 as epoch seconds."""
    return datetime.fromisoformat(moment).timestamp()


def ours(truth: Truth, warnings: Sequence[Warned], since: float, now: float) -> Tally:
    """What the site's own warnings achieved."""
    chosen = [one for one in warnings if one.reason in FOREWARNING and one.since <= now]
    raised: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in chosen:
        subject = truth.surge_of(one) if one.kind == "surge" else one.subject
        raised[one.kind, subject].append(one.since)
    for moments in raised.values():
        moments.sort()
    tally = Tally()
    for incident in truth.incidents(since, now):
        tally.incidents += 1
        moments = raised.get((incident.kind, incident.subject), [])
        first = bisect_left(moments, incident.opens)
        if first < len(moments) and moments[first] < incident.at:
            tally.leads.append((incident.at - moments[first]) / 3600)
    for one in chosen:
        if one.since >= since:
            verdict = truth.verdict(one, now)
            tally.true += verdict is True
            tally.false += verdict is False
            tally.pending += verdict is None
    return tally


def deadline_only(truth: Truth, since: float, now: float) -> Tally:
    """What a rule would have achieved that warns when 75 % of a matter's clock is over and it is not done."""
    tally = Tally(incidents=sum(1 for _ in truth.incidents(since, now)))
    for one in truth.matters.values():
        warns = one.registered + SHARE * (one.due - one.registered)
        if one.done <= warns or warns > now:
            continue
        if one.failed and since <= one.failed <= now and warns < one.failed:
            tally.leads.append((one.failed - warns) / 3600)
        if warns >= since:
            proves = bool(one.failed) and one.failed > warns
            is_known = (one.failed if proves else one.known) <= now
            tally.true += is_known and proves
            tally.false += is_known and not proves
            tally.pending += not is_known
    return tally
