"""Warnings in English: plain words, facts about duty, no verdicts."""

import re
from datetime import datetime

from alerts.words import Words

_MINUTE = 60_000_000


def _moment(at: datetime, now: datetime) -> str:
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at.day} {_MONTHS[at.month - 1]}{year} {at:%H:%M}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _span(us: int) -> str:
    minutes = max(0, us) // _MINUTE
    if minutes >= 2 * 1440:
        return f"{minutes // 1440} days"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 6 else f"{hours} h"


def _percent(bp: int) -> str:
    if bp < 100:
        return "under 1 %"
    return "over 99 %" if bp > 9900 else f"{(bp + 50) // 100} %"


_ONE = re.compile(
    r"(?<![\d.,])1 ((?:recorded |linked |new |such |working )?(?:time|report|matter|step|cue|element|reading|day))s\b"
)


def _finished(text: str) -> str:
    """One of a thing is no plural."""
    return _ONE.sub(lambda found: "once" if found[1] == "time" else f"1 {found[1]}", text)


EN = Words(
    levels=("no level", "blue", "yellow", "orange", "red"),
    facts={
        "risk": "{what}{where}: {clock}; probability that it will {outcome}{horizon} is {chance}{because}",
        "overdue": "{what}{where}: was due {due}, is {late} overdue and not closed",
        "listed_overdue": "{what}{where}: listed for supervision, was due {due}, is {late} overdue and not closed",
        "due_soon": "{what}{where}: {left} left to {due}, {share} of the time used; it may be late",
        "idle": "{what}{where}: no action recorded for {days} days, since {since}{deadline}",
        "handed_over": "{what}{where}: passed on {handovers} times and returned {returns} times since {registered}",
        "returned": "{what}{where}: returned {returns} times and passed on {handovers} times since {registered}",
        "handed_over_only": "{what}{where}: passed on {handovers} times since {registered}",
        "returned_only": "{what}{where}: returned {returns} times since {registered}",
        "vague_reply": "{what}{where}: elements are missing in the reply, so it cannot be verified "
        "(automatic comparison, please check)",
        "repeated": "{what}{where}: the same problem was reported at the same place again, it may have to be reopened",
        "reopened": "{what}{where}: reported done, then reopened",
        "emergency": "{what}{where}: the report may concern danger to life (found automatically, please check)",
        "hazard": "{what}{where}: a hazard was reported, the situation on site is not verified",
        "surge": "{what}{where}: {count} reports in {window}, about {times} times normal; cause not verified",
        "abnormal_reading": "Sensor{where}: abnormal reading (now {value}, normally about {expected}); not verified",
        "out_of_range": "Sensor{where}: reading beyond its limit (now {value}); not verified",
        "stuck": 'Sensor{where}: reading has not moved (always {value}); condition unknown, not "normal"',
        "missing": 'Sensor{where}: no reading for {silent} (normally every {interval}); unknown, not "normal"',
        "silent_source": 'Source {source}: no data for {silent} (normally every {interval}); unknown, not "normal"',
        "rule": "{what}{where}: meets the rule “{rule}”",
        "nothing": "{what}{where}: no reason at present",
    },
    rules={
        "base": "average",
        "feature": "feature of the matter",
        "overdue": "overdue",
        "due_soon": "due soon",
        "idle": "long without progress",
        "handed_over": "passed on several times",
        "returned": "returned several times",
        "vague_reply": "elements missing in the reply",
        "repeated": "same problem reported again",
        "reopened": "reopened",
        "listed_overdue": "listed and overdue",
        "emergency": "possible danger to life",
        "hazard": "hazard",
        "surge": "surge of similar matters",
        "abnormal_reading": "abnormal reading",
        "stuck": "reading does not move",
        "missing": "no reading",
        "out_of_range": "reading beyond its limit",
        "silent_source": "source silent",
        "reading": "abnormal reading",
        "duty": "duty",
    },
    asks={
        "designate": "No responsible office is set; the dispatcher to designate one by {by}.",
        "plan": "{office} to report its plan by {by}.",
        "late": "{office} to report progress, the reason and the next step by {by}.",
        "progress": "{office} to update or explain by {by}.",
        "holder": "{office} to say by {by} who holds it, and the plan.",
        "elements": "{office} to complete the reply by {by}.",
        "at_once": "{office} to attend at once and report within 30 min; if life is in danger call 119.",
        "cause": "{office} to find the cause by {by} and lead.",
        "restore": "{office} to restore or explain by {by}, checking by hand meanwhile.",
    },
    lives={
        "raised": "{fact}. {ask}{awaiting}",
        "confirmed": "Confirmed as {to}: {fact}. {ask}{awaiting}",
        "lapsed": "No update after the acknowledgement: {fact}. {ask}{awaiting}",
        "reopened": "Opened again: {fact}. {ask}{awaiting}",
        "config_changed": "Graded anew after a change of configuration, now {to}: {fact}. {ask}{awaiting}",
        "assigned": "Assigned to {office}: {fact}. {ask}{awaiting}",
        "lowered": "{what}{where}: level lowered from {from} to {to}. {office} to go on in time.",
        "withdrawn": "{what}{where}: the proposal of a higher level no longer holds, now {to}.",
        "declined": "{what}{where}: not confirmed, now {to}; reason: {reason}.",
        "acknowledged": "{what}{where}: acknowledged by {office}, next update by {next_update}.",
        "noted": "{what}{where}: note added: {remark}.",
        "undone": "{what}{where}: last action undone, office is {office}.",
        "closed": "{what}{where}: closed, outcome: {outcome}.",
        "ended": "{what}{where}: nothing is left to warn of, ended by itself.",
    },
    outcomes={
        "confirmed": "confirmed",
        "valuable": "valuable",
        "false_alarm": "did not happen",
        "late_but_true": "true, but warned late",
        "already_known": "already known to the office",
        "": "not given",
    },
    targets={
        "late": "be late",
        "handed_over": "be passed on several times",
        "returned": "be returned several times",
        "reopened": "be reopened",
        "repeated": "be reported again at the same place",
        "unsatisfied": "be unsolved at call-back",
        "called_out": "need an emergency call-out",
        "other": "end as “{target}”",
    },
    features={
        "base": "the average of such matters",
        "category": "how matters of the kind “{value}” went before",
        "place": "how matters at “{value}” went before",
        "office": "how such matters went at “{value}” before",
        "channel": "the channel it came by",
        "hour": "looked at in hour {value} of the day",
        "weekday": "looked at on a {value}",
        "allowed_h": "time allowed: {value}",
        "share": "{value} of the time used",
        "age_h": "{value} since registration",
        "idle_h": "{value} since the last recorded action",
        "handovers": "passed on {value} times",
        "returns": "returned {value} times (upheld objections not counted)",
        "reopens": "reopened {value} times",
        "steps": "{value} recorded steps",
        "reports": "{value} linked reports",
        "cues": "{value} cues in the text",
        "spot_idle_h": "{value} since the last such matter at the same place",
        "spot_30d": "about {value} such matters at the same place in 30 days",
        "spot_365d": "about {value} such matters at the same place in a year",
        "place_30d": "about {value} matters at this place in 30 days",
        "category_7d": "about {value} such matters in 7 days",
        "office_open": "{value} matters open at the office",
        "office_7d": "about {value} new matters at the office in 7 days",
        "attribute": "“{attribute}” is {value}",
        "attribute_plain": "the value of “{attribute}”",
        "missing": "no “{attribute}” recorded",
    },
    absent={
        "hour": "hour of the look not known",
        "weekday": "day of the look not known",
        "allowed_h": "no time allowed is set",
        "share": "no time allowed is set, so no share of it is used",
        "age_h": "time of registration not known",
        "idle_h": "no time of an action recorded",
        "handovers": "number of hand-offs not known",
        "returns": "number of returns not known",
        "reopens": "number of reopenings not known",
        "steps": "number of steps not known",
        "reports": "number of linked reports not known",
        "cues": "number of cues in the text not known",
        "spot_idle_h": "no such matter at the same place before",
        "spot_30d": "no count yet of such matters at the same place in 30 days",
        "spot_365d": "no count yet of such matters at the same place in a year",
        "place_30d": "no count yet of matters at this place in 30 days",
        "category_7d": "no count yet of such matters in 7 days",
        "office_open": "no count yet of matters open at the office",
        "office_7d": "no count yet of new matters at the office in 7 days",
    },
    parts={
        "place": ", {place}",
        "no_place": " (place not set)",
        "whole_site": ", whole area",
        "no_category": "Matter without a category",
        "no_office": "no responsible office",
        "left": "{left} left to {due}",
        "over": "{late} past its due time {due}",
        "no_clock": "no deadline set, registered {age} ago",
        "horizon": " within {span}",
        "because": ", mainly because of: {reasons}",
        "deadline": ", the time allowed ends {due}",
        "orange": " Orange is proposed, awaiting confirmation.",
        "red_two": " Red is proposed, awaiting two persons.",
        "red_one": " Red is proposed, awaiting the second person.",
        "up": "{reason}: makes it more likely ({share})",
        "down": "{reason}: makes it less likely ({share})",
        "rule": "{fact}",
        "unknown": "not said",
        "caption": "internal level, not a statutory warning",
        "not_for_ranking": "not for appraisal, discipline or ranking",
    },
    moment=_moment,
    span=_span,
    percent=_percent,
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    between=", ",
    finished=_finished,
)
