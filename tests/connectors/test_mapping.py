"""A mapping turns rows into signals in the order of time; what is wrong with it, or with a row, is told by name."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connectors.csv_file import Refusal
from connectors.history import Entry, history
from connectors.mapping import Mapping
from connectors.mapping_model import StepName, mapping_schema
from pipeline.errors import ConfigError, Reason
from pipeline.signal import Count, Reading, Signal, Step

CONTRACT = {"purpose": "tests", "legal_basis": "none needed: invented", "retention_days": 1}
STEPS = {
    "source": "hotline",
    "shape": "steps",
    "contract": {
        **CONTRACT,
        "allowed_fields": ["no", "n", "state", "when", "began", "kind", "moves", "late", "end", "size"],
    },
    "times": {"formats": ["%d/%m/%Y %H:%M"], "zone": "Asia/Shanghai"},
    "id": {"joined": ["no", "n"]},
    "matter": "no",
    "sequence": "n",
    "time": "when",
    "registered": "began",
    "step": {
        "translated": "state",
        "table": {"new": "registered", "work": "handling", "shut": "closed"},
        "repeated": "updated",
    },
    "derived": {"handed_over": {"when_increases": "moves"}},
    "category": "kind",
    "codes": {"end": "end"},
    "values": {"size": "size"},
    "known_from": {"end": "closed"},
    "outcomes": [{"name": "too_late", "rule": "column", "column": "late", "known_at_step": "closed", "failed": ["y"]}],
}
HEADER = "no,n,state,when,began,kind,moves,late,end,size"
MATTERS = {
    "source": "city",
    "shape": "matters",
    "contract": {**CONTRACT, "allowed_fields": ["id", "open", "shut", "due", "type"]},
    "id": "id",
    "steps": [{"step": "registered", "at": "open"}, {"step": "closed", "at": "shut"}],
    "due": "due",
    "category": "type",
}


def written(folder: Path, content: object) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def told(folder: Path, content: object, *rows: str, header: str = HEADER, memory_rows: int = 50_000) -> list[Entry]:
    file = folder / "rows.csv"
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return list(history(Mapping.load(written(folder, content)), [file], memory_rows=memory_rows))


def signals(entries: list[Entry]) -> list[Signal]:
    return [entry for entry in entries if isinstance(entry, Signal)]


def refusals(entries: list[Entry]) -> list[tuple[Reason, int, str, bool]]:
    return [(e.reason, e.line, e.field, e.row_taken) for e in entries if isinstance(e, Refusal)]


def problems(folder: Path, content: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Mapping.load(written(folder, content))
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_every_step_has_a_name_in_a_mapping() -> None:
    assert [step.name.lower() for step in Step] == list(StepName.__args__)  # type: ignore[attr-defined]


def test_the_schema_is_published() -> None:
    assert {"source", "shape", "contract"} <= set(mapping_schema()["required"])


def test_a_first_row_tells_when_the_matter_began(tmp_path: Path) -> None:
    found = signals(told(tmp_path, STEPS, "7,0,work,01/03/2024 10:00,01/03/2024 09:00,noise,0,n,,3"))
    assert [(s.id, s.step.name, s.at) for s in found] == [
        ("7-0/registered", "REGISTERED", 1709254800_000000),
        ("7-0", "HANDLING", 1709258400_000000),
    ]
    assert found[0].category == "noise"
    assert found[0].values == {"size": 3.0}


def test_a_matter_never_begins_after_its_first_row(tmp_path: Path) -> None:
    found = signals(told(tmp_path, STEPS, "7,0,new,01/03/2024 10:00,01/03/2024 12:00,noise,0,n,,3"))
    assert [(s.step.name, s.at) for s in found] == [("REGISTERED", 1709258400_000000)]


def test_a_rising_counter_is_a_hand_over(tmp_path: Path) -> None:
    rows = [f"7,{n},work,01/03/2024 1{n}:00,01/03/2024 10:00,noise,{moves},n,," for n, moves in enumerate([0, 1, 1, 3])]
    found = signals(told(tmp_path, STEPS, *rows))
    assert [(s.id, s.step.name) for s in found] == [
        ("7-0/registered", "REGISTERED"),
        ("7-0", "HANDLING"),
        ("7-1/handed_over", "HANDED_OVER"),
        ("7-2", "UPDATED"),
        ("7-3/handed_over", "HANDED_OVER"),
        ("7-3/handed_over.2", "HANDED_OVER"),
    ]


def test_rows_in_any_order_tell_the_same_story(tmp_path: Path) -> None:
    rows = [
        "8,0,new,01/03/2024 10:00,01/03/2024 10:00,noise,0,n,,",
        "8,1,work,01/03/2024 10:00,01/03/2024 10:00,noise,1,n,,",
        "8,2,shut,02/03/2024 10:00,01/03/2024 10:00,noise,1,y,done,",
        "7,0,new,01/03/2024 11:00,01/03/2024 11:00,water,0,n,,",
    ]
    forward = signals(told(tmp_path, STEPS, *rows))
    assert forward == signals(told(tmp_path, STEPS, *reversed(rows)))
    assert [s.at for s in forward] == sorted(s.at for s in forward)


def test_what_is_known_at_the_end_is_not_read_before(tmp_path: Path) -> None:
    rows = [f"7,{n},{s},01/03/2024 1{n}:00,,noise,0,y,burst pipe," for n, s in enumerate(["new", "work", "shut"])]
    found = signals(told(tmp_path, STEPS, *rows))
    assert [s.codes for s in found] == [{}, {}, {"end": "burst pipe"}]
    assert [s.outcomes for s in found] == [{}, {}, {"too_late": True}]


def test_a_row_that_cannot_be_read_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        STEPS,
        "7,0,new,31/02/2024 10:00,,noise,0,n,,",
        "7,1,lost,01/03/2024 10:00,,noise,0,n,,",
        "7,x,new,01/03/2024 10:00,,noise,0,n,,",
        ",2,new,01/03/2024 10:00,,noise,0,n,,",
        "7,3,new,,,noise,0,n,,",
        "7,4,new",
        "7,5,new,01/03/2024 10:00,,noise,0,n,,",
    )
    assert [s.id for s in signals(found)] == ["7-5"]
    assert refusals(found) == [
        (Reason.BAD_TIME, 2, "when", False),
        (Reason.UNKNOWN_STEP, 3, "step", False),
        (Reason.WRONG_TYPE, 4, "n", False),
        (Reason.MISSING_FIELD, 5, "matter", False),
        (Reason.MISSING_FIELD, 6, "time", False),
        (Reason.MISSING_FIELD, 7, "", False),
    ]


def test_a_field_that_cannot_be_read_does_not_cost_the_row(tmp_path: Path) -> None:
    found = told(tmp_path, STEPS, "7,0,new,01/03/2024 10:00,soon,noise,many,n,,NaN")
    assert [(s.id, s.values) for s in signals(found)] == [("7-0", {})]
    assert sorted(refusals(found)) == [
        (Reason.BAD_TIME, 2, "began", True),
        (Reason.NOT_FINITE, 2, "size", True),
        (Reason.WRONG_TYPE, 2, "moves", True),
    ]


def test_a_refusal_keeps_only_what_the_contract_allows(tmp_path: Path) -> None:
    found = told(tmp_path, STEPS, "7,0,new,soon,,noise,0,n,,,13912345678", header=f"{HEADER},phone")
    refused = [entry for entry in found if isinstance(entry, Refusal)]
    assert [(r.reason, r.field, r.count) for r in refused] == [
        (Reason.BAD_TIME, "when", 1),
        (Reason.FIELD_NOT_ALLOWED, "phone", 1),
    ]
    assert '"kind":"noise"' in refused[0].content
    assert "139" not in "".join(r.content + r.detail for r in refused)


def test_text_is_cleaned_before_it_is_sorted(tmp_path: Path) -> None:
    content = {**MATTERS, "text": "type", "category": {"constant": "x"}}
    file = tmp_path / "rows.csv"
    file.write_text("id,open,shut,due,type\n1,2024-03-01,,,call 139\n")
    mapping = Mapping.load(written(tmp_path, content))
    found = signals(list(history(mapping, [file], clean=lambda text: text.replace("139", "***"))))
    assert [s.text for s in found] == ["call ***"]


def test_one_row_per_matter_gives_a_signal_per_time(tmp_path: Path) -> None:
    rows = ["1,2024-03-01 10:00,2024-03-02 10:00,2024-03-05,noise", "2,2024-03-01 12:00,,,noise"]
    found = signals(told(tmp_path, MATTERS, *rows, header="id,open,shut,due,type"))
    assert [(s.id, s.step.name, s.due > 0) for s in found] == [
        ("1/registered", "REGISTERED", True),
        ("2/registered", "REGISTERED", False),
        ("1/closed", "CLOSED", True),
    ]


def test_a_matter_without_its_first_time_is_refused_whole(tmp_path: Path) -> None:
    rows = ["1,,2024-03-02 10:00,,noise", "2,never,2024-03-02 10:00,,noise", "3,2024-03-01,never,never,noise"]
    found = told(tmp_path, MATTERS, *rows, header="id,open,shut,due,type")
    assert [s.id for s in signals(found)] == ["3/registered"]
    assert sorted(refusals(found), key=lambda r: (r[1], r[2])) == [
        (Reason.MISSING_FIELD, 2, "open", False),
        (Reason.BAD_TIME, 3, "open", False),
        (Reason.BAD_TIME, 4, "due", True),
        (Reason.BAD_TIME, 4, "shut", True),
    ]


def test_readings_come_in_the_order_of_time_over_all_files(tmp_path: Path) -> None:
    content = {
        "source": "pumps",
        "shape": "readings",
        "contract": {**CONTRACT, "allowed_fields": ["t", "v"], "intake": "readings"},
        "sensor": {"file": "folder_and_stem"},
        "time": "t",
        "value": "v",
    }
    for name, rows in {
        "a": "2024-01-01 00:05,1\n2024-01-01 00:00,2\n",
        "b": "2024-01-01 00:01,inf\n2024-01-01 00:02,3\n",
    }.items():
        (tmp_path / f"{name}.csv").write_text(f"t,v\n{rows}")
    found = list(history(Mapping.load(written(tmp_path, content)), [tmp_path / "b.csv", tmp_path / "a.csv"]))
    readings = [(r.sensor.split("/")[1], r.value) for r in found if isinstance(r, Reading)]
    assert readings == [("a", 2.0), ("b", 3.0), ("a", 1.0)]
    assert refusals(found) == [(Reason.NOT_FINITE, 2, "v", False)]


def test_counts_may_number_their_periods(tmp_path: Path) -> None:
    content = {
        "source": "weeks",
        "shape": "counts",
        "contract": {**CONTRACT, "allowed_fields": ["s", "t", "n", "bad"], "intake": "counts"},
        "category": "s",
        "time": {"index": "t", "start": "2001-01-01", "step_days": 7},
        "count": "n",
        "outbreak": "bad",
    }
    found = told(tmp_path, content, "flu,2,5,1", "flu,1,3.0,", "flu,3,-1,0", header="s,t,n,bad")
    counts = [entry for entry in found if isinstance(entry, Count)]
    assert [(c.category, c.at, c.count, c.outbreak) for c in counts] == [
        ("flu", 978307200_000000, 3.0, None),
        ("flu", 978912000_000000, 5.0, True),
    ]
    assert refusals(found) == [(Reason.WRONG_TYPE, 4, "count", False)]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9), st.integers(0, 23)), max_size=30), st.integers(1, 7))
def test_the_order_does_not_depend_on_what_fits_into_memory(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], memory_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("order")
    lines = [f"{no},{n},work,01/03/2024 {hour}:00,01/03/2024 00:00,noise,{n},n,," for no, n, hour in rows]
    assert told(folder, STEPS, *lines, memory_rows=memory_rows) == told(folder, STEPS, *lines)


def test_every_problem_is_told_at_once_with_line_key_and_suggestion(tmp_path: Path) -> None:
    content = {
        **MATTERS,
        "shap": "steps",
        "steps": [{"step": "registred", "at": "open"}],
        "contract": {**CONTRACT, "allowed_fields": ["id"], "retention_days": "long"},
    }
    found = problems(tmp_path, content)
    assert len(found) == 3
    assert any(p.startswith("mapping.yaml:2: ") or "did you mean 'shape'" in p for p in found)
    assert any("steps.0.step" in p and "did you mean 'registered'" in p for p in found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category": "kindd"}, "category: column 'kindd' is not in contract.allowed_fields; did you mean 'kind'?"),
        ({"office": "kind"}, "office: column 'kind' is already category; name it in shared_columns"),
        ({"codes": {"late": "late", "end": "end"}}, "outcomes.0.column: column 'late' is already codes.late"),
        ({"times": {"formats": ["%d/%m/%Q"]}}, "times.formats.0: '%d/%m/%Q': %Q is not one of"),
        (
            {"times": {"zone": "Asia/Shangai"}},
            "times.zone: 'Asia/Shangai' is no time zone; did you mean 'Asia/Shanghai'?",
        ),
        ({"steps": [{"step": "closed", "at": "end"}]}, "steps: has no meaning in the shape 'steps'"),
        ({"contract": {**STEPS["contract"], "purpose": "TODO: why"}}, "contract.purpose: is still to be filled in"),  # type: ignore[dict-item]
        ({"id": {"column": "no", "constant": "x"}}, "id: needs exactly one of"),
        ({"pairs": [["category", "offic"]]}, "pairs name 'offic', which is none of category, place, office, channel"),
        ({"outcomes": [{"name": "x", "rule": "reopened"}]}, "outcomes.0: the rule reopened needs window_days"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    found = problems(tmp_path, {**STEPS, **change})
    assert any(words in problem for problem in found), found


def test_a_key_that_the_shape_needs_is_missed(tmp_path: Path) -> None:
    content = {key: value for key, value in STEPS.items() if key not in ("step", "time")}
    assert [p.split(": ", 1)[1] for p in problems(tmp_path, content)] == [
        "time: is required by the shape 'steps' and is not there",
        "step: is required by the shape 'steps' and is not there",
    ]


def test_one_column_may_have_two_roles_where_the_mapping_says_so(tmp_path: Path) -> None:
    Mapping.load(written(tmp_path, {**STEPS, "office": "kind", "shared_columns": ["kind"]}))


def test_a_missing_column_is_told_before_any_row_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        told(tmp_path, MATTERS, "1,2024-03-01,,,noise", header="id,opened,shut,due,tpye")
    assert [p.split("mapping.yaml:")[1] for p in caught.value.problems] == [
        f"16: steps.0.at: {tmp_path}/rows.csv has no column 'open'; did you mean 'opened'?",
        f"20: category: {tmp_path}/rows.csv has no column 'type'; did you mean 'tpye'?",
    ]


def test_an_empty_file_is_a_refusal_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "full.csv").write_text("id,open,shut,due,type\n1,2024-03-01,,,noise\n")
    mapping = Mapping.load(written(tmp_path, MATTERS))
    found = list(history(mapping, [tmp_path / "empty.csv", tmp_path / "full.csv"]))
    assert [type(entry).__name__ for entry in found] == ["Refusal", "Signal"]
    assert refusals(found) == [(Reason.EMPTY_INPUT, 1, "", False)]


@pytest.mark.real
def test_uci_incidents_give_the_known_totals(real_data: Path) -> None:
    mapping = Mapping.load(Path("examples/uci_incidents/mapping.yaml"))
    entries = list(history(mapping, [real_data / "uci_incidents" / "incident_event_log_noperson.csv.gz"]))
    found = signals(entries)
    moves = Counter(s.matter for s in found if s.step is Step.HANDED_OVER)
    missed = {s.matter: s.outcomes["deadline_missed"] for s in found if s.outcomes}
    matters = {s.matter for s in found if s.step is Step.REGISTERED}
    assert len(matters) == len([s for s in found if s.step is Step.REGISTERED]) == len(missed) == 24_918
    assert sum(missed.values()) / 24_918 == pytest.approx(0.366, abs=0.0005)
    assert sum(n >= 2 for n in moves.values()) / 24_918 == pytest.approx(0.206, abs=0.0005)
    assert len({s.matter for s in found if s.step is Step.REOPENED}) == 275
    assert len({s.id for s in found}) == len(found)
    assert [s.at for s in found] == sorted(s.at for s in found)
    assert all(entry.row_taken for entry in entries if isinstance(entry, Refusal))


@pytest.mark.real
def test_boston_gives_the_known_totals(real_data: Path) -> None:
    mapping = Mapping.load(Path("examples/boston_311/mapping.yaml"))
    found = signals(list(history(mapping, [real_data / "boston_311" / "boston_animal_pest_2013_2023.csv.gz"])))
    registered = [s for s in found if s.step is Step.REGISTERED]
    assert len(registered) == 62_165
    assert sum(s.due > 0 for s in registered) == 27_817
    assert sum(s.step is Step.CLOSED for s in found) == 62_165 - 21_437


@pytest.mark.real
def test_sensors_and_counts_are_read_whole(real_data: Path) -> None:
    readings = Mapping.load(Path("examples/nab_dev/mapping.yaml"))
    found = list(history(readings, sorted((real_data / "nab_dev" / "data").glob("*/*.csv.gz"))))
    assert len({entry.sensor for entry in found if isinstance(entry, Reading)}) == 31
    assert refusals(found) == []
    counts = list(
        history(
            Mapping.load(Path("examples/count_series/mapping.yaml")),
            [real_data / "count_series" / "counts_long.csv.gz"],
        )
    )
    assert sum(entry.outbreak or False for entry in counts if isinstance(entry, Count)) == 124
    assert refusals(counts) == []
