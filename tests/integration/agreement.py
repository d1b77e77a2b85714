"""What must hold after a fault: all that was accepted is folded once, and to what a plain fold of the logs gives."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from sqlalchemy import select

from alerts.schema import intents, tallies, transitions, verdicts
from pipeline.effects import Digest
from pipeline.frame import Frame, Kind
from pipeline.topology import chain
from runners.fold_logs import Folded, fold_logs
from runners.log_frames import Passed, decoded
from runners.pg_models import ModelTable
from tests.integration.herd import Feed
from tests.integration.working import Place, Town

_TOLD = {"transitions": transitions, "intents": intents, "verdicts": verdicts}


@dataclass
class Accepted:
    """What stands in a log: entries by kind, bodies of frames, seqs of what other partitions handed on."""

    entries: Counter[Kind] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    handed: dict[str, set[int]] = field(default_factory=dict)


def must_agree(town: Town, feed: Feed | None = None) -> Folded:
    """Compare; what a plain fold of the logs gave. All must be folded, and nobody appends any more."""
    folded = fold_logs(town.logs, ModelTable(town.database))
    assert town.is_folded(), "somebody appends still"
    accepted = {place: _accepted(town, place) for place in town.places}
    assert _kept(town) == {f"{log}-{number}": folded.digests[f"{log}-{number}"] for log, number in town.places}
    _same_rows(town, folded)
    _every_entry_counted(town, folded, accepted)
    _everything_handed_on(town, accepted)
    if feed is not None:
        _nothing_lost(feed, accepted)
    return folded


def _kept(town: Town) -> dict[str, dict[str, str]]:
    return town.digests()


def _same_rows(town: Town, folded: Folded) -> None:
    """The rows of the store, and not just what it says of them."""
    made = sorted(town.store.transitions(), key=_by_warning)
    assert made == sorted(folded.transitions, key=_by_warning)
    numbers: dict[str, list[int]] = {}
    for each in made:
        numbers.setdefault(each["warning"], []).append(each["number"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    for log, number in town.places:
        digests = folded.digests[f"{log}-{number}"]
        for name in _TOLD.keys() & digests.keys():
            digest = Digest()
            chain(digest, _rows(town, name, (log, number)))
            assert digest.value.hex() == digests[name], f"{name} of {log}-{number} in the store"


def _rows(town: Town, name: str, place: Place) -> list[dict[str, Any]]:
    table = _TOLD[name]
    query = select(table.c.body).where(table.c.log == place[0], table.c.partition == place[1]).order_by(table.c.id)
    with town.store.transaction() as connection:
        return [orjson.loads(body) for (body,) in connection.execute(query)]


def _by_warning(transition: dict[str, Any]) -> tuple[str, int]:
    return transition["warning"], transition["number"]


def _every_entry_counted(town: Town, folded: Folded, accepted: dict[Place, Accepted]) -> None:
    """Applied, duplicate, late and pending are together what was accepted, partition by partition."""
    for log, number in town.places:
        told = _tallies(town, (log, number))
        plain = {str(name): count for name, count in folded.counts[f"{log}-{number}"].items() if count}
        assert {name: told[name] for name in plain} == plain
        entries = accepted[log, number].entries
        if log == "site":
            assert told["entries"] == entries.total()
            continue
        kind = Kind.SIGNAL if log == "signals" else Kind.READING
        names = ("applied", "duplicate", "late", "conflicting_duplicate", "bad_time", "pending")
        assert sum(told[name] for name in names) == entries[kind]
        assert told["entries"] == entries.total() - entries[kind]


def _tallies(town: Town, place: Place) -> Counter[str]:
    query = select(tallies.c.name, tallies.c.count).where(tallies.c.log == place[0], tallies.c.partition == place[1])
    with town.store.transaction() as connection:
        return Counter({name: int(count) for name, count in connection.execute(query)})


def _everything_handed_on(town: Town, accepted: dict[Place, Accepted]) -> None:
    """Each row of an outbox stands in the log that it is for, in order, though some may stand there twice."""
    for log, number in town.places:
        if log != "site":
            target: Place = ("site", 0) if log == "signals" else ("signals", number)
            rows = {row["seq"] for row in town.store.outbox(log, number, 0)}
            assert accepted[target].handed.get(f"{log}-{number}", set()) == rows


def _nothing_lost(feed: Feed, accepted: dict[Place, Accepted]) -> None:
    for place, sent in feed.sent.items():
        assert set(sent) <= set(accepted[place].bodies)


def _accepted(town: Town, place: Place) -> Accepted:
    found = Accepted()
    for offset, body in town.logs.read(*place, town.logs.frames.first_offset(*place) - 1):  # type: ignore[attr-defined]
        frame = decoded(body, offset)
        found.bodies.append(bytes(body))
        if isinstance(frame, Passed):
            continue
        found.entries.update(Kind(kind) for kind in frame.kinds.tolist())
        for kind, payload in _others(frame):
            if kind in (Kind.COUNTS, Kind.ASSESSMENT):
                source = "signals" if kind is Kind.COUNTS else "readings"
                found.handed.setdefault(f"{source}-{payload['partition']}", set()).add(payload["seq"])
    return found


def _others(frame: Frame) -> list[tuple[Kind, dict[str, Any]]]:
    bare = np.isin(frame.kinds, (Kind.SIGNAL, Kind.READING, Kind.TICK))
    return [(Kind(kind), payload) for kind, payload in zip(frame.kinds[~bare].tolist(), frame.others, strict=False)]
