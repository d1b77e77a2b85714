"""The edge: what becomes a row, what is refused and with which words."""

import numpy as np
import pytest

from connectors.contract import DataContract
from connectors.cues import Cue
from connectors.edge import Admitted, Edge, reporter_token
from connectors.ngrams import Grams
from connectors.redact import Redactor
from pipeline.errors import Reason
from pipeline.ids import code32, code64, key128
from pipeline.signal import Signal, Step

AT = 1_700_000_000_000_000
CONTRACT = DataContract(purpose="handling matters", legal_basis="by-law 7", allowed_fields=["id"], retention_days=30)


def edge(**changes: object) -> Edge:
    settings: dict[str, object] = {
        "source": "hotline",
        "contract": CONTRACT,
        "redactor": Redactor(),
        "grams": Grams(b"key"),
        "targets": ["breach", "bounced"],
        "codes": ["priority", "shift"],
        "values": ["age"],
        "key": b"key",
    }
    return Edge(**(settings | changes))  # type: ignore[arg-type]


def signal(**changes: object) -> Signal:
    fields: dict[str, object] = {"id": "1", "matter": "m1", "at": AT, "step": Step.REGISTERED}
    return Signal(**(fields | changes))  # type: ignore[arg-type]


def only(admitted: Admitted) -> Reason:
    assert len(admitted.rows) == 0
    return admitted.rejected[0].reason


def test_a_signal_becomes_a_row_of_hashes() -> None:
    row = edge().admit([signal(category="M01", place="T1", office="D05", due=AT + 5)]).rows[0]
    assert row["id"].tobytes() == key128("hotline", "1")
    assert row["matter"].tobytes() == key128("hotline", "m1")
    assert (row["at"], row["due"], row["now"]) == (AT, AT + 5, 0)
    assert (row["source"], row["category"], row["place"]) == (code64("hotline"), code64("M01"), code64("T1"))
    assert (row["office"], row["channel"], row["asset"]) == (code64("D05"), 0, 0)
    assert row["step"] == Step.REGISTERED


def test_attributes_and_outcomes_go_to_their_declared_columns() -> None:
    sent = signal(codes={"shift": "night"}, values={"age": 2.5}, outcomes={"bounced": True, "breach": False})
    row = edge().admit([sent]).rows[0]
    assert row["codes"][:3].tolist() == [0, code32("shift", "night"), 0]
    assert row["values"][0] == 2.5
    assert np.isnan(row["values"][1:]).all()
    assert (row["known"], row["value"]) == (0b11, 0b10)


def test_what_is_not_declared_is_dropped_and_counted() -> None:
    sent = signal(codes={"mood": "x"}, values={"income": 1.0}, outcomes={"blamed": True})
    admitted = edge().admit([sent, sent])
    assert admitted.dropped == {"codes.mood": 2, "values.income": 2, "outcomes.blamed": 2}
    assert not admitted.rows["codes"].any()
    assert not admitted.rows["known"].any()


def test_texts_are_redacted_and_hashed_in_step_with_the_rows() -> None:
    sent = [signal(), signal(id="2", text="楼道漏气，电话13800138000"), signal(id="3")]
    admitted = edge().admit(sent)
    assert admitted.texts == ["", "楼道漏气，电话[电话]", ""]
    assert admitted.rows["cues"][1] & Cue.GAS
    start, end = admitted.gram_ends[0], admitted.gram_ends[1]
    assert admitted.grams[start:end].tolist() == Grams(b"key").indices("楼道漏气，电话[电话]").tolist()
    assert admitted.gram_ends.tolist() == [0, end, end]


def test_names_are_told_once() -> None:
    one = edge()
    first = one.admit([signal(place="T1", codes={"shift": "night"})])
    assert first.names[code64("T1")] == ("place", "T1")
    assert first.names[code32("shift", "night")] == ("codes.shift", "night")
    assert one.admit([signal(place="T1", codes={"shift": "night"})]).names == {}


@pytest.mark.parametrize("change", [{"at": AT + 1_000_000}, {"text": "b"}, {"codes": {"shift": "day"}}, {"due": AT}])
def test_content_tells_a_repeated_id_with_other_fields(change: dict[str, object]) -> None:
    one = edge()
    plain = one.admit([signal()]).rows["content"][0]
    assert one.admit([signal()]).rows["content"][0] == plain
    assert one.admit([signal(**change)]).rows["content"][0] != plain


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, Reason.MISSING_FIELD),
        ({"matter": ""}, Reason.MISSING_FIELD),
        ({"at": 0}, Reason.BAD_TIME),
        ({"at": -5}, Reason.BAD_TIME),
        ({"at": 8_000_000_000_000_000}, Reason.BAD_TIME),
        ({"due": -5}, Reason.BAD_TIME),
        ({"values": {"age": float("nan")}}, Reason.NOT_FINITE),
        ({"values": {"age": float("inf")}}, Reason.NOT_FINITE),
        ({"values": {"age": 1e39}}, Reason.NOT_FINITE),
        ({"text": "half a pair \ud800"}, Reason.BAD_ENCODING),
        ({"codes": {"shift": "\udfff"}}, Reason.BAD_ENCODING),
        ({"text": "data:image/png;base64," + "iVBORw0KGgo" * 30}, Reason.REFUSED_PURPOSE),
        ({"source": "petition"}, Reason.UNKNOWN_SOURCE),
        ({"id": "x" * 600}, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(change: dict[str, object], reason: Reason) -> None:
    assert only(edge().admit([signal(**change)])) is reason


def test_unlisted_names_are_refused_only_where_there_is_a_list() -> None:
    assert only(edge(known_places=["T1"]).admit([signal(place="T2")])) is Reason.UNKNOWN_PLACE
    assert only(edge(known_categories=["M01"]).admit([signal(category="M99")])) is Reason.UNKNOWN_CATEGORY
    assert len(edge(known_places=["T1"]).admit([signal(), signal(place="T1")]).rows) == 2


def test_a_time_in_the_future_is_refused_under_a_wall_clock_alone() -> None:
    ahead = signal(at=AT + 301_000_000)
    assert only(edge().admit([ahead], AT)) is Reason.TIME_IN_FUTURE
    assert len(edge().admit([ahead], None).rows) == 1
    assert len(edge().admit([signal(at=AT + 299_000_000)], AT).rows) == 1


def test_one_refused_signal_stops_no_other_and_names_its_position() -> None:
    admitted = edge().admit([signal(id="a"), signal(id="b", at=0), signal(id="c")], positions=[7, 8, 9])
    assert admitted.ids == ["a", "c"]
    assert [letter.position for letter in admitted.rejected] == [8]
    assert admitted.rejected[0].remedy


def test_damage_of_two_kinds_in_one_batch_is_told_apart() -> None:
    admitted = edge().admit([signal(id="a", at=0), signal(id="b", office="\ud800"), signal(id="c")])
    assert [letter.reason for letter in admitted.rejected] == [Reason.BAD_TIME, Reason.BAD_ENCODING]
    assert admitted.ids == ["c"]


def test_an_empty_batch_is_an_empty_answer() -> None:
    admitted = edge().admit([])
    assert (len(admitted.rows), admitted.texts, admitted.rejected) == (0, [], [])
    assert len(admitted.gram_ends) == 0


def test_a_dead_letter_is_redacted() -> None:
    (letter,) = edge().admit([signal(at=0, text="call 13800138000")]).rejected
    assert b"13800138000" not in letter.body
    assert letter.size > 0


def test_time_is_cut_to_the_precision_of_the_contract() -> None:
    coarse = CONTRACT.model_copy(update={"precision": CONTRACT.precision.model_copy(update={"time": "minute"})})
    row = edge(contract=coarse).admit([signal(at=AT + 59_000_000)]).rows[0]
    assert row["at"] % 60_000_000 == 0
    assert 0 <= AT + 59_000_000 - row["at"] < 60_000_000


def test_batches_do_not_matter() -> None:
    sent = [signal(id=str(i), text="abc" * (i % 3), category=f"M{i % 4}") for i in range(20)]
    whole = edge().admit(sent).rows
    parts = np.concatenate([edge().admit(sent[:7]).rows, edge().admit(sent[7:]).rows])
    assert whole.tobytes() == parts.tobytes()


def test_a_reporter_is_recognised_inside_one_matter_only() -> None:
    token = reporter_token(b"key", "m1", "138-0013 8000")
    assert token == reporter_token(b"key", "m1", "13800138000")
    assert token != reporter_token(b"key", "m1", "13800138001")
    assert token != reporter_token(b"key", "m2", "13800138000")
    assert token != reporter_token(b"other", "m1", "13800138000")
    assert 0 <= token < 1 << 64


def test_matters_and_contacts_that_only_join_alike_differ() -> None:
    assert reporter_token(b"key", "m1", "1380") != reporter_token(b"key", "m11", "380")
