"""What must hold after a fault: all that was accepted is folded once, and to what a plain fold of the logs gives."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from alerts.schema import intents, tallies, transitions, verdicts
from alerts.store import Store
from pipeline.effects import Digest
from pipeline.frame import Kind
from pipeline.topology import SHARES, chain
from runners.cluster.pg_models import ModelTable
from runners.fold_logs import Folded, ReadLogs, fold_logs
from runners.log_frames import decoded
from tests.integration.herd import Feed
from tests.integration.working import Place, Town

_TOLD = {"transitions": transitions, "intents": intents, "verdicts": verdicts}
_OUTCOMES = ("applied", "duplicate", "late", "conflicting_duplicate", "bad_time", "pending")


class Held:
    """Logs as they are now, in memory. What a log lacks here was lost: a fold finds a record that it cannot read."""

    def __init__(self, bodies: Mapping[Place, Sequence[bytes]], sensors: Mapping[int, str]) -> None:
        self.bodies = {place: list(bodies[place]) for place in sorted(bodies)}
        self._sensors = dict(sensors)

    def partitions(self) -> list[Place]:
        """Every log and partition."""
        return list(self.bodies)

    def read(self, log: str, partition: int, after: int = -1, until: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Frames with an offset above `after` and up to `until`."""
        bodies = self.bodies[log, partition]
        yield from list(enumerate(bodies))[after + 1 : None if until is None else until + 1]

    def frame(self, log: str, partition: int, offset: int) -> bytes | None:
        """One frame."""
        return self.bodies[log, partition][offset]

    def names_of(self, kind: str) -> dict[int, str]:
        """Names of sensors."""
        return self._sensors


def held(logs: ReadLogs, places: Sequence[Place]) -> Held:
    """What logs hold now."""
    bodies = {place: [bytes(body) for _, body in logs.read(*place)] for place in places}
    return Held(bodies, logs.names_of("sensor"))


def must_agree(town: Town, feed: Feed) -> Folded:
    """Compare; what a plain fold of the logs gave. All must be folded and handed on, and nobody appends any more."""
    logs = held(town.logs, town.places)
    folded = fold_logs(logs, ModelTable(town.database))
    assert town.is_folded(), "somebody appends still"
    assert town.digests() == folded.digests
    _numbers_have_no_gaps(town.store, folded)
    accepted = {place: _accepted(bodies) for place, bodies in logs.bodies.items()}
    for place in town.places:
        rows_must_be(town.store, place, folded)
        counts_must_be(town.store, place, folded, accepted[place].entries)
    _everything_is_handed_on(town, accepted)
    for place, sent in feed.sent.items():
        assert set(sent) <= set(logs.bodies[place]), f"{place}: what was acknowledged is not there"
    return folded


def rows_must_be(store: Store, place: Place, folded: Folded) -> None:
    """The rows of a partition in the store, one by one: not just what the store says of them."""
    log, number = place
    digests = folded.digests[f"{log}-{number}"]
    for name in _TOLD.keys() & digests.keys():
        table, digest = _TOLD[name], Digest()
        query = select(table.c.body).where(table.c.log == log, table.c.partition == number).order_by(table.c.id)
        with store.transaction() as connection:
            chain(digest, [orjson.loads(body) for (body,) in connection.execute(query)])
        assert digest.value.hex() == digests[name], f"{name} of {log}-{number}"


def counts_must_be(store: Store, place: Place, folded: Folded, entries: Counter[Kind]) -> None:
    """Applied, duplicate, late and pending are together what was accepted, and each what a plain fold counts."""
    log, number = place
    query = select(tallies.c.name, tallies.c.count).where(tallies.c.log == log, tallies.c.partition == number)
    with store.transaction() as connection:
        told = Counter({name: int(count) for name, count in connection.execute(query)})
    plain = {str(name): count for name, count in folded.counts[f"{log}-{number}"].items() if count}
    assert {name: told[name] for name in plain} == plain
    kind = {"signals": Kind.SIGNAL, "readings": Kind.READING}.get(log)
    if kind is not None:
        assert sum(told[name] for name in _OUTCOMES) == entries[kind]
    assert told["entries"] == entries.total() - (entries[kind] if kind is not None else 0)


def entries_in(bodies: Sequence[bytes]) -> Counter[Kind]:
    """How many entries of each kind frames hold."""
    return _accepted(bodies).entries


def _numbers_have_no_gaps(store: Store, folded: Folded) -> None:
    made = sorted(store.transitions(), key=_by_warning)
    assert made == sorted(folded.transitions, key=_by_warning)
    numbers: dict[str, list[int]] = {}
    for each in made:
        numbers.setdefault(each["warning"], []).append(each["number"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def _by_warning(transition: dict[str, Any]) -> tuple[str, int]:
    return transition["warning"], transition["number"]


@dataclass
class _Accepted:
    """What stands in a log: entries by kind, and seqs of what other partitions handed on."""

    entries: Counter[Kind] = field(default_factory=Counter)
    handed: dict[str, set[int]] = field(default_factory=dict)


def _accepted(bodies: Sequence[bytes]) -> _Accepted:
    found = _Accepted()
    for offset, body in enumerate(bodies):
        frame = decoded(body, offset)
        kinds = [Kind(kind) for kind in frame.kinds.tolist()]
        found.entries.update(kinds)
        others = [kind for kind in kinds if kind not in (Kind.SIGNAL, Kind.READING, Kind.TICK)]
        for kind, payload in zip(others, frame.others, strict=True):
            source = _source(kind, payload)
            if source:
                found.handed.setdefault(source, set()).add(payload["seq"])
    return found


def _source(kind: Kind, payload: dict[str, Any]) -> str:
    """The partition that handed an entry on, '' for those that came from outside."""
    if kind is Kind.FACT:
        return "site-0" if payload["fact"] == SHARES else ""
    log = {Kind.COUNTS: "signals", Kind.ASSESSMENT: "readings"}.get(kind, "")
    return log and f"{log}-{payload['partition']}"


def _everything_is_handed_on(town: Town, accepted: dict[Place, _Accepted]) -> None:
    """Each row of an outbox stands in the log that it is for, though some may stand there twice."""
    for log, number in town.places:
        due: dict[Place, set[int]] = {}
        for row in town.store.outbox(log, number, 0):
            target = ("site", 0) if log == "signals" else ("signals", row["partition"] if log == "site" else number)
            due.setdefault(target, set()).add(row["seq"])
        source = f"{log}-{number}"
        assert {place: found.handed[source] for place, found in accepted.items() if source in found.handed} == due
