"""Which column is the id, the matter, the step, the time ...: statistics of the content first, names to break ties."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from connectors.column_profile import Profile
from connectors.role_words import (
    ID_NAMES,
    LATE_NAMES,
    NAMES,
    PERSONAL,
    PERSONAL_VALUES,
    SENSOR_NAMES,
    VALUE_NAMES,
    VALUES,
)
from connectors.step_words import step_word
from connectors.story_guess import Story, counts_up, is_fixed, moves, rises, stories
from connectors.time_guess import TimeFound


@dataclass
class Roles:
    """What the columns of a file are, by role. `steps` is set for one row per matter, `step` for one row per step."""

    shape: str = "matters"
    id: tuple[str, ...] = ()
    matter: str = ""
    sequence: str = ""
    time: TimeFound | None = None
    registered: TimeFound | None = None
    step: Profile | None = None
    first_step: str = ""
    last_step: str = ""
    is_repeating: bool = False
    steps: list[tuple[str, TimeFound]] = field(default_factory=list)
    due: TimeFound | None = None
    names: dict[str, str] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)
    sensor: str = ""
    value: str = ""
    personal: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def guess(columns: Sequence[Profile], times: Sequence[TimeFound]) -> Roles:
    """The roles of the columns of one file."""
    taken = {found.name for found in times}
    roles = Roles(personal=[c.name for c in columns if c.name not in taken and _is_personal(c)])
    rest = [c for c in columns if c.name not in taken and c.name not in roles.personal and c.filled]
    found = stories(rest, times)
    if _readings(roles, rest, times, has_story=bool(found)):
        return roles
    if found:
        _steps(roles, found[0], times, columns)
    else:
        _matters(roles, rest, times)
    _names(roles, [c for c in rest if c.name not in (*roles.id, roles.matter, roles.sequence)])
    return roles


def _steps(roles: Roles, story: Story, times: Sequence[TimeFound], columns: Sequence[Profile]) -> None:
    roles.shape, roles.matter, roles.step = "steps", story.matter.name, story.step
    moving = [found for found in times if moves(found.moments, story.groups)]
    roles.time = max(moving, key=lambda found: (rises(found.moments, story.groups), found.column.fill))
    fixed = [found for found in times if found not in moving and is_fixed(found.moments, story.groups)]
    before = [found for found in fixed if _share_before(found, roles.time) > 0.9]
    roles.registered = max(before, key=lambda found: found.column.fill, default=None)
    roles.due = _due([found for found in fixed if found is not roles.registered], roles.registered)
    keys = [c for c in columns if c.unique == 1.0 and c.fill == 1.0 and c.length <= 40 and c.name != roles.time.name]
    keys = [c for c in keys if c.name not in roles.personal and all(c.name != found.name for found in times)]
    order = [c for c in columns if c.fill > 0.99 and c.integral > 0.99 and counts_up(c, story.groups)]
    roles.sequence = order[0].name if order else ""
    best = max(keys, key=lambda c: c.is_named(ID_NAMES), default=None)
    if best is not None:
        roles.id = (best.name,)
    else:
        roles.id = (story.matter.name, *([roles.sequence] if order else []), story.step.name, roles.time.name)
        roles.unsure.append("no column is a key of the rows, so the id is joined; rows alike in it count as duplicates")
    starts = [story.step.cells[group[0]] for group in story.groups]
    roles.first_step = max(set(starts), key=starts.count)
    last, share = Counter(story.step.cells[group[-1]] for group in story.groups).most_common(1)[0]
    roles.last_step = last if share > 0.5 * len(story.groups) else ""
    roles.is_repeating = any(
        story.step.cells[a] == story.step.cells[b] for group in story.groups for a, b in pairwise(group)
    )


def _matters(roles: Roles, rest: Sequence[Profile], times: Sequence[TimeFound]) -> None:
    keys = [
        c for c in rest if c.unique > 0.98 and c.fill > 0.98 and c.length <= 40 and not (c.numeric - c.integral > 0.3)
    ]
    best = max(keys, key=_key_score, default=None)
    if best is None:
        roles.unsure.append("no column is a key of the rows")
    else:
        roles.id, roles.matter = (best.name,), best.name
    if not times:
        roles.unsure.append("no column could be read as a time")
        return
    full = [found for found in times if found.column.fill > 0.98] or list(times)
    first = min(full, key=lambda found: (sum(_share_before(other, found) for other in times if other is not found),))
    later = [found for found in times if found is not first]
    roles.due = _due(later, first)
    roles.steps = [("registered", first)]
    later = sorted((f for f in later if f is not roles.due), key=lambda found: _mean_lead(first, found))
    for number, found in enumerate(later):
        step = step_word(found.name)
        word = step.name.lower() if step else "closed" if number == len(later) - 1 else "updated"
        if word == "registered" or word in [name for name, _ in roles.steps]:
            word = "updated"
        roles.steps.append((word, found))
    roles.time = first


def _key_score(column: Profile) -> float:
    """High for a short unique word; a number that only counts the rows names the row of a file, not the matter."""
    counts = column.integral == 1.0 and list(map(float, column.filled[:50])) == [
        1.0 + n for n in range(len(column.filled[:50]))
    ]
    named = 2 * column.is_named(ID_NAMES) + (column.unique == 1.0) + 2 * (column.length <= 24) + column.integral
    return named - 4 * counts - column.share(r".*\s") - column.share(VALUES["place"])


def _readings(roles: Roles, rest: Sequence[Profile], times: Sequence[TimeFound], *, has_story: bool) -> bool:
    """Whether the file is a series of numbers: one time, a number that is no key, and nothing that is a step."""
    numbers = [c for c in rest if c.numeric > 0.98 and c.distinct > 10 and not (c.integral == 1.0 and c.unique == 1.0)]
    if has_story or len(times) != 1 or len(rest) > 4 or not numbers or any(c.length > 40 for c in rest):
        return False
    value = max(numbers, key=lambda c: (c.is_named(VALUE_NAMES), c.distinct))
    sensors = [c for c in rest if c is not value and c.unique < 0.5 and c.fill > 0.98 and c.distinct > 1]
    roles.shape, roles.time, roles.value = "readings", times[0], value.name
    roles.sensor = max(sensors, key=lambda c: (c.is_named(SENSOR_NAMES), c.distinct)).name if sensors else ""
    return True


def _names(roles: Roles, rest: Sequence[Profile]) -> None:
    """Category, channel, office, place and text, the surest first; each column once."""
    free = [column for column in rest if roles.step is None or column.name != roles.step.name]
    scored = sorted(
        ((_name_score(role, column), role, column.name) for role in ("text", *VALUES, "category") for column in free),
        reverse=True,
    )
    for score, role, name in scored:
        if score >= 1.0 and role not in roles.names and name not in roles.names.values():
            roles.names[role] = name
    free = [column for column in free if not column.is_named(LATE_NAMES)]
    if "category" not in roles.names:
        words = [
            c for c in free if c.name not in roles.names.values() and 2 <= c.distinct <= 60 and c.share(r"\D*$") > 0.9
        ]
        roles.names |= {"category": words[0].name} if words else {}
    left = [c for c in free if c.name not in roles.names.values() and 2 <= c.distinct <= 300 and c.length <= 30]
    roles.codes = [c.name for c in left if c.unique < 0.5 and not (c.numeric > 0.9 and c.integral < 0.9)][:12]


def _name_score(role: str, column: Profile) -> float:
    named = 1.0 * column.is_named(NAMES[role])
    if role == "text":
        is_prose = column.length > 12 and column.unique > 0.3
        return (
            named * (column.unique > 0.2) + 0.9 * is_prose - 3 * (column.length < 5) - (column.share(r".*\d+号$") > 0.3)
        )
    fits = column.share(VALUES[role]) if role in VALUES else 0.0
    if column.length > 60 or column.distinct < 2 or (column.unique > 0.95 and role != "place"):
        return 0.0
    few = {"category": 200, "channel": 30, "office": 300, "place": 10**9}[role]
    return (named + fits + 0.1) * (column.distinct <= few)


def _due(later: Sequence[TimeFound], registered: TimeFound | None) -> TimeFound | None:
    """A deadline is set by rule: named so, or a few round distances from registration make up nearly all of it."""
    named = [found for found in later if found.column.is_named(NAMES["due"])]
    if named or registered is None:
        return named[0] if named else None
    # A matter that is still open has a deadline too; what is empty there is a step.
    full = [found for found in later if found.column.fill > 0.98 and step_word(found.name) is None]
    regular = [found for found in full if _regular(registered, found) > 0.8]
    return regular[0] if regular else None


def _regular(start: TimeFound, end: TimeFound) -> float:
    leads = [b - a for a, b in zip(start.moments, end.moments, strict=True) if a is not None and b is not None]
    return 1 - len(set(leads)) / len(leads) if len(leads) >= 20 else 0.0


def _is_personal(column: Profile) -> bool:
    if column.is_named(ID_NAMES) and column.share(PERSONAL_VALUES) < 0.5 and not column.is_named("身份证 工号"):
        return False
    return (
        column.share(PERSONAL_VALUES) > 0.5 or column.is_named(PERSONAL) or column.name.lower() in ("name", "contact")
    )


def _share_before(first: TimeFound, second: TimeFound) -> float:
    pairs = [(a, b) for a, b in zip(first.moments, second.moments, strict=True) if a is not None and b is not None]
    return sum(a <= b for a, b in pairs) / len(pairs) if pairs else 0.0


def _mean_lead(first: TimeFound, second: TimeFound) -> float:
    leads = [b - a for a, b in zip(first.moments, second.moments, strict=True) if a is not None and b is not None]
    return sum(leads) / len(leads) if leads else float("inf")
