"""What the readings fold says of a sensor becomes its assessments, as long as it holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.assessment import Action, Assessment, Evidence, Level, Subject, Why
from pipeline.calendar import WorkCalendar
from pipeline.effects import Effects
from pipeline.ids import code64
from pipeline.rules import DutyRule, FoldRules
from pipeline.stages.reading_word import SENSOR_CODE, SensorWords, sensor_key

GAUGE, TOWN, VILLAGE, WATER = (code64(name) for name in ("gauge 1", "town", "village", "water office"))
RULES = FoldRules(
    calendar=WorkCalendar(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64)),
    duty=(
        DutyRule("silent", "silent_sensor", 10, Level.BLUE),
        DutyRule("hazard", "hazard", 1, Level.ORANGE, past_budget=True, action=Action.DISPATCH),
    ),
    parents={VILLAGE: TOWN},
    leads={(TOWN, SENSOR_CODE): WATER},
    root=code64("root"),
)


@dataclass
class Heard:
    """Keeps what it is asked to grade."""

    subjects: list[Subject] = field(default_factory=list)
    said: list[list[Assessment]] = field(default_factory=list)
    causes: list[bytes] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def grade(
        self,
        subject: Subject,
        now: int,
        assessments: Sequence[Assessment],
        cause: bytes,
        evidence: Evidence,
        effects: Effects,
    ) -> None:
        self.subjects.append(subject)
        self.said.append(list(assessments))
        self.causes.append(cause)
        self.evidence.append(evidence)


def word(seq: int, why: str, state: str = "begins", **more: Any) -> dict[str, Any]:
    plain = {"value": 8.25, "expected": 3.0, "score": 7.0, "at": 60_000_000 * seq, "evidence": [seq, seq]}
    return {"seq": seq, "sensor": GAUGE, "why": why, "state": state, **plain, **more}


def hear(*words: dict[str, Any], rules: FoldRules = RULES) -> Heard:
    words_, heard = SensorWords(), Heard()
    for one in words:
        words_.hear(one, one["at"], rules, heard, Effects())
    return heard


def test_a_sensor_is_a_subject_of_its_own_under_the_office_of_its_place() -> None:
    (subject,) = hear(word(1, "abnormal", place=VILLAGE)).subjects

    assert subject == Subject(sensor_key(GAUGE), "sensor", WATER, VILLAGE, SENSOR_CODE)


def test_what_a_source_places_nowhere_lies_at_the_root() -> None:
    (subject,) = hear(word(1, "abnormal")).subjects

    assert subject.place == RULES.root


def test_all_open_troubles_speak_together_and_fall_silent_one_by_one() -> None:
    heard = hear(
        word(1, "abnormal"), word(2, "spread"), word(3, "abnormal", "ends"), word(4, "spread", "ends")
    )  # fmt: skip

    levels = [[each.hard for each in said] for said in heard.said]
    assert levels == [[Level.BLUE], [Level.BLUE, Level.YELLOW], [Level.YELLOW], []]


def test_evidence_spans_the_frames_of_all_that_is_open() -> None:
    heard = hear(word(3, "abnormal", evidence=[3, 3]), word(9, "stuck", evidence=[7, 9]))

    assert heard.evidence == [[[3, 3]], [[3, 9]]]


def test_a_hazard_limit_is_told_at_once_and_past_every_budget() -> None:
    ((hazard,),) = hear(word(1, "out_of_range", limit="alarm")).said

    assert (hazard.hard, hazard.past_budget, hazard.action) == (Level.ORANGE, True, Action.DISPATCH)
    assert hazard.grounds[0].why is Why.OUT_OF_RANGE
    assert dict(hazard.grounds[0].facts) == {"value": "8.25", "expected": 3}


def test_a_silence_says_how_long_it_lasts_and_what_is_usual() -> None:
    ((silence,),) = hear(word(1, "missing", expected=60e6, score=10.0)).said

    assert dict(silence.grounds[0].facts) == {"interval_us": 60_000_000, "silent_us": 600_000_000}


def test_without_its_rule_of_duty_a_silence_has_no_level() -> None:
    withdrawn = FoldRules(calendar=RULES.calendar)

    assert hear(word(1, "missing"), rules=withdrawn).said == [[]]


def test_a_word_that_comes_again_is_counted_and_changes_nothing() -> None:
    words, heard, effects = SensorWords(), Heard(), Effects()
    for one in (word(1, "abnormal"), word(2, "abnormal", "ends"), word(1, "abnormal")):
        words.hear(one, one["at"], RULES, heard, effects)

    assert len(heard.said) == 2
    assert effects.counts["words_again"] == 1


def test_partitions_number_their_words_on_their_own() -> None:
    heard = hear(word(5, "abnormal", partition=0), word(1, "stuck", partition=1))

    assert len(heard.said) == 2


def test_an_episode_is_named_by_what_began_it_and_not_by_its_number() -> None:
    early, late = hear(word(1, "abnormal", at=7)), hear(word(2, "abnormal", at=7))
    other = hear(word(1, "abnormal", at=8))

    assert early.causes == late.causes != other.causes


def test_state_goes_through_json_and_goes_on_as_it_was() -> None:
    words = SensorWords()
    words.hear(word(1, "abnormal"), 1, RULES, Heard(), Effects())

    back, heard = SensorWords.from_state(json.loads(json.dumps(words.to_state()))), Heard()
    back.hear(word(2, "stuck"), 2, RULES, heard, Effects())

    assert [each.grounds[0].why for each in heard.said[0]] == [Why.ABNORMAL_READING, Why.STUCK]
    assert back.heard(0) == 2
