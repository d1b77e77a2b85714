"""What the readings fold says of a sensor: kept while it holds, and weighed as the sensor's assessments.

A word says that one trouble of one sensor begins, changes or ends. All troubles of a sensor that are open make its
assessments together; when the last one ends there is none, and the warning falls by the rules of grading. A word
carries the number it had in its partition of the readings log: one that comes again changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pipeline.assessment import Action, Assessment, AssessmentKind, Evidence, Ground, Level, Subject, Why
from pipeline.effects import Effects
from pipeline.ids import code64, key128
from pipeline.rules import DutyRule, FoldRules
from pipeline.stages.place import lead_office

SENSOR = "sensor"
"""Kind of the subject, and the category under which the responsibility matrix names the office of the equipment."""
SENSOR_CODE = code64(SENSOR)

_LEVELS = {
    # one reading that stands out is worth a look; a score drawn from many, or a device at fault, is worth a visit
    "abnormal": Level.BLUE,
    "rate": Level.BLUE,
    "stuck": Level.BLUE,
    "spread": Level.YELLOW,
    "impossible": Level.YELLOW,
}
_RULES = {"missing": "silent_sensor", "alarm": "hazard"}
"""Troubles whose level, budget and notification a rule of duty sets; without the rule they are of no level."""
_WHY = {
    "stuck": Why.STUCK,
    "missing": Why.MISSING,
    "impossible": Why.OUT_OF_RANGE,
    "alarm": Why.OUT_OF_RANGE,
}

Word = Mapping[str, Any]


class Weighs(Protocol):
    """What this stage asks of warnings."""

    def grade(
        self,
        subject: Subject,
        now: int,
        assessments: Sequence[Assessment],
        cause: bytes,
        evidence: Evidence,
        effects: Effects,
    ) -> None: ...


class SensorWords:
    """Open troubles by sensor, and how far each partition of the readings log was heard."""

    def __init__(self) -> None:
        self._open: dict[int, dict[str, dict[str, Any]]] = {}
        self._heard: dict[str, int] = {}

    def hear(self, word: Word, now: int, rules: FoldRules, grader: Weighs, effects: Effects) -> None:
        """Take one word and grade its sensor."""
        partition = str(word.get("partition", 0))
        if word["seq"] <= self._heard.get(partition, 0):
            effects.counts["words_again"] += 1
            return
        self._heard[partition] = word["seq"]
        sensor = int(word["sensor"])
        troubles = self._open.setdefault(sensor, {})
        trouble = trouble_of(word)
        if word["state"] == "ends":
            troubles.pop(trouble, None)
        else:
            troubles[trouble] = dict(word)
        place = int(word.get("place", 0)) or rules.root
        subject = Subject(
            sensor_key(sensor), SENSOR, lead_office(rules, place, SENSOR_CODE), place, category=SENSOR_CODE
        )
        said = [each for each in (assessment_of(troubles[name], rules.duty) for name in sorted(troubles)) if each]
        ranges = [one["evidence"] for one in (*troubles.values(), word)]
        evidence = [[min(first for first, _ in ranges), max(last for _, last in ranges)]]
        cause = key128(SENSOR, str(sensor), trouble, word["state"], str(word["at"]))
        if not troubles:
            del self._open[sensor]
        grader.grade(subject, now, said, cause, evidence, effects)

    def heard(self, partition: int) -> int:
        """Number of the last word of a partition of the readings log; 0 before the first."""
        return self._heard.get(str(partition), 0)

    def to_state(self) -> dict[str, Any]:
        """Everything, JSON-able."""
        words = [[sensor, self._open[sensor]] for sensor in sorted(self._open)]
        return {"open": words, "heard": dict(sorted(self._heard.items()))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "SensorWords":
        """What `to_state` described."""
        words = cls()
        words._open = {sensor: {name: dict(word) for name, word in open_.items()} for sensor, open_ in state["open"]}
        words._heard = dict(state["heard"])
        return words


def sensor_key(sensor: int) -> bytes:
    """Key of the subject that a sensor is, from the code of its name."""
    return key128(SENSOR, f"{sensor & (1 << 64) - 1:016x}")


def trouble_of(word: Word) -> str:
    """Name of the trouble: `why`, or which limit was passed where the word says that one was."""
    return str(word.get("limit") or word["why"])


def assessment_of(word: Word, duty: Sequence[DutyRule]) -> Assessment | None:
    """What an open trouble asks for; None where no rule of duty gives it a level."""
    trouble = trouble_of(word)
    level, past_budget, action = _LEVELS.get(trouble, Level.NONE), False, Action.REMIND
    if trouble in _RULES:
        rule = next((each for each in duty if each.kind == _RULES[trouble]), None)
        if rule is None:
            return None
        level, past_budget, action = rule.level, rule.past_budget, rule.action
    if not level:
        return None
    return Assessment(
        kind=AssessmentKind.READING,
        hard=level,
        past_budget=past_budget,
        action=action,
        grounds=(Ground(_WHY.get(trouble, Why.ABNORMAL_READING), feature=trouble, facts=_facts(trouble, word)),),
    )


def _facts(trouble: str, word: Word) -> tuple[tuple[str, int | str], ...]:
    """What the sentences name: the value and what was expected; of a silence how long, and the usual interval."""
    if trouble == "missing":
        interval = word["expected"]
        return (("interval_us", round(interval)), ("silent_us", round(interval * word["score"])))
    return (("value", _shown(word["value"])), ("expected", _shown(word["expected"])))


def _shown(value: float) -> int | str:
    return round(value) if value == round(value) else f"{value:.4g}" if abs(value) < 1_000 else str(round(value))
