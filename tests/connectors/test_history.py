"""History takes as much memory for a file as for four of them, and says how far it has read."""

import tracemalloc
from pathlib import Path

import pytest

from connectors.history import history
from connectors.mapping import Mapping

MAPPING = """
source: hotline
shape: steps
contract: {purpose: tests, legal_basis: none needed, allowed_fields: [m, n, s, t, x], retention_days: 1}
id: {joined: [m, n]}
matter: m
sequence: n
time: t
step: {translated: s, table: {a: registered, b: handling, c: closed}, repeated: updated}
text: x
"""


def hotline(folder: Path, matters: int) -> tuple[Mapping, Path]:
    (folder / "mapping.yaml").write_text(MAPPING)
    file = folder / f"{matters}.csv"
    with file.open("w") as rows:
        rows.write("m,n,s,t,x\n")
        for number in range(matters):
            for order, step in enumerate("abbc"):
                rows.write(f"M{number},{order},{step},2024-01-{1 + number % 28:02} {order:02}:00,{'text ' * 10}\n")
    return Mapping.load(folder / "mapping.yaml"), file


def peak(folder: Path, matters: int) -> int:
    mapping, file = hotline(folder, matters)
    tracemalloc.start()
    assert sum(1 for _ in history(mapping, [file], memory_rows=2_000)) == 4 * matters
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_four_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    assert peak(tmp_path, 6_000) <= 1.2 * peak(tmp_path, 1_500)


def test_progress_adds_up_to_the_rows(tmp_path: Path) -> None:
    mapping, file = hotline(tmp_path, 1_300)
    steps: list[int] = []
    list(history(mapping, [file], progress=steps.append))
    assert sum(steps) == 5_200
    assert len(steps) > 2


@pytest.mark.real
@pytest.mark.parametrize("name", ["uci_incidents/incident_event_log_noperson.csv.gz"])
def test_a_real_file_spilled_or_not_gives_the_same_history(real_data: Path, name: str) -> None:
    mapping = Mapping.load(Path("examples/uci_incidents/mapping.yaml"))
    small = history(mapping, [real_data / name], memory_rows=20_000)
    large = history(mapping, [real_data / name], memory_rows=1_000_000)
    assert all(a == b for a, b in zip(small, large, strict=True))
