"""A file that nobody has described is looked at, and a mapping is proposed that a person only has to finish."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.csv_file import Refusal
from connectors.history import history
from connectors.mapping import Mapping
from connectors.mapping_check import check
from connectors.mapping_new import TODO_BASIS, TODO_PURPOSE, propose
from pipeline.errors import ConfigError
from pipeline.signal import Signal
from tests.connectors.mapping_files import Made, eight_files


def finished(made: Made, text: str) -> Path:
    """The proposal with its contract filled in, as a person would."""
    path = made.path.with_suffix(".yaml")
    path.write_text(
        text.replace(f"'{TODO_PURPOSE}'", "Tests").replace(f"'{TODO_BASIS}'", "Invented data"), encoding="utf-8"
    )
    return path


def faults(made: Made, mapping: Mapping) -> list[str]:
    """What the proposal got wrong of id, time and step, judged by what comes out of it."""
    entries = list(history(mapping, [made.path]))
    signals = [entry for entry in entries if isinstance(entry, Signal)]
    found = [f"refused: {entry}" for entry in entries if isinstance(entry, Refusal) and not entry.row_taken]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    told = {(s.matter, s.step.name.lower()): epoch + timedelta(microseconds=s.at) for s in signals}
    model = mapping.model
    if made.id and (model.id is None or model.id.columns != (made.id,)):
        found.append(f"id: {model.id and model.id.columns}, not {made.id}")
    if not made.id and (model.id is None or made.matter not in model.id.columns):
        found.append(f"id: {model.id and model.id.columns} without {made.matter}")
    missed = {key for key, at in made.moments.items() if told.get(key) != at}
    if missed:
        key = sorted(missed)[0]
        found.append(
            f"time or step: {len(missed)} of {len(made.moments)}; {key} is {told.get(key)}, not {made.moments[key]}"
        )
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_eight_files_seven_are_understood_and_none_loses_a_row(tmp_path: Path, seed: int) -> None:
    made = eight_files(tmp_path, seed)
    found = {one.path.name: faults(one, Mapping.load(finished(one, propose(one.path)[0]))) for one in made}
    wrong = {name: what for name, what in found.items() if what}
    assert len(wrong) <= 1, wrong
    assert not [what for whats in wrong.values() for what in whats if what.startswith("refused")]


def test_a_proposal_is_refused_until_its_contract_is_filled_in(tmp_path: Path) -> None:
    made = eight_files(tmp_path, 1)[0]
    path = tmp_path / "proposed.yaml"
    path.write_text(propose(made.path)[0], encoding="utf-8")
    told = check(path, [made.path])
    assert [problem.split(": ", 1)[1] for problem in told.problems] == [
        "contract.purpose: is still to be filled in; without it no source may be read",
        "contract.legal_basis: is still to be filled in; without it no source may be read",
    ]
    assert told.rows == []


def test_a_finished_proposal_shows_ten_rows_and_refuses_none(tmp_path: Path) -> None:
    made = eight_files(tmp_path, 1)[0]
    text, preview = propose(made.path)
    told = check(finished(made, text), [made.path])
    assert told.rows == preview
    assert len(told.rows) == 10
    assert (told.taken, told.refused) == (len(made.moments), 0)


def test_what_looks_personal_is_never_proposed(tmp_path: Path) -> None:
    for made in eight_files(tmp_path, 1):
        allowed = Mapping.load(finished(made, propose(made.path)[0])).model.contract.allowed
        assert allowed.isdisjoint({"联系电话", "Caller name"})


def test_a_series_of_numbers_becomes_readings(tmp_path: Path) -> None:
    file = tmp_path / "pump_7.csv"
    lines = [
        f"2024-01-01 {hour:02}:{minute:02},{hour * 1.37 + minute * 0.1:.2f}" for hour in range(24) for minute in (0, 30)
    ]
    file.write_text("\n".join(["when,level", *lines, ""]))
    text, preview = propose(file)
    assert "shape: readings" in text
    assert preview[0] == {"sensor": "pump_7", "at": "2024-01-01T00:00:00+00:00", "value": "0.0", "source": "pump_7"}


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "no row"), ("a,b\n", "no row"), ("a,b\nx,y\nz,w\n", "no column could be read as a time; columns: a, b")],
)
def test_a_file_without_anything_to_map_is_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(ConfigError, match=words):
        propose(tmp_path / "a.csv")


def test_a_check_counts_what_would_be_refused(tmp_path: Path) -> None:
    made = eight_files(tmp_path, 1)[3]
    path = finished(made, propose(made.path)[0])
    with made.path.open("ab") as file:
        file.write(b"only,three,cells\r\nonly,three,cells\r\n")
    told = check(path, [made.path])
    assert told.refused == 2
    assert told.problems[0].startswith("2 x row refused, first: ")
    assert "missing_field" in told.problems[0]


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "lines"),
    [
        (
            "uci_incidents/incident_event_log_noperson.csv.gz",
            {"matter: number", "time: sys_updated_at", "  translated: incident_state"},
        ),
        (
            "boston_311/boston_animal_pest_2013_2023.csv.gz",
            {"id: case_enquiry_id", "  at: open_dt", "due: sla_target_dt"},
        ),
    ],
)
def test_real_files_are_understood(real_data: Path, file: str, lines: set[str]) -> None:
    assert lines <= set(propose(real_data / file)[0].splitlines())


def test_the_preview_shows_texts_as_they_would_arrive_redacted(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    lines = [f"T{n},2026-03-0{n} 09:00:00,registered,路灯不亮，请联系13800001234" for n in range(1, 9)]
    path.write_text("\n".join(["ticket_id,created_at,status,content", *lines]) + "\n", encoding="utf-8")
    _, rows = propose(path)
    assert rows
    assert not [row for row in rows if "13800001234" in str(row)]
