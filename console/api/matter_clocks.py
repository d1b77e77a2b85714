"""The legal clocks of a matter, recomputed from its steps, with their sources; for showing, the fold has its own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from alerts.names import rfc3339
from config.clock_rule import Clock
from config.settings import Settings
from pipeline.clocks import ClockRule, due, paused_length, share_used
from pipeline.rules import FoldRules
from pipeline.signal import ENDS, Step


class Stepped(NamedTuple):
    """One step of a matter, µs UTC."""

    at: int
    step: Step


def matter_clocks(
    steps: Sequence[Stepped], category: int, asserted: int, begun: int, settings: Settings, rules: FoldRules, now: int
) -> list[dict[str, Any]]:
    """Clocks of a matter of this category as they are sent, first due first.

    `asserted`: the due time the warning goes by (0: none); one that no rule explains was set by the source. `begun`:
    its registration. Approved extensions travel in no step that is kept here, so a rule's due may be later in truth;
    where it is, the due time the warning goes by stands beside it.
    """
    told = {clock.id: clock for clock in settings.clocks}
    ordered = sorted(steps)
    pack = rules.clocks_of.get(category)
    found = []
    for index in rules.clocks_of.get(0, ()) if pack is None else pack:
        one = _clock(rules.clocks[index], told.get(rules.clocks[index].id), ordered, rules, now)
        # By which channel a matter came is not kept here: such a clock is shown when it is the one that counts.
        if one is not None and (index not in rules.channels_of or one["due"] == rfc3339(asserted)):
            found.append(one)
    if asserted and not any(each["due"] == rfc3339(asserted) for each in found):
        found.append(_asserted(asserted, begun, now))
    return sorted(found, key=lambda each: (each["stopped"] is not None, each["due"]))


def _clock(
    rule: ClockRule, told: Clock | None, steps: Sequence[Stepped], rules: FoldRules, now: int
) -> dict[str, Any] | None:
    start = next((each.at for each in steps if each.step == rule.start), None)
    if start is None:
        return None
    after = [each for each in steps if each.at >= start]
    stopped = next((each.at for each in after if each.step in rule.stops or each.step in ENDS), None)
    paused, since = 0, None
    for each in after:
        if stopped is not None and each.at >= stopped:
            break
        if since is None and each.step in rule.pauses:
            since = each.at
        elif since is not None and each.step == Step.RESUMED:
            paused += paused_length(rule, rules.calendar, since, each.at)
            since = None
    if since is not None:
        paused += paused_length(rule, rules.calendar, since, stopped or now)
    moment, provisional = due(rule, rules.calendar, start, paused=paused)
    at = stopped or now
    share = share_used(rule, rules.calendar, np.array([start]), np.array([moment]), np.array([at]))
    return {
        "id": rule.id,
        "zh": (told.name_zh if told else "") or rule.id,
        "en": (told.name_en if told else "") or rule.id,
        "legal_source": rule.source,
        "started": rfc3339(start),
        "due": rfc3339(moment),
        "share": round(float(share[0]), 4),
        "overdue": at > moment,
        "paused": since is not None and stopped is None,
        "stopped": None if stopped is None else rfc3339(stopped),
        "provisional": provisional,
    }


def _asserted(moment: int, begun: int, now: int) -> dict[str, Any]:
    return {
        "id": "asserted",
        "zh": "来源系统给定时限",
        "en": "Set by the source",
        "legal_source": "",
        "started": rfc3339(begun) if begun else None,
        "due": rfc3339(moment),
        "share": round((now - begun) / (moment - begun), 4) if 0 < begun < moment else None,
        "overdue": now > moment,
        "paused": False,
        "stopped": None,
        "provisional": False,
    }
