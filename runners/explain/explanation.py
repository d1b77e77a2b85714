"""A warning's story as values: the entries it rests on, each change with what was known then, and its JSON form."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from alerts.sentences import CAPTION_EN, CAPTION_ZH, NOT_FOR_RANKING_EN, NOT_FOR_RANKING_ZH

Language = Literal["en", "zh", "both"]
Pair = tuple[str, str]
"""The same in Chinese and in English."""


class EntryState(StrEnum):
    """Whether an entry could be read at its address."""

    KEPT = "kept"
    PRUNED = "pruned"
    DAMAGED = "damaged"
    NOT_READ = "not_read"
    """Beyond the number of frames that one explanation reads."""


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry that some change rests on. `at`, `now`, `due` are local times (RFC 3339), '' where not known."""

    address: str
    offset: int
    index: int
    state: EntryState
    arrived_us: int = 0
    at: str = ""
    now: str = ""
    step: str = ""
    office: str = ""
    category: str = ""
    due: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one feature added to the logit, in 1/65,536; `value` is a number, a name, or None where it was missing."""

    feature: str
    value: float | str | None
    weight: int


@dataclass(frozen=True, slots=True)
class Known:
    """One assessment as it stood at a change.

    Attributes
    ----------
    target : name of the outcome, '' for a rule. said : what a rule says, in words; ('', '') for a model.
    probability : in 1/10,000. raw : logit before calibration in 1/65,536. horizon : µs. demands : level of a rule.
    weights : heaviest first, the base last; they sum to `raw`. Empty where the fold kept none.
    could_raise : it governs, or its probability could raise a level by itself; the fold keeps the weights of such only.
    weighed_at : number of the change with the newest weights for it, 0 for none; `is_same_score` : they sum to `raw`.
    """

    kind: str
    target: str
    target_name: Pair
    said: Pair
    probability: int
    raw: int
    horizon: int
    recurrence: int
    demands: int
    is_past_budget: bool
    is_governing: bool
    could_raise: bool
    weights: tuple[Weight, ...]
    weighed_at: int
    is_same_score: bool


@dataclass(frozen=True, slots=True)
class CutOffNear:
    """The nearest cut-off on the score, both in 1/10,000; `distance` = cut-off minus score."""

    level: int
    direction: str
    value: int
    score: int
    distance: int


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to the warning: under which account and post, and what was said. '' where it was not given."""

    principal: str
    role: str
    reason: str
    remark: str
    outcome: str
    next_update_by: str


@dataclass(frozen=True, slots=True)
class Change:
    """One transition of the warning; levels as numbers 0 (none) to 4 (red). `rests_on` : addresses in order."""

    number: int
    at: str
    at_us: int
    cause: str
    state: str
    before: int
    after: int
    proposed: int
    confirmed: int
    awaiting: int
    office: str
    sentence: Pair
    known: tuple[Known, ...]
    cutoff: CutOffNear
    config: int
    model: int
    model_sha256: str
    is_model_kept: bool
    by: Act | None
    rests_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole story. `frames_read` counts every frame that was read for it."""

    warning: str
    kind: str
    subject: str
    source: str
    category: str
    place: str
    registered: str
    due: str
    language: Language
    entries: tuple[ListedEntry, ...]
    changes: tuple[Change, ...]
    frames_read: int

    @property
    def last(self) -> Change:
        """The newest change: how the warning stands now."""
        return self.changes[-1]


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as plain JSON, every weight included, with caption and units."""
    last = explanation.last
    return {
        "caption": {"zh": CAPTION_ZH, "en": CAPTION_EN},
        "not_for": {"zh": NOT_FOR_RANKING_ZH, "en": NOT_FOR_RANKING_EN},
        "units": {"weight": "logit / 65536", "raw": "logit / 65536", "probability": "1 / 10000", "score": "1 / 10000",
                  "horizon": "microseconds", "recurrence": "days", "sentence": "zh, en", "said": "zh, en"},
        "level": last.after,
        "state": last.state,
        **asdict(explanation),
    }  # fmt: skip
