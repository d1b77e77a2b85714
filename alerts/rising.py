"""How far a warning may rise, and when it falls: dwell and hold on one side, the budget gates on the other."""

from alerts.gates import Gates
from alerts.level import LevelRules, Standing
from alerts.lifecycle import NOT_ABOVE, Life
from pipeline.state import NEVER


def ready_level(life: Life, standing: Standing, rules: LevelRules, now: int) -> tuple[int, int]:
    """The level whose raise cut-off has been passed for long enough, and when the next one will be.

    Rules state facts, which do not flap: dwell is for scores alone.
    """
    if not rules.dwells_up:
        ready, due = max(standing.up, standing.hard), NEVER
    else:
        first, second, third, fourth = (
            min(since, now) if level <= standing.up else NEVER for level, since in enumerate(life.above_since, 1)
        )
        life.above_since = (first, second, third, fourth) if standing.up else NOT_ABOVE
        ready, due = standing.hard, NEVER
        for level in range(1, standing.up + 1):
            ends = life.above_since[level - 1] + rules.levels[level - 1].dwell_up_us
            if ends <= now:
                ready = max(ready, level)
            elif level > life.proposed and (not life.cap or level <= life.cap):
                due = min(due, ends)
    return (min(ready, life.cap) if life.cap else ready), due


def through_gate(life: Life, standing: Standing, ready: int, gates: Gates, now: int) -> tuple[int, bool]:
    """How far a warning may rise; see `let_through`."""
    stands = (life.proposed, life.reached, standing.free)
    return let_through(gates, life.subject.key, life.duty_office, standing.score, ready, now, stands)


def let_through(
    gates: Gates, key: bytes, office: int, score: int, ready: int, now: int, stands: tuple[int, int, int] = (0, 0, 0)
) -> tuple[int, bool]:
    """The highest level up to `ready` that a gate lets through, else the present one; whether a first refusal left it
    with none.

    `stands`: the present level, the highest of the episode, and the one that rules demand past every budget. A level
    reached before in the episode is free; so is what a rule lets past, which is counted.
    """
    proposed, reached, free = stands
    is_asked = gates.is_worth_asking(key, score, now)
    level = ready
    if ready > proposed and ready > reached and (is_asked or free > proposed):
        gates.wish(office, now)
    while level > proposed and level > reached:
        if level <= free:
            gates.count(office, level, now)
            break
        if is_asked and gates.passes(office, level, key, score, now):
            break
        level -= 1
    level = max(level, proposed)
    is_first = level < ready and is_asked and gates.refuse(key, score)
    return level, is_first and not level


def fall_due(life: Life, keep: int, rules: LevelRules, now: int) -> int:
    """When what the office sees may fall, to `life.fall_to`: after dwell below the clear cut-off and the hold.

    `keep` is the level that the value still speaks for. The fall goes to the highest of these within the dwell, so a
    short dip costs no level that the value came back to.
    """
    visible = life.visible
    if keep >= visible or visible <= life.least:
        life.below_since = NEVER
        return NEVER
    if life.below_since == NEVER:
        life.below_since, life.fall_to = now, keep
    life.fall_to = max(life.fall_to, keep)
    rule = rules.levels[visible - 1]
    return max(life.below_since + rule.dwell_down_us, life.held_since + rule.hold_us)
