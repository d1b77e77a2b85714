"""What travels over HTTP, as pydantic models; OpenAPI is made from these. Times are RFC 3339 in UTC."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LevelName = Literal["blue", "yellow", "orange", "red"]
Role = Literal["duty_officer", "approver", "administrator"]
CommandName = Literal["acknowledge", "confirm", "decline", "assign", "note", "close", "reopen", "undo"]
OutcomeName = Literal["confirmed", "valuable", "false_alarm", "late_but_true", "already_known"]
WarningState = Literal["open", "acknowledged", "closed", "ended"]
SourceState = Literal["receiving", "delayed", "interrupted", "never"]
Order = Literal["worst", "newest", "due"]


class Shape(BaseModel):
    """Something sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sent(BaseModel):
    """Something received; a field that is not known is refused, not dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Words(Shape):
    """The same in Chinese and in English."""

    zh: str
    en: str


class Named(Words):
    """A place, office or category: its id and what it is called."""

    id: str


class Problem(Shape):
    """An error as RFC 9457 (application/problem+json), with words for a person and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    text: Words
    remedy: Words
    errors: list[dict[str, Any]] = []


# signing in ------------------------------------------------------------------------------------------------------


class SignIn(Sent):
    """Name and password, or a one-time token."""

    name: Annotated[str, Field(max_length=200)] | None = None
    password: Annotated[str, Field(max_length=1024)] | None = None
    token: Annotated[str, Field(max_length=200)] | None = None


class PrincipalInfo(Shape):
    """Who is signed in, by account and post; what they may do."""

    name: str
    role: Role
    role_text: Words
    office: Named | None
    post: str
    area: Named
    may: list[str]


class SiteInfo(Shape):
    """The installation. `speed`: log seconds per wall second. `now`: log time."""

    name: Words
    kind: Literal["live", "simulated", "drill"]
    speed: float
    zone: str
    languages: list[str]
    now: str


class Session(Shape):
    """A session: `csrf` goes back in the header `X-CSRF` with every change."""

    principal: PrincipalInfo
    csrf: str
    expires: str
    site: SiteInfo
    caption: Words
    not_for_ranking: Words
    version: str


# the queue -------------------------------------------------------------------------------------------------------


class Counts(Shape):
    """Open warnings of the area by the level they are proposed at; `awaiting`: those that wait for a confirmation."""

    red: int
    orange: int
    yellow: int
    blue: int
    awaiting: int


class RowClock(Shape):
    """The deadline that falls first. `share` of it that is used (above 1: overdue); `due`: when it ends."""

    share: float | None
    due: str
    overdue: bool


class Row(Shape):
    """One warning in a list.

    `number`: of its newest change, send it back as `expected`. `level`: what the office sees; `proposed`: what the
    list is ordered and counted by; `awaiting`: how many persons' confirmation it still needs. `sentence`: the case as
    it stands; `reason`: the first reason. `probability` in 0..1 within `horizon_h` hours, or `recurrence_days` for a
    surge. `at`: of the newest change, `since`: of the first. `linked`: other open warnings of the same place and kind.
    """

    id: str
    number: int
    level: LevelName | None
    proposed: LevelName | None
    confirmed: LevelName | None
    awaiting: int
    state: WarningState
    kind: str
    target: str | None
    subject: str
    sentence: Words
    reason: Words
    office: Named | None
    place: Named | None
    category: Named | None
    probability: float | None
    horizon_h: float | None
    recurrence_days: float | None
    clock: RowClock | None
    since: str
    at: str
    linked: int
    taken_by: str | None
    next_update_by: str | None
    outcome: OutcomeName | None
    past_budget: bool


class QueuePage(Shape):
    """Part of the list. `total`: all that match; `next`: send it back as `after` for more; `cursor`: of the stream."""

    cursor: str
    at: str
    total: int
    counts: Counts
    items: list[Row]
    next: str | None


class Group(Shape):
    """Open warnings of one place and category and kind of subject, with the worst of them."""

    place: Named | None
    category: Named | None
    kind: str
    counts: Counts
    total: int
    worst: Row


class GroupPage(Shape):
    """Groups that match, worst first, 200 at most; `total`: how many there are."""

    cursor: str
    at: str
    total: int
    counts: Counts
    items: list[Group]


# one warning -----------------------------------------------------------------------------------------------------


class ReasonText(Shape):
    """Why. `weight` in logits, `share` the signed part of all that moved this probability; 0 for rules."""

    code: str
    why: str
    zh: str
    en: str
    weight: float
    share: float
    target: str


class CutOff(Shape):
    """The nearest cut-off on the score (probability times consequence, 0..1) and where the score stands."""

    level: LevelName | None
    direction: str
    value: float
    score: float


class ClockText(Shape):
    """One legal deadline, recomputed from the matter's steps. `share` used; `provisional`: calendar not known."""

    id: str
    zh: str
    en: str
    legal_source: str
    started: str | None
    due: str
    share: float | None
    overdue: bool
    paused: bool
    stopped: str | None
    provisional: bool


class Happening(Shape):
    """One line of the timeline: a record (`type` begins with `record.`) or a change of the warning (`change.`)."""

    at: str
    type: str
    text: Words
    by: str | None
    role: str | None
    office: Named | None
    number: int | None
    level: LevelName | None
    proposed: LevelName | None
    remark: str | None


class Scored(Shape):
    """A probability as it stood at a change."""

    at: str
    probability: float


class Address(Shape):
    """Where in a log an entry lies on which the newest change rests."""

    log: str
    partition: int
    offset: int
    index: int


class Detail(Row):
    """One warning with all that is known of it. `text` is redacted and needs a permission of its own."""

    reasons: list[ReasonText]
    cutoff: CutOff | None
    clocks: list[ClockText]
    timeline: list[Happening]
    scores: list[Scored]
    related: list[Row]
    versions: dict[str, str | int]
    evidence: list[Address]
    text: str | None
    advice: list[Words]
    may: list[str]


# commands --------------------------------------------------------------------------------------------------------


class Command(Sent):
    """What to do to a warning. `expected`: number of the change last seen; another one since then is `stale`.

    `office`: id, for assign. `next_update_by`: RFC 3339, for acknowledge. `remark`: for note. `reason`: for decline.
    `outcome`: for close.
    """

    command: CommandName
    expected: Annotated[int, Field(ge=0)] | None = None
    office: Annotated[str, Field(max_length=200)] | None = None
    next_update_by: Annotated[str, Field(max_length=40)] | None = None
    remark: Annotated[str, Field(max_length=2000)] | None = None
    reason: Annotated[str, Field(max_length=2000)] | None = None
    outcome: OutcomeName | None = None


class BulkCommand(Command):
    """A command to one of several warnings, under its own idempotency key."""

    id: Annotated[str, Field(min_length=8, max_length=200)]
    warning: Annotated[str, Field(min_length=4, max_length=64)]


class Verdict(Shape):
    """The fold's answer. `ok` false: nothing changed, `reason` says why, `text` in words; `row`: as it stands now."""

    id: str
    warning: str
    ok: bool
    reason: str
    text: Words
    number: int | None
    row: Row | None


class Pending(Shape):
    """The command is in the log but not folded yet: ask `GET /api/v1/commands/{id}`."""

    id: str
    warning: str


# site, sources, dead letters -------------------------------------------------------------------------------------


class PlaceInfo(Named):
    """A node of the place tree. `outline`: GeoJSON geometry, where the site has one."""

    parent: str | None
    level: str
    outline: dict[str, Any] | None = None


class OfficeInfo(Named):
    """A unit with a duty."""

    kind: str
    place: str


class CategoryInfo(Named):
    """A kind of matter."""

    hazard: bool
    default_office: str | None


class Territory(Shape):
    """Places, offices and categories of the signed-in person's area."""

    places: list[PlaceInfo]
    offices: list[OfficeInfo]
    categories: list[CategoryInfo]


class SourceInfo(Words):
    """How a source is doing; counts since the log began."""

    name: str
    state: SourceState
    last_at: str | None
    interval_s: float | None
    accepted: int
    applied: int
    duplicate: int
    late: int
    dead_lettered: int
    dropped_fields: int
    pending: int


class DeadLetterInfo(Shape):
    """A record that could not be taken in. `body` is redacted; it is left out of lists."""

    id: int
    source: str
    position: str
    reason: str
    field: str
    detail: str
    remedy: str
    size: int
    sha256: str
    body: str | None = None


class DeadLetterPage(Shape):
    """Dead letters, newest first; `next`: send it back as `after`. `reasons`: how many of each reason."""

    total: int
    reasons: dict[str, int]
    items: list[DeadLetterInfo]
    next: str | None


class Repaired(Sent):
    """A dead letter's record as it should have been."""

    record: dict[str, Any]


class Mended(Shape):
    """What came of a repaired record; where it was refused again, why and what to do."""

    id: int
    ok: bool
    reason: str
    detail: str
    remedy: str


class Dropped(Sent):
    """Why a dead letter is given up."""

    reason: Annotated[str, Field(min_length=2, max_length=500)]


class Reloaded(Shape):
    """What came of reading the configuration anew; a bad one changes nothing."""

    ok: bool
    version: int | str
    problems: list[str]


class Figure(Shape):
    """One figure of the results board with its definition, window and denominator."""

    id: str
    zh: str
    en: str
    value: float | None
    unit: str
    window: str
    denominator: int | None
    definition: Words
    policy: str | None = None


class Scoreboard(Shape):
    """Results against the ground truth of a simulated site."""

    definitions: Any
    figures: list[dict[str, Any]]
    policies: Any
    since: str
    now: str


class Ready(Shape):
    """Whether work is taken, and if not, why."""

    ready: bool
    reason: str
    now: str
    lag_s: float
