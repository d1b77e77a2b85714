"""The report of a warning that people worked on, without a back-test: who did what, and how its lines are set."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.explain.explanation import Act, Change, CutOffNear, EntryState, Explanation, Known, ListedEntry, Weight
from runners.explain.text import as_text, rounded
from runners.text_lines import columns, wrapped

FEATURES = ("share", "idle_h", "handovers", "returns", "steps", "age_h", "hour", "reports", "office_open", "cues")
WEIGHTS = tuple(Weight(name, 1.0, 20_000 - 1_111 * place) for place, name in enumerate(FEATURES))
RISK = Known(
    kind="risk",
    target="deadline_missed",
    target_name=("逾期", "missed deadline"),
    said=("", ""),
    probability=6_240,
    raw=sum(each.weight for each in WEIGHTS) - 131_072,
    horizon=172_800_000_000,
    recurrence=0,
    demands=0,
    is_past_budget=False,
    is_governing=True,
    could_raise=True,
    weights=(*WEIGHTS, Weight("base", None, -131_072)),
    weighed_at=1,
    is_same_score=True,
)
RAISED = Change(
    number=1,
    at="2026-11-20T09:00:00+08:00",
    at_us=1_000_000,
    cause="raised",
    state="open",
    before=0,
    after=2,
    proposed=3,
    confirmed=0,
    awaiting=1,
    office="Housing Bureau",
    sentence=("“排水管堵塞”事项存在逾期可能。", "Blocked drain: it may be late."),
    known=(RISK,),
    cutoff=CutOffNear(3, "clear", 5_200, 6_240, -1_040),
    config=1,
    model=4,
    model_sha256="ab" * 32,
    is_model_kept=False,
    by=None,
    rests_on=("signals-0@3:1",),
)
CONFIRMED = replace(
    RAISED,
    number=2,
    at="2026-11-20T09:12:00+08:00",
    at_us=2_000_000,
    cause="confirmed",
    before=2,
    after=3,
    confirmed=3,
    awaiting=0,
    by=Act("post-17", "duty_desk", "", "called the office", "", "2026-11-20T12:00:00+08:00"),
)
ENTRY = ListedEntry(
    "signals-0@3:1", 3, 1, EntryState.KEPT, 500_000, "2026-11-19T17:00:00+08:00", "2026-11-20T08:59:00+08:00",
    "registered", "Housing Bureau", "drain", "", "Water stands in the street",
)  # fmt: skip
STORY = Explanation(
    warning="3f" * 16,
    kind="matter",
    subject="M-1",
    source="hotline",
    category="drain",
    place="",
    registered="2026-11-19T17:00:00+08:00",
    due="",
    language="en",
    entries=(ENTRY,),
    changes=(RAISED, CONFIRMED),
    frames_read=2,
)


def test_who_did_what_stands_at_the_change() -> None:
    told = "Done by: post-17 (duty_desk); note: called the office; next update by: 2026-11-20 12:00 +08:00"
    assert told in as_text(STORY)


def test_what_waits_for_a_person_is_said_until_it_is_confirmed() -> None:
    text = as_text(STORY, width=120)
    assert (
        "1. 2026-11-20 09:00 +08:00  level raised: no level -> yellow (proposed orange, 1 person(s) to confirm)" in text
    )
    assert "2. 2026-11-20 09:12 +08:00  confirmed: yellow -> orange\n" in text


def test_an_entry_that_arrived_late_says_when_it_happened() -> None:
    line = next(line for line in as_text(STORY).splitlines() if line.startswith("  - "))
    assert line.startswith("  - 2026-11-20 08:59 +08:00  registered")
    assert "happened 2026-11-19 17:00 +08:00" in line


def test_beyond_the_heaviest_reasons_the_rest_stand_together() -> None:
    lines = as_text(STORY).splitlines()
    start = next(place for place, line in enumerate(lines) if "starting point" in line)
    assert "others together (2)" in lines[start + 9]
    assert lines[start + 10].split()[0] == f"{RISK.raw / 65_536:+.3f}"


def test_shares_of_all_that_moved_it_make_a_whole() -> None:
    first = as_text(replace(STORY, changes=(RAISED,)))
    shares = [int(line.split()[1]) for line in first.splitlines() if line.startswith(" " * 9) and " % " in line]
    assert sum(shares[:9]) == pytest.approx(100, abs=4)


def test_a_model_whose_file_is_gone_is_told() -> None:
    assert "sha256 abababababababab, its file is no longer there" in as_text(STORY)


@pytest.mark.parametrize("state", [EntryState.PRUNED, EntryState.DAMAGED, EntryState.NOT_READ])
def test_an_entry_that_cannot_be_read_keeps_its_address(state: EntryState) -> None:
    gone = replace(ENTRY, state=state, at="", now="", step="", office="", category="", text="")
    line = next(line for line in as_text(replace(STORY, entries=(gone,))).splitlines() if "signals-0@3:1" in line)
    assert len(line.split(None, 2)[2]) > len("signals")


def test_what_is_no_matter_says_which_readings_or_minutes_it_rests_on() -> None:
    quiet = replace(STORY, kind="sensor", entries=(), changes=(replace(RAISED, rests_on=("readings-0@3..9",)),))
    text = as_text(quiet)
    assert "Rests on: readings-0@3..9" in text
    assert "Subject  " in text


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_lines_keep_to_the_width(language: str) -> None:
    story = replace(STORY, language=language)  # type: ignore[arg-type]
    lines = as_text(story, width=80).splitlines()
    assert max(map(columns, lines)) <= 80


@given(st.lists(st.integers(-2_000_000, 2_000_000), min_size=1, max_size=12))
def test_rounded_weights_are_close_and_their_sum_is_the_rounded_sum(weights: list[int]) -> None:
    thousandths = rounded(weights)
    assert all(abs(part - weight * 1000 / 65_536) < 1 for part, weight in zip(thousandths, weights, strict=True))
    assert abs(sum(thousandths) - sum(weights) * 1000 / 65_536) <= 0.5


@given(st.text("ab 事项，。（x)", max_size=60), st.integers(8, 30))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    assert "".join("".join(wrapped(text, width)).split()) == "".join(text.split())


def test_a_mark_never_begins_a_line() -> None:
    for width in range(8, 30):
        assert not any(line[:1] in "，。；" for line in wrapped("请于今日更新进展，谢谢。办理；反馈。", width) if line)
