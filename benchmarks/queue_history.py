"""How long the questions of a duty room take with years of ended warnings behind 10,000 open ones, in each database.

    python -m benchmarks.queue_history [--ended 1000000]

A store in a file and one in a PostgreSQL of its own, filled through `Store.apply` with the same changes; each question
is asked on its own thread's connection as the console asks it, for
everything, for a twentieth of all places, and for three of them.
"""

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from alerts.queue import Filters, Order, Queue, Scope
from alerts.store import Store
from benchmarks.figure import Figure, figure
from pipeline.calendar import DAY_US
from pipeline.effects import Effects
from runners.trial.postgres import TrialPostgres

ENDED, OPEN = 1_000_000, 10_000
TIMES = 40
GOAL_MS = 50
BATCH = 4_000
_BEGIN = 1_500_000_000_000_000
_YEARS_US = 8 * 365 * DAY_US
_PLACES = [code * 7_919 - 2**62 for code in range(4_000)]
_DISTRICT, _STREET = frozenset(_PLACES[::20]), frozenset(_PLACES[:3])
_CATEGORIES = [code * 104_729 for code in range(60)]
_KINDS = ("matter", "matter", "matter", "surge", "office", "sensor")
_GROUNDS = [{"why": "idle", "weight": 1200, "feature": "days_idle", "facts": {"days": 9}, "value": 9}] * 4

Question = Callable[[], object]


def queue_history(ended: int = ENDED) -> list[Figure]:
    """95th percentiles of every question, for SQLite and PostgreSQL."""
    out: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        out += _figures(Path(folder) / "store.db", "sqlite", ended)
    with _postgres() as url:
        out += _figures(url, "postgresql", ended)
    return out


@contextmanager
def _postgres() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with TrialPostgres(Path(folder)) as server:
            yield server.database()


def _figures(address: Path | str, name: str, ended: int) -> list[Figure]:
    begun = perf_counter()
    with closing(Store(address, durable=False)) as store:
        _fill(store, ended)
        if not store.is_sqlite:
            with store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                # As a server does by itself within minutes.
                connection.exec_driver_sql("VACUUM ANALYZE")
    filled = figure(f"{name}_fill", perf_counter() - begun, "s")
    with closing(Queue(address)) as queue:
        questions = _questions(queue, None, ended + OPEN)
        for scope, name_of_it in ((_DISTRICT, "scoped"), (_STREET, "narrow")):
            asked = _questions(queue, scope, ended + OPEN)
            questions |= {f"{of}_{name_of_it}": ask for of, ask in asked.items()}
        return [filled] + [
            figure(f"{name}_{of}_p95", _p95(ask), "ms", goal=GOAL_MS, higher_is_better=False)
            for of, ask in questions.items()
        ]


def _questions(queue: Queue, scope: Scope, ever: int) -> dict[str, Question]:
    def paged(filters: Filters, order: Order, after: list[Any] | None = None) -> Question:
        return lambda: queue.page(scope, filters, order, 100, after)

    everything, past = Filters(), Filters(with_shut=True)
    page = queue.page(scope, everything, "worst", 100, None)
    deep = queue.page(scope, past, "newest", 5_000, None).after
    row = page.rows[len(page.rows) // 2]
    narrow = Filters(levels=frozenset({1, 2}), categories=frozenset({row["category"]}), places=frozenset(_PLACES[:400]))
    rare = Filters(with_shut=True, states=frozenset({"declined"}))
    subjects = [f"{number:032x}" for number in range(0, 3_000, 100)]
    return {
        "page": paged(everything, "worst"),
        "next": paged(everything, "worst", page.after),
        "due": paged(everything, "due"),
        "newest": paged(everything, "newest"),
        "past": paged(past, "worst"),
        "past_newest": paged(past, "newest"),
        "past_deep": paged(past, "newest", deep),
        "past_narrow": paged(Filters(with_shut=True, categories=narrow.categories, places=narrow.places), "newest"),
        "past_rare": paged(rare, "newest"),
        "filtered": paged(narrow, "worst"),
        "total": lambda: queue.total(scope, everything),
        "total_past": lambda: queue.total(scope, past),
        "total_filtered": lambda: queue.total(scope, narrow),
        "counts": lambda: queue.counts(scope),
        "groups": lambda: queue.groups(scope, everything, 200),
        "search": lambda: queue.found(scope, subjects, row["id"][:6], 200),
        "searched": lambda: queue.page(scope, Filters(ids=frozenset({row["id"]}), with_shut=True), "worst", 100, None),
        "detail": lambda: (
            queue.row(scope, row["id"]),
            queue.history(scope, row["id"]),
            queue.alike(scope, {(row["place"], row["category"])}),
        ),
        "transitions": lambda: queue.newest(scope, [(each["id"], each["number"]) for each in page.rows]),
        "since": lambda: queue.since(scope, "signals", 0, ever - 200, 1_000),
    }


def _fill(store: Store, ended: int) -> None:
    draw = random.Random(1)
    moved = -1
    changes = []
    for number in range(ended + OPEN):
        is_open = number >= ended
        at = _BEGIN + (_YEARS_US * number) // (ended + OPEN)
        changes.append(_change(draw, number, at, is_open=is_open))
        if len(changes) == BATCH or number == ended + OPEN - 1:
            assert store.apply("signals", 0, moved + 1, at, {}, [Effects(transitions=changes)], after=moved)
            moved, changes = moved + 1, []


def _change(draw: random.Random, number: int, at: int, *, is_open: bool) -> dict[str, Any]:
    level = draw.choices((1, 2, 3, 4), (70, 22, 6, 2))[0] if is_open else 0
    state = draw.choice(("open", "open", "acknowledged")) if is_open else draw.choice(("closed", "ended"))
    return {
        "warning": f"{draw.getrandbits(128):032x}", "number": 1, "at": at, "subject": f"{number:032x}",
        "kind": draw.choice(_KINDS), "from": 1, "to": min(level, 2), "proposed": level, "confirmed": 0,
        "state": state, "cause": "raised", "office": number % 80, "place": draw.choice(_PLACES),
        "category": draw.choice(_CATEGORIES), "due": at + draw.randrange(5) * DAY_US if is_open else 0,
        "assessments": [{"kind": "risk", "target": 0, "probability": 1000, "raw": -143997, "grounds": _GROUNDS}],
    }  # fmt: skip


def _p95(ask: Question) -> float:
    ask()
    taken = []
    for _ in range(TIMES):
        begun = perf_counter()
        ask()
        taken.append(1000 * (perf_counter() - begun))
    return sorted(taken)[round(0.95 * (TIMES - 1))]


def main() -> None:
    """Print the figures beside their goal."""
    ended = int(sys.argv[sys.argv.index("--ended") + 1]) if "--ended" in sys.argv else ENDED
    for each in queue_history(ended):
        goal = "" if each.goal is None else f"  goal {each.goal:g} {'met' if each.passed else 'MISSED'}"
        print(f"{each.name:38s} {each.measured:9.1f} {each.unit}{goal}")


if __name__ == "__main__":
    main()
