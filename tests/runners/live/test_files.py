"""Files dropped into a folder: read once, from where they were read to, and moved when they are done."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.file_drop import finish, items, ready_files
from connectors.mapping import Mapping
from runners.live.site import Live
from tests.runners.live.town import CONTRACT, lay_out, record, running

LIMIT_S = 60.0
ROWS = "nr,case,when,what,kind\n1,a,2026-03-02T08:00:00+08:00,new,noise\n2,a,2026-03-02T08:30:00+08:00,end,noise\n"
DESK: dict[str, Any] = {
    "source": "desk",
    "shape": "steps",
    "contract": {**CONTRACT, "allowed_fields": ["nr", "case", "when", "what", "kind"]},
    "id": "nr",
    "matter": "case",
    "time": "when",
    "step": {"translated": "what", "table": {"new": "registered", "end": "closed"}},
    "category": "kind",
}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The town with a folder `desk` for CSV files and one, `lines`, for native JSON lines."""
    sources = [
        {"name": "desk", "mapping": "desk.yaml", "folder": "desk"},
        {"name": "hotline", "mapping": "hotline.yaml", "folder": "lines"},
    ]
    path = lay_out(tmp_path / "town", sources=sources)
    (path.parent / "desk.yaml").write_text(yaml.safe_dump(DESK))
    (path.parent / "desk").mkdir()
    (path.parent / "lines").mkdir()
    return path


def until(site: Live, is_so: Callable[[], bool]) -> None:
    """Have the engine turn until something is so; asked on the engine's own thread."""
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        if site.call(is_so).result(LIMIT_S):
            return
        time.sleep(0.002)
    raise AssertionError(f"it was not so within {LIMIT_S} s")


def done(path: Path) -> bool:
    return (path.parent / "done" / path.name).is_file()


def test_a_file_of_rows_is_read_by_its_mapping_and_moved(desk: Path, tmp_path: Path) -> None:
    (desk.parent / "desk" / "monday.csv").write_text(ROWS)
    with running(desk, tmp_path / "data") as site:
        until(site, lambda: done(desk.parent / "desk" / "monday.csv"))
        until(site, lambda: site.ledger.of("desk")["applied"] == 2)
    assert ready_files(desk.parent / "desk") == []


def test_bad_rows_become_dead_letters_and_the_rest_is_taken(desk: Path, tmp_path: Path) -> None:
    (desk.parent / "desk" / "a.csv").write_text(ROWS + "3,b,soon,new,noise\n4,b\n")
    (desk.parent / "lines" / "a.jsonl").write_bytes(record(1) + b"\n{\n\n" + record(2) + b"\n")
    with running(desk, tmp_path / "data") as site:
        until(site, lambda: done(desk.parent / "lines" / "a.jsonl") and done(desk.parent / "desk" / "a.csv"))
        until(site, lambda: not site.ledger.all()["pending"])
        reasons = {(letter["source"], letter["reason"]) for letter in site.site.logs.deadletters()}
        counts = site.ledger.of("desk"), site.ledger.of("hotline")
    assert reasons == {("desk", "bad_time"), ("desk", "missing_field"), ("hotline", "broken_json")}
    assert [(one["applied"], one["dead_lettered"]) for one in counts] == [(2, 2), (2, 1)]


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    for name in ("a.csv.part", ".hidden", "b.tmp"):
        (tmp_path / name).touch()
    (tmp_path / "b.csv").touch()
    (tmp_path / "a.csv").touch()
    assert [file.path.name for file in ready_files(tmp_path)] == ["a.csv", "b.csv"]


def test_a_file_goes_on_where_it_was_read_to(desk: Path, tmp_path: Path) -> None:
    path = desk.parent / "lines" / "a.jsonl"
    path.write_bytes(b"".join(record(number) + b"\n" for number in range(50)))
    (file,) = ready_files(desk.parent / "lines")
    path.rename(path.with_name("a.part"))
    with running(desk, tmp_path / "data") as site:
        site.call(lambda: site.site.logs.advance(f"drop@hotline/{file.mark}", 30)).result()
        path.with_name("a.part").rename(path)
        until(site, lambda: done(path))
        until(site, lambda: not site.ledger.all()["pending"])
        assert site.ledger.of("hotline")["applied"] == 20
        until(site, lambda: not site.site.logs.position(f"drop@hotline/{file.mark}"))


def test_a_source_of_rubbish_is_paused_and_its_file_kept(desk: Path, tmp_path: Path) -> None:
    path = desk.parent / "lines" / "a.jsonl"
    path.write_bytes(b"{\n" * 3_000)
    with running(desk, tmp_path / "data") as site:
        until(site, lambda: site.files.paused() == ["hotline"])
    assert path.is_file()


def test_two_files_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "a.csv").write_text(ROWS)
        finish(ready_files(tmp_path)[0])
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a.csv", "a.csv.2"]


def test_rows_become_objects_by_their_header(desk: Path) -> None:
    (desk.parent / "desk" / "a.csv").write_text(ROWS)
    found = list(items(ready_files(desk.parent / "desk")[0], Mapping.load(desk.parent / "desk.yaml").model))
    assert found[0] == b'{"nr":"1","case":"a","when":"2026-03-02T08:00:00+08:00","what":"new","kind":"noise"}'


def test_a_file_that_vanishes_stops_nothing(desk: Path, tmp_path: Path) -> None:
    (desk.parent / "lines" / "a.jsonl").symlink_to(tmp_path / "nowhere")
    (desk.parent / "desk" / "b.csv").mkdir()
    (desk.parent / "lines" / "b.jsonl").write_bytes(record(1))
    with running(desk, tmp_path / "data") as site:
        until(site, lambda: done(desk.parent / "lines" / "b.jsonl"))
