"""Does the results board of a simulated site tell the truth? The same figures from two files, by other code.

    forewarn warnings --data DIR --all --limit 1000000 --json > warnings.json
    python examples/scoreboard_check.py DIR/city/truth.jsonl warnings.json --now 2026-04-01T03:00:00Z
                                        [--since TIME] [--targets breach,bounced] [--board board.json]

It uses the standard library alone and shares no code with forewarn. With --board (what GET /api/v1/scoreboard gave at
that `now`) it compares figure by figure and exits 1 where one differs.

What is counted:

incident     a matter that failed one of the targets (moment: its first failure); a planted surge (moment: its last
             report); a planted hazard of a sensor (moment: ten minutes after the limit of the device was passed)
forewarning  a warning whose first reason is risk, due_soon, surge, abnormal_reading or out_of_range
in time      raised at or after the beginning (registration, first report, begin of the hazard) and before the moment
proved true  matter: it failed after the warning; surge: one of that category was there, or over for less than a day,
             in a place under the warning's; sensor: raised while a hazard lasted. Else false, once that is known:
             breach and bounced when the office was done, unsatisfied at the call-back, others after 30 days
deadline     the rule warns of each matter that is not done when 75 % of its first clock are over
"""

import argparse
import json
import math
import statistics
import sys
from datetime import datetime, timedelta

LEAST = 10
FOREWARNING = ("risk", "due_soon", "surge", "abnormal_reading", "out_of_range")
FIGURES = ("incidents", "warned", "recall", "lead", "false", "precision", "pending")


def moment(text):
    """RFC 3339 as a time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def failure(matter, targets):
    """When a matter failed first, or None."""
    return min((moment(at) for name, at in matter["failed_at"].items() if name in targets), default=None)


def known(matter, targets):
    """When it is known that a matter failed none of the targets."""
    ends = []
    for name in targets:
        if name in ("breach", "bounced"):
            ends.append(moment(matter["done_at"]))
        elif name == "unsatisfied":
            ends.append(moment(matter["called_back_at"]))
        else:
            ends.append(moment(matter["registered_at"]) + timedelta(days=30))
    return max(ends)


class Check:
    """The figures of one window."""

    def __init__(self, truth, warnings, targets, since, now):
        self.targets, self.since, self.now = targets, since, now
        self.matters = {one["matter"]: one for one in truth if one["kind"] == "matter"}
        self.surges = [one for one in truth if one["kind"] == "surge"]
        self.hazards = [one for one in truth if one["kind"] == "sensor" and one["what"] == "hazard"]
        self.warnings = [one for one in warnings if one["reason"] in FOREWARNING and moment(one["since"]) <= now]

    def inside(self, at):
        return self.since <= at <= self.now

    def about_surge(self, surge, warning):
        place = warning["place"]
        near = place in ("", "root", "city") or any(grid.startswith(place) for grid in surge["places"])
        late = moment(surge["end"]) + timedelta(days=1)
        return (
            warning["kind"] == "surge"
            and warning["category"] == surge["category"]
            and near
            and moment(surge["begin"]) <= moment(warning["since"]) <= late
        )

    def speaks_of(self, warning):
        """The one surge that a warning counts for: the first that fits."""
        return next((number for number, surge in enumerate(self.surges) if self.about_surge(surge, warning)), None)

    def incidents(self):
        """Pairs (moment, moments of the warnings in time)."""
        by_subject = {}
        for warning in self.warnings:
            key = warning["kind"], warning["subject"]
            if warning["kind"] == "surge":
                key = "surge", self.speaks_of(warning)
            by_subject.setdefault(key, []).append(moment(warning["since"]))
        for name, matter in self.matters.items():
            at = failure(matter, self.targets)
            if at is not None and self.inside(at):
                yield at, moment(matter["registered_at"]), by_subject.get(("matter", name), [])
        for number, surge in enumerate(self.surges):
            if self.inside(moment(surge["end"])):
                yield moment(surge["end"]), moment(surge["begin"]), by_subject.get(("surge", number), [])
        for hazard in self.hazards:
            at = moment(hazard["passes_at"]) + timedelta(minutes=10)
            if self.inside(at):
                yield at, moment(hazard["begin"]), by_subject.get(("sensor", hazard["sensor"]), [])

    def came_true(self, warning):
        """True, False, or None while it is not known."""
        since = moment(warning["since"])
        if warning["kind"] == "matter":
            matter = self.matters.get(warning["subject"])
            if matter is None:
                return None
            at = failure(matter, self.targets)
            if at is not None and at > since:
                return True if at <= self.now else None
            return False if known(matter, self.targets) <= self.now else None
        if warning["kind"] == "surge":
            return self.speaks_of(warning) is not None
        own = [one for one in self.hazards if one["sensor"] == warning["subject"]]
        return any(moment(one["begin"]) <= since <= moment(one["end"]) for one in own)

    def forewarn(self):
        leads, count = [], 0
        for at, opens, raised in self.incidents():
            count += 1
            first = min((one for one in raised if one >= opens), default=None)
            if first is not None and first < at:
                leads.append((at - first).total_seconds() / 3600)
        verdicts = [self.came_true(one) for one in self.warnings if moment(one["since"]) >= self.since]
        return self.told(count, leads, verdicts)

    def deadline_only(self):
        count, leads, verdicts = sum(1 for _ in self.incidents()), [], []
        for matter in self.matters.values():
            registered, due = moment(matter["registered_at"]), moment(matter["first_due_at"])
            warns = registered + (due - registered) * 0.75
            if moment(matter["done_at"]) <= warns or warns > self.now:
                continue
            at = failure(matter, self.targets)
            if at is not None and self.inside(at) and warns < at:
                leads.append((at - warns).total_seconds() / 3600)
            if warns < self.since:
                continue
            if at is not None and at > warns:
                verdicts.append(True if at <= self.now else None)
            else:
                verdicts.append(False if known(matter, self.targets) <= self.now else None)
        return self.told(count, leads, verdicts)

    def told(self, incidents, leads, verdicts):
        true, false = verdicts.count(True), verdicts.count(False)
        return {
            "incidents": (incidents, None),
            "warned": shown(len(leads), incidents),
            "recall": share(len(leads), incidents),
            "lead": shown(round(statistics.median(leads), 2) if leads else 0.0, len(leads)),
            "false": shown(false, true + false),
            "precision": share(true, true + false),
            "pending": (verdicts.count(None), None),
        }

    def claims(self):
        registered = [one for one in self.matters.values() if self.inside(moment(one["registered_at"]))]
        called = [one for one in self.matters.values() if self.inside(moment(one["called_back_at"]))]
        return {
            "claimed": share(sum(moment(one["done_at"]) <= self.now for one in registered), len(registered)),
            "verified": share(sum(not one["outcomes"]["unsatisfied"] for one in called), len(called)),
        }


def shown(value, cases):
    """A value with its cases; None where these are too few."""
    return (None if cases < LEAST else value, cases)


def share(hits, cases):
    """A share with its cases; None where these are too few."""
    return (None if cases < LEAST else round(hits / cases, 4), cases)


def interval(part, cases):
    """Wilson's, 95 %."""
    z = 1.959964
    centre = part + z * z / (2 * cases)
    spread = z * math.sqrt(part * (1 - part) / cases + z * z / (4 * cases * cases))
    return [(centre - spread) / (1 + z * z / cases), (centre + spread) / (1 + z * z / cases)]


def main(arguments):
    """Print every figure; 1 where one differs from the board's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth")
    parser.add_argument("warnings")
    parser.add_argument("--now", required=True)
    parser.add_argument("--since", default="1970-01-01T00:00:00Z")
    parser.add_argument("--targets", default="breach,bounced")
    parser.add_argument("--board")
    asked = parser.parse_args(arguments)
    with open(asked.truth, encoding="utf-8") as file:
        truth = [json.loads(line) for line in file]
    with open(asked.warnings, encoding="utf-8") as file:
        warnings = json.load(file)
    check = Check(truth, warnings, asked.targets.split(","), moment(asked.since), moment(asked.now))
    own = {("forewarn", name): pair for name, pair in check.forewarn().items()}
    own |= {("deadline_only", name): pair for name, pair in check.deadline_only().items()}
    own |= {(None, name): pair for name, pair in check.claims().items()}
    differs = 0
    board = {}
    if asked.board:
        with open(asked.board, encoding="utf-8") as file:
            board = {(one["policy"], one["id"]): one for one in json.load(file)["figures"]}
    for key, (value, cases) in own.items():
        line = f"{key[0] or '-':14} {key[1]:10} {value if value is not None else f'fewer than {LEAST}':>14} of {cases}"
        if board:
            theirs = board[key]
            same = theirs["value"] == value and theirs["denominator"] == cases
            if same and theirs.get("interval") and value is not None:
                near = zip(theirs["interval"], interval(value, cases), strict=True)
                same = all(abs(one - other) < 0.001 for one, other in near)
            differs += not same
            line += "   same" if same else f"   DIFFERS: the board says {theirs['value']} of {theirs['denominator']}"
        sys.stdout.write(line + "\n")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
