"""The readings fold: frames of readings in, `assessment` entries for the signals log out.

Every reading gets the cheap tier's scores. What begins, changes or ends to be wrong with a sensor leaves through
`to_signals` under a number of its own. A sensor's last `at` recognises what comes again or late. A sensor that falls
silent is noticed by the first entry at or after its due time, before that entry; whatever entry that is, the effect
carries the due time, so ticks and other sensors change nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scan import Floats, Ints, Series
from models.sensor import Scores, score
from pipeline.effects import Digest, Effects
from pipeline.errors import Reason
from pipeline.frame import Frame
from pipeline.reading_effects import Told
from pipeline.reading_rules import LimitTable, ReadingRules
from pipeline.sensor_rows import SensorRows, copied
from pipeline.stages.reading import Marks, Trouble, Turn, mark, press, turns

INTERVALS = 8
"""Intervals seen before a silence can be told from a habit."""
MISSING = 1 << Trouble.MISSING


@dataclass(slots=True)
class _Heard:
    """The readings of one frame that count, sorted by sensor, with the rows before and after them."""

    order: Ints
    series: Series
    rows: NDArray[Any]
    after: NDArray[Any]
    at: Ints
    value: Floats
    now: Ints
    scores: Scores


class ReadingsFold:
    """State and step of one partition's readings."""

    def __init__(self, rules: ReadingRules | None = None) -> None:
        self.sensors = SensorRows()
        self.seq = 0
        self.now = 0
        self.digest = Digest()
        self.obey(rules or ReadingRules())

    def obey(self, rules: ReadingRules) -> None:
        """Follow these rules from the next frame on."""
        self.rules = rules
        self.limits = LimitTable(rules)
        self.sensors.known["limits"] = self.limits.row_of(self.sensors.known["code"])

    @property
    def next_due(self) -> int:
        """No sensor is missing before this time (µs); NEVER when none is awaited."""
        return self.sensors.earliest

    def step(self, frame: Frame, *, with_scores: bool = False) -> Effects:
        """Fold one frame; an entry that is no reading only tells the time.

        With `with_scores`, `effects.series` holds one dict of arrays, in the order of the frame: `sensor, at, value,
        score` (spread) of the readings applied. In the quiet period after an alarm a score is pressed below the
        cut-off, so that one threshold on the column gives the alarms.
        """
        effects = Effects()
        if not len(frame):
            return effects
        frame = frame.in_time(self.now)
        self.now = int(frame.now[-1])
        told = Told(frame.offset)
        if len(frame) > len(frame.readings):
            effects.counts["entries"] += len(frame) - len(frame.readings)
        heard = self._hear(frame, effects) if len(frame.readings) else None
        if heard is not None:
            self._end_silence(frame, heard, told)
            marks = mark(
                self.rules, self.limits, heard.series, heard.rows, heard.after, heard.at, heard.value, heard.scores
            )
            changes = turns(self.rules, heard.series, heard.after, marks)
            for turn in changes:
                self._tell(frame, heard, marks, turn, told)
            self._keep(frame, heard)
            effects.counts["applied"] += len(heard.order)
            if with_scores:
                effects.series.append(self._columns(frame, heard, changes))
        self._begin_silence(frame, told)
        for effect in told.in_order():
            self.seq += 1
            canonical = {key: value for key, value in effect.items() if key != "evidence"}
            self.digest.add(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode())
            effects.to_signals.append({"seq": self.seq, **effect})
        return effects

    def _hear(self, frame: Frame, effects: Effects) -> _Heard | None:
        readings = frame.readings
        slots, added = self.sensors.slots(readings["sensor"])
        if len(added):
            self.sensors.rows["limits"][added] = self.limits.row_of(self.sensors.rows["code"][added])
        order = np.argsort(slots, kind="stable")
        series = Series(slots[order])
        rows = self.sensors.take(series.slots)
        at = readings["at"][order]
        earlier = series.before(at, rows["at"])
        if not (at > earlier).all():
            top = series.before(series.running_max(at, rows["at"]), rows["at"])
            effects.counts[Reason.DUPLICATE] += int((at == top).sum())
            effects.counts[Reason.LATE] += int((at < top).sum())
            order = order[at > top]
            if not len(order):
                return None
            series = Series(slots[order])
            rows = self.sensors.take(series.slots)
            at = readings["at"][order]
            earlier = series.before(at, rows["at"])
        value = np.ascontiguousarray(readings["value"][order])
        scores, moved = score(self.rules.tier, series, rows, value, (at - earlier).astype(np.float64))
        after = copied(rows)
        for name, column in moved.items():
            after[name] = column
        return _Heard(order, series, rows, after, at, value, frame.now[order], scores)

    def _keep(self, frame: Frame, heard: _Heard) -> None:
        series, rows, after = heard.series, heard.rows, heard.after
        after["at"], after["seen"] = heard.at[series.last], frame.offset
        interval = self._intervals(after["limits"], after["n"], np.square(after["gap"]))
        due = heard.now[series.last] + np.rint(self.rules.missing_intervals * interval).astype(np.int64)
        after["due"] = np.where(interval > 0, due, 0)
        after["since"] = np.where(rows["open"] == 0, frame.offset, rows["since"])
        self.sensors.put(series.slots, after)

    def _intervals(self, limits: NDArray[Any], n: NDArray[Any], learned: Floats) -> Floats:
        """Usual interval (µs), 0 while nothing is known."""
        configured = self.limits.interval[limits]
        return np.where(configured > 0, configured, np.where(n > INTERVALS, learned, 0.0))

    def _end_silence(self, frame: Frame, heard: _Heard, told: Told) -> None:
        """Silences that were open before this frame, and those that begin and end between two of its readings."""
        series, rows, after = heard.series, heard.rows, heard.after
        interval = self._intervals(rows["limits"][series.of], rows["n"][series.of] + series.rank, heard.scores.interval)
        due = series.before(heard.now, rows["at"]) + np.rint(self.rules.missing_intervals * interval).astype(np.int64)
        due[series.starts] = rows["due"]
        silent = (due > 0) & (heard.now >= due) & (interval > 0)
        was_open = np.zeros(len(due), np.bool_)
        was_open[series.starts] = rows["open"] & MISSING != 0
        ended = np.flatnonzero(silent | was_open)
        if not len(ended):
            return
        elapsed = heard.at - series.before(heard.at, rows["at"])
        earlier = series.before(heard.value, rows["value"])
        for place in ended.tolist():
            one = series.of[place]
            sensor, usual = int(rows["code"][one]), float(interval[place])
            since = int(rows["seen"][one]) if place == series.starts[one] else frame.offset
            if not was_open[place]:
                self._miss(frame, told, sensor, int(due[place]), since, float(earlier[place]), usual)
            facts = {"value": float(heard.value[place]), "expected": usual, "score": float(elapsed[place] / usual)}
            told.add(int(heard.order[place]), Trouble.MISSING, "ends", sensor, int(heard.at[place]), since, **facts)
        after["open"] &= np.uint16(0xFFFF ^ MISSING)

    def _begin_silence(self, frame: Frame, told: Told) -> None:
        """Sensors whose due time has come and that were not heard in this frame after it."""
        gone = self.sensors.due_by(int(frame.now[-1]))
        if not len(gone):
            return
        rows = self.sensors.take(gone)
        interval = self._intervals(rows["limits"], rows["n"], np.square(rows["gap"]))
        for row, usual in zip(rows, interval.tolist(), strict=True):
            self._miss(frame, told, int(row["code"]), int(row["due"]), int(row["seen"]), float(row["value"]), usual)
        rows["since"] = np.where(rows["open"] == 0, rows["seen"], rows["since"])
        rows["open"] |= np.uint16(MISSING)
        rows["due"] = 0
        self.sensors.put(gone, rows)

    def _miss(self, frame: Frame, told: Told, sensor: int, due: int, since: int, value: float, interval: float) -> None:
        facts = {"value": value, "expected": interval, "score": self.rules.missing_intervals}
        place = int(np.searchsorted(frame.now, due))
        told.add(place, Trouble.MISSING, "begins", sensor, due, since, **facts)

    def _tell(self, frame: Frame, heard: _Heard, marks: Marks, turn: Turn, told: Told) -> None:
        place, scores = turn.position, heard.scores
        one = int(heard.series.of[place])
        row = int(heard.after["limits"][one])
        value = float(heard.value[place])
        expected, score = float(scores.expected[place]), float(scores.level[place])
        if turn.trouble is Trouble.SPREAD:
            score = float(scores.spread[place])
        elif turn.trouble is Trouble.RATE:
            score = float(scores.rate[place])
        elif turn.trouble is Trouble.STUCK:
            expected, score = round(float(marks.longest[place])), float(marks.run[place])
        elif turn.trouble is not Trouble.ABNORMAL:
            expected = self.limits.passed(row, value, alarm=turn.trouble is Trouble.ALARM)
            score = abs(value - expected)
        began_here = turn.state == "begins" or heard.rows["open"][one] == 0
        told.add(
            int(heard.order[place]),
            turn.trouble,
            turn.state,
            int(heard.rows["code"][one]),
            int(heard.at[place]),
            frame.offset if began_here else int(heard.rows["since"][one]),
            value=value,
            expected=expected,
            score=score,
        )

    def _columns(self, frame: Frame, heard: _Heard, changes: list[Turn]) -> dict[str, NDArray[Any]]:
        back = np.argsort(heard.order)
        columns = {
            "sensor": frame.readings["sensor"][heard.order],
            "at": heard.at,
            "value": heard.value,
            "score": press(self.rules, heard.scores.spread, changes),
        }
        return {name: column[back] for name, column in columns.items()}

    def base(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole state as head and arrays."""
        head, arrays = self.sensors.base()
        return {**head, **self._head()}, arrays

    def delta(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What changed since the last base or delta."""
        head, arrays = self.sensors.delta()
        return {**head, **self._head()}, arrays

    def restore(
        self,
        base: tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]],
        *deltas: tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]],
    ) -> None:
        """Become the state of a base and the deltas after it, in order."""
        self.sensors.restore(*base)
        for delta in deltas:
            self.sensors.patch(*delta)
        head = (base, *deltas)[-1][0]
        self.sensors.reindex(int(head["size"]))
        self.seq, self.digest = int(head["seq"]), Digest(bytes.fromhex(head["digest"]))
        self.now = int(head.get("now", 0))  # a checkpoint of one appender's log did without
        self.obey(self.rules)

    def _head(self) -> dict[str, Any]:
        return {"seq": self.seq, "now": self.now, "digest": self.digest.value.hex()}
