"""A warning can always be explained: from log and store alone, to the exact weight, and without a connection."""

import json
import random
import re
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts.store import Store
from pipeline.frame import Frame, Kind
from pipeline.ids import code64
from pipeline.rules import FoldRules
from pipeline.signal import Step
from runners.explain.explain import AmbiguousWarning, UnknownWarning, as_json, as_text, explain
from runners.explain.explanation import Change, EntryState, Explanation, Known
from runners.log_sqlite import Logs

pytestmark = pytest.mark.real

SEED, DRAWN = 20_260_301, 50
BY_TIME = {"ended", "lowered"}
"""Causes at which the fold may grade an earlier score again, of which it kept no weights."""


class SocketWatch:
    """Hears of every socket that this process makes while `on`; an audit hook stays for the life of a process."""

    def __init__(self) -> None:
        self.on = False
        self.events: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _: object) -> None:
        if self.on and event.startswith("socket."):
            self.events.append(event)


@pytest.fixture(scope="module")
def sockets() -> SocketWatch:
    """One watch for all of them."""
    return SocketWatch()


@pytest.fixture(scope="module")
def transitions(uci_part: Path) -> list[dict[str, Any]]:
    """Everything that changed in the back-test."""
    with closing(Store(uci_part / "store.db", readonly=True)) as store:
        return list(store.transitions())


@pytest.fixture(scope="module")
def drawn(transitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fifty of them, drawn by seed."""
    return random.Random(SEED).sample(transitions, DRAWN)


@pytest.fixture(scope="module")
def scored(transitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fifty of those in which a probability spoke loudest, drawn by seed."""
    governed = [each for each in transitions if each["cause"] not in BY_TIME and governs(each)["kind"] == "risk"]
    return random.Random(SEED).sample(governed, DRAWN)


@dataclass
class Tale:
    """One explanation, the processor seconds that it and its two forms took, and the socket events meanwhile."""

    story: Explanation
    text: str
    seconds: float
    sockets: list[str]


@pytest.fixture(scope="module")
def tales(
    uci_part: Path, drawn: list[dict[str, Any]], scored: list[dict[str, Any]], sockets: SocketWatch
) -> dict[str, Tale]:
    """What is told of the warnings of all drawn transitions, in English."""
    found = {}
    for transition in [*drawn, *scored]:
        with listening(sockets) as events:
            begun = time.process_time()
            story = explain(uci_part, transition["warning"], language="en")
            text = as_text(story, width=200)
            json.dumps(as_json(story))
            seconds = time.process_time() - begun
        found[transition["warning"]] = Tale(story, text, seconds, list(events))
    return found


@pytest.fixture(scope="module")
def rules(uci_part: Path) -> FoldRules:
    """The rules in the first entry of the log."""
    with Logs(uci_part / "log.db", readonly=True) as logs:
        body = logs.frame("signals", 0, 0)
    assert body is not None
    return FoldRules.from_json(Frame.from_bytes(body, 0).others[0]["rules"])


@contextmanager
def listening(watch: SocketWatch) -> Iterator[list[str]]:
    """The socket events inside."""
    watch.events, watch.on = [], True
    try:
        yield watch.events
    finally:
        watch.on = False


def governs(transition: dict[str, Any]) -> dict[str, Any]:
    """The assessment that spoke loudest; one of kind '' where nothing spoke."""
    place = transition["governing"]
    return transition["assessments"][place] if place >= 0 else {"kind": ""}


@pytest.fixture
def copy(uci_part: Path, tmp_path: Path) -> Path:
    """A data directory of one's own, to harm."""
    for name in ("log.db", "store.db"):
        shutil.copyfile(uci_part / name, tmp_path / name)
    return tmp_path


def told_of(drawn: list[dict[str, Any]], tales: dict[str, Tale]) -> Iterator[tuple[dict[str, Any], Change]]:
    """Each drawn transition beside what is told of it."""
    for transition in drawn:
        yield transition, tales[transition["warning"]].story.changes[transition["number"] - 1]


# the promise, for fifty transitions --------------------------------------------------------------------------------


def test_every_listed_entry_exists_at_its_address_and_speaks_of_the_matter(
    uci_part: Path, drawn: list[dict[str, Any]], tales: dict[str, Tale]
) -> None:
    with Logs(uci_part / "log.db", readonly=True) as logs:
        for transition, change in told_of(drawn, tales):
            assert change.rests_on
            for address in change.rests_on:
                signal = signal_at(logs, *map(int, address.removeprefix("signals-0@").split(":")))
                assert signal["matter"].tobytes().hex() == transition["subject"]
                assert signal["now"] <= transition["at"]


def test_an_entry_is_told_as_the_log_has_it(uci_part: Path, tales: dict[str, Tale]) -> None:
    with Logs(uci_part / "log.db", readonly=True) as logs:
        for entry in (entry for tale in tales.values() for entry in tale.story.entries):
            signal = signal_at(logs, entry.offset, entry.index)
            assert entry.state is EntryState.KEPT
            assert (entry.arrived_us, Step[entry.step.upper()]) == (signal["now"], signal["step"])
            assert (code64(entry.office), code64(entry.category)) == (signal["office"], signal["category"])
            at = datetime.fromisoformat(entry.at)
            assert at.timestamp() * 1_000_000 == signal["at"]


def signal_at(logs: Logs, offset: int, index: int) -> Any:
    """The SIGNAL row of an address, read without the code under test."""
    frame = Frame.from_bytes(logs.frame("signals", 0, offset) or b"", offset)
    return frame.signals[np.flatnonzero(frame.kinds == Kind.SIGNAL).tolist().index(index)]


def test_weights_sum_exactly_to_the_logit_of_the_score(
    drawn: list[dict[str, Any]], scored: list[dict[str, Any]], tales: dict[str, Tale]
) -> None:
    for transition, change in told_of([*drawn, *scored], tales):
        for assessment, known in zip(transition["assessments"], change.known, strict=True):
            if known.weights:
                assert sum(each.weight for each in known.weights) == assessment["raw"] == known.raw


def test_what_governs_or_could_raise_has_weights(scored: list[dict[str, Any]], tales: dict[str, Tale]) -> None:
    for transition, change in told_of(scored, tales):
        assert change.known[transition["governing"]].weights
        for known in change.known:
            assert bool(known.weights) == (known.kind == "risk" and known.could_raise)


def test_a_rule_says_in_words_what_it_found(drawn: list[dict[str, Any]], tales: dict[str, Tale]) -> None:
    rules = [known for _, change in told_of(drawn, tales) for known in change.known if known.kind == "duty"]
    assert rules
    assert all(all(known.said) and known.demands for known in rules)


def test_printed_weights_add_up_to_the_printed_logit(tales: dict[str, Tale]) -> None:
    blocks = 0
    for tale in tales.values():
        for block in re.findall(r"logit before calibration ([+-][\d.]+)\n((?: {9} *[+-]\d.*\n)+)", tale.text):
            *reasons, total = (float(number) for number in re.findall(r"^ +([+-][\d.]+) ", block[1], re.MULTILINE))
            assert abs(sum(reasons) - float(block[0])) <= 0.001
            assert total == float(block[0])
            blocks += 1
    assert blocks >= DRAWN


def test_the_nearest_cutoff_is_that_of_a_recomputation(
    drawn: list[dict[str, Any]], tales: dict[str, Tale], rules: FoldRules
) -> None:
    levels = rules.levels["levels"]
    for transition, change in told_of(drawn, tales):
        score = recomputed_score(transition, rules)
        ahead = [(level, "raise", levels[level - 1]["raise_at"]) for level in range(change.proposed + 1, 5)]
        behind = [(level, "clear", levels[level - 1]["clear_at"]) for level in [change.proposed] if level]
        nearest = min([*ahead, *behind], key=lambda cutoff: abs(cutoff[2] - score))
        near = change.cutoff
        assert (near.level, near.direction, near.value) == nearest
        assert (near.score, near.distance) == (score, near.value - score)


def recomputed_score(transition: dict[str, Any], rules: FoldRules) -> int:
    """Probability times consequence, or the raise cut-off of the level that a rule demands, of what spoke loudest."""
    each = governs(transition)
    if not each["kind"]:
        return 0
    if each["hard"]:
        return int(rules.levels["levels"][each["hard"] - 1]["raise_at"])
    return int(each["probability"] * rules.targets[each["target"]].consequence // 10_000)


def test_one_explanation_takes_less_than_a_second_and_few_frames(tales: dict[str, Tale]) -> None:
    assert max(tale.seconds for tale in tales.values()) <= 1.0
    assert max(tale.story.frames_read for tale in tales.values()) <= 64


def test_no_socket_is_opened(tales: dict[str, Tale], sockets: SocketWatch) -> None:
    assert [tale.sockets for tale in tales.values() if tale.sockets] == []
    with listening(sockets) as events:
        socket.socket().close()
    assert events


def test_log_and_store_are_read_only(uci_part: Path, drawn: list[dict[str, Any]]) -> None:
    def contents() -> list[bytes]:
        return [sha256((uci_part / name).read_bytes()).digest() for name in ("log.db", "store.db")]

    before = contents()
    explain(uci_part, drawn[0]["warning"])
    assert contents() == before


# how it reads ------------------------------------------------------------------------------------------------------


def raised_by_a_model(transitions: list[dict[str, Any]]) -> dict[str, Any]:
    """A warning that a probability raised from nothing."""
    return next(
        each
        for each in transitions
        if each["cause"] == "raised" and not each["from"] and each["assessments"][each["governing"]]["kind"] == "risk"
    )


def test_the_story_names_matter_caption_and_every_change_in_order(
    uci_part: Path, transitions: list[dict[str, Any]]
) -> None:
    raised = raised_by_a_model(transitions)
    story = explain(uci_part, raised["warning"], language="both")
    text = as_text(story)
    assert story.subject in text.splitlines()[4]
    assert "内部关注级，非法定预警" in text
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \d{4}-", text, re.MULTILINE)]
    assert numbers == [change.number for change in story.changes] == list(range(1, len(story.changes) + 1))
    for change in story.changes:
        assert all(change.sentence)


def test_entries_stand_before_the_change_that_rests_on_them(uci_part: Path, transitions: list[dict[str, Any]]) -> None:
    story = explain(uci_part, raised_by_a_model(transitions)["warning"], language="en")
    text = as_text(story)
    for change in story.changes:
        place = text.index(f"\n{change.number}. ")
        assert all(text.index(address) < place for address in change.rests_on)


def test_the_model_is_named_by_its_hash_and_lies_in_the_folder(
    uci_part: Path, transitions: list[dict[str, Any]]
) -> None:
    story = explain(uci_part, raised_by_a_model(transitions)["warning"], language="en")
    first = story.changes[0]
    assert first.model > 0
    assert (uci_part / "models" / f"{first.model_sha256}.fwc").is_file()
    assert f"model {first.model} (sha256 {first.model_sha256[:16]})" in as_text(story)


def test_codes_of_declared_attributes_are_told_by_name(uci_part: Path, transitions: list[dict[str, Any]]) -> None:
    story = explain(uci_part, raised_by_a_model(transitions)["warning"])
    governing = next(known for known in story.changes[0].known if known.is_governing)
    values = {each.feature: each.value for each in governing.weights}
    assert values["priority"] in {"1", "2", "3", "4"}
    assert not any(str(value).startswith("#") for value in values.values())


def test_a_score_without_weights_points_to_the_change_that_has_them(
    uci_part: Path, transitions: list[dict[str, Any]]
) -> None:
    by_time = (each for each in transitions if each["cause"] in BY_TIME and governs(each)["kind"] == "risk")
    for transition in islice(by_time, 10):
        story = explain(uci_part, transition["warning"])
        known = story.changes[transition["number"] - 1].known[transition["governing"]]
        assert known.weights or known.weighed_at < transition["number"]
        if known.weighed_at:
            earlier = next(each for each in story.changes[known.weighed_at - 1].known if each.target == known.target)
            assert earlier.weights
            assert known.is_same_score == (earlier.raw == known.raw)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_language_is_free_of_the_other(uci_part: Path, transitions: list[dict[str, Any]], language: str) -> None:
    story = explain(uci_part, raised_by_a_model(transitions)["warning"], language=language)  # type: ignore[arg-type]
    text = as_text(story)
    assert bool(re.search("[一-鿿]", text)) == (language == "zh")
    assert ("Timeline" in text) == (language == "en")


def test_json_carries_every_weight_and_the_caption(uci_part: Path, transitions: list[dict[str, Any]]) -> None:
    raised = raised_by_a_model(transitions)
    told = json.loads(json.dumps(as_json(explain(uci_part, raised["warning"]))))
    assert told["caption"]["zh"] == "内部关注级，非法定预警"
    grounds = raised["assessments"][raised["governing"]]["grounds"]
    weights = told["changes"][0]["known"][raised["governing"]]["weights"]
    assert [each["weight"] for each in weights] == [each["weight"] for each in grounds]


# what is gone ------------------------------------------------------------------------------------------------------


def test_a_pruned_segment_is_named_and_the_rest_is_told(copy: Path, drawn: list[dict[str, Any]]) -> None:
    (offset, _), *_ = drawn[0]["evidence"]
    with Logs(copy / "log.db") as logs:
        logs.db.execute("DELETE FROM signals_0 WHERE offset = ?", (offset,))
    story = explain(copy, drawn[0]["warning"], language="en")
    assert {entry.state for entry in story.entries if entry.offset == offset} == {EntryState.PRUNED}
    assert "pruned with its log segment" in as_text(story)
    assert len(story.changes) == max(change.number for change in story.changes)


def test_a_frame_with_a_wrong_checksum_is_named(copy: Path, drawn: list[dict[str, Any]]) -> None:
    (offset, _), *_ = drawn[0]["evidence"]
    with Logs(copy / "log.db") as logs:
        logs.db.execute("UPDATE signals_0 SET crc = crc + 1 WHERE offset = ?", (offset,))
    story = explain(copy, drawn[0]["warning"], language="en")
    assert {entry.state for entry in story.entries if entry.offset == offset} == {EntryState.DAMAGED}


def test_without_the_genesis_entry_times_are_utc_and_outcomes_numbered(
    copy: Path, transitions: list[dict[str, Any]]
) -> None:
    raised = raised_by_a_model(transitions)
    with Logs(copy / "log.db") as logs:
        logs.db.execute("DELETE FROM signals_0 WHERE offset = 0")
    first = explain(copy, raised["warning"]).changes[0]
    assert first.at.endswith("+00:00")
    assert risk(first).target.startswith("outcome ")


def risk(change: Change) -> Known:
    """What a model said first."""
    return next(known for known in change.known if known.kind == "risk")


def test_a_kept_text_is_quoted_without_control_characters(copy: Path, drawn: list[dict[str, Any]]) -> None:
    (offset, index), *_ = drawn[0]["evidence"]
    with Logs(copy / "log.db") as logs:
        logs.keep_texts(0, offset, [(index, "no water \x1b[31msince noon")], until=1 << 62)
    text = as_text(explain(copy, drawn[0]["warning"]))
    assert "“no water  [31msince noon”" in text


# which warning is meant ----------------------------------------------------------------------------------------------


def test_a_prefix_that_no_other_has_is_enough(uci_part: Path, drawn: list[dict[str, Any]]) -> None:
    whole = drawn[0]["warning"]
    assert explain(uci_part, whole[:12].upper()).warning == whole


def test_a_matter_is_found_by_its_own_id(uci_part: Path, transitions: list[dict[str, Any]]) -> None:
    warnings = {(each["subject"], each["warning"]) for each in transitions}
    count = Counter(subject for subject, _ in warnings)
    subject, warning = next(each for each in sorted(warnings) if count[each[0]] == 1)
    with Logs(uci_part / "log.db", readonly=True) as logs:
        matter = logs.matter(bytes.fromhex(subject))
    assert matter is not None
    assert explain(uci_part, matter[1].partition("/")[2]).warning == warning


def test_an_ambiguous_prefix_lists_what_it_may_mean(uci_part: Path, transitions: list[dict[str, Any]]) -> None:
    ids = {each["warning"] for each in transitions}
    prefix, count = Counter(id[:4] for id in ids).most_common(1)[0]
    assert count > 1
    with pytest.raises(AmbiguousWarning) as raised:
        explain(uci_part, prefix)
    assert set(raised.value.matches) == {id for id in ids if id.startswith(prefix)}
    assert all(id in str(raised.value) for id in raised.value.matches)


def test_an_unknown_id_is_told_with_those_that_look_like_it(uci_part: Path, drawn: list[dict[str, Any]]) -> None:
    whole = drawn[0]["warning"]
    mistyped = whole[:7] + ("0" if whole[7] != "0" else "1") + whole[8:]
    with pytest.raises(UnknownWarning, match="no warning or matter has this id; did you mean") as raised:
        explain(uci_part, mistyped)
    assert raised.value.close[0] == whole


def test_a_matter_that_never_reached_a_level_says_so(uci_part: Path, transitions: list[dict[str, Any]]) -> None:
    warned = {each["subject"] for each in transitions}
    with Logs(uci_part / "log.db", readonly=True) as logs:
        quiet = next(name for key, name in logs.matters() if key.hex() not in warned)
    with pytest.raises(UnknownWarning, match="never reached a level"):
        explain(uci_part, quiet)


def test_a_folder_without_a_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--data"):
        explain(tmp_path, "3f9a0c")
