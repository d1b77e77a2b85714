"""A store of every earlier schema, with rows in it, is brought up to this one and goes on, in either database."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from alerts.database import database_url
from alerts.deliveries import Deliveries
from alerts.migrate import upgrade
from alerts.queue import Filters, Queue
from alerts.register_schema import register_metadata
from alerts.schema import REVISION, metadata
from alerts.store import Store
from pipeline.effects import Effects

Address = Path | str
REVISIONS = [f"{number:04d}" for number in range(1, int(REVISION) + 1)]
NOW = 900


def change(warning: str, number: int, **changed: Any) -> dict[str, Any]:
    """A transition with what a store reads of it."""
    whole = {
        "warning": warning, "number": number, "at": 100 + number, "subject": warning * 8, "kind": "matter", "from": 0,
        "to": 1, "proposed": 1, "confirmed": 0, "state": "open", "office": 7, "place": 8, "category": 9, "due": 500,
    }  # fmt: skip
    return whole | changed


@dataclass(frozen=True)
class Grown:
    """A store, where it is, and the schema that it was made under."""

    store: Store
    address: Address
    revision: str


CHANGES = (change("aaaa", 1), change("bbbb", 1, proposed=4), change("aaaa", 2, state="closed", proposed=0))


def fill(connection: Connection, revision: str) -> None:
    """What a site of that time had written: three changes of two warnings, and one row of everything else."""

    def put(table: str, **row: Any) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)

    of = {"log": "signals", "partition": 0}
    counted = {"transitions": len(CHANGES)} if revision >= "0004" else {}
    aged = {"at": NOW} if revision >= "0004" else {}
    put("offsets", **of, offset=4, now=NOW, digests="{}", **counted)
    for ordinal, each in enumerate(CHANGES, 1):
        numbered = {"ordinal": ordinal} if revision >= "0004" else {}
        kept = {name: each[name] for name in ("warning", "number", "at", "subject")}
        put("transitions", **of, **kept, body=json.dumps(each), **numbered)
        put("intents", **of, warning=each["warning"], number=each["number"], body="{}", **aged)
    for each in CHANGES[1:]:
        names = ("subject", "kind", "proposed", "confirmed", "state", "office", "place", "category", "number", "at")
        shut = each["state"] == "closed"
        order = {"shut": int(shut), "calm": 4 - each["proposed"], "late": 500} if revision >= "0002" else {}
        row = {name: each[name] for name in names} | order
        put("warnings", id=each["warning"], **of, level=1, since=101, **row)
    put("verdicts", key="k", **of, body='{"id": "k", "ok": true}', **aged)
    put("labels", partition=0, subject=b"k" * 16, target=0, y=1, known_at=50)
    put("outbox", **of, seq=3, body='{"seq": 3}', **aged)
    by = of if revision >= "0004" else {"log": "signals"}
    put("tallies", **by, name="applied", count=70)
    if revision >= "0003":
        put("delivery_marks", sink="lines", intent=2, **(of if revision >= "0004" else {}))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((name, revision), marks=[pytest.mark.real] if name == "postgresql" else [])
        for name in ("sqlite", "postgresql")
        for revision in REVISIONS
    ],
    ids="-".join,
)
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    """A store that was made under an earlier schema and opened by this version."""
    name, revision = request.param
    address = (
        tmp_path_factory.mktemp("store") / "store.db"
        if name == "sqlite"
        else request.getfixturevalue("postgres").database()
    )
    engine = create_engine(database_url(address))
    with engine.begin() as connection:
        upgrade(connection, revision)
        fill(connection, revision)
    engine.dispose()
    with closing(Store(address)) as store:
        yield Grown(store, address, revision)


def test_what_was_kept_under_an_earlier_schema_is_there(grown: Grown) -> None:
    store = grown.store
    assert [(each["warning"], each["number"]) for each in store.transitions()][:3] == [
        ("aaaa", 1), ("bbbb", 1), ("aaaa", 2),
    ]  # fmt: skip
    assert store.tallies() == {"signals": {"applied": 70}}
    assert store.verdict("k") == {"id": "k", "ok": True}
    assert store.outbox("signals", 0, 2) == [{"seq": 3}]
    assert len(store.labels()) == 1


def test_it_goes_on_where_it_was(grown: Grown) -> None:
    assert grown.store.cursor() == {"signals-0": 3}
    assert grown.store.apply("signals", 0, 5, 901, {}, [Effects(transitions=[change("cccc", 1)])], after=4)
    assert grown.store.cursor() == {"signals-0": 4}
    with closing(Queue(grown.address)) as queue:
        assert [row["id"] for row in queue.since(None, "signals", 0, 3, 10) or []] == ["cccc"]
        page = queue.page(None, Filters(with_shut=True), "worst", 10, None)
        assert [row["id"] for row in page.rows] == ["bbbb", "cccc", "aaaa"]


def test_nobody_is_told_again_of_what_was_planned(grown: Grown) -> None:
    planned = 2 if grown.revision >= "0003" else 0
    assert [wish.id for wish in Deliveries(grown.store).wishes("lines")] == [1, 2, 3][planned:]


def test_every_way_up_leads_to_the_same_schema(grown: Grown) -> None:
    with grown.store.engine.connect() as connection:
        whole = [metadata] if grown.store.is_sqlite else [metadata, register_metadata]
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, whole) == []  # type: ignore[arg-type]


@pytest.mark.real
def test_processes_that_begin_at_once_do_not_hinder_each_other(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(Store, [database] * 4):
            assert store.cursor() == {}
            store.close()
