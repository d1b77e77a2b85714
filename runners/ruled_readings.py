"""The readings fold of one partition as its own log rules it: by config entries, and by the names of its sensors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from pipeline.effects import Effects
from pipeline.frame import Frame, Kind
from pipeline.reading_rules import ReadingRules
from pipeline.readings import ReadingsFold

Columns = dict[str, Any]
"""Arrays `sensor, at, value, score` of the readings that a frame applied."""
Rules = Callable[[dict[str, Any], dict[int, str]], ReadingRules]
"""Rules of the readings fold from the settings of a config entry, for the sensors of these names by code."""


class RuledReadings:
    """A readings fold and where its rules come from.

    With `rules_of`, config entries rule from their place on, and a sensor's limits come with its first reading, so the
    same log gives the same fold whenever it is read; without it the rules are those given. `named` is asked for the
    name of a sensor that comes for the first time and that nobody has told; '' for none.
    """

    def __init__(
        self, rules: ReadingRules, rules_of: Rules | None = None, named: Callable[[int], str] | None = None
    ) -> None:
        self.fold = ReadingsFold(rules)
        self.names: dict[int, str] = {}
        """Names of the sensors that were heard of, by code; needed with `rules_of` alone."""
        self.settings: dict[str, Any] = {}
        self._rules, self._rules_of, self._named = rules, rules_of, named
        self._ruled = 0

    def step(self, frame: Frame, *, with_scores: bool = False) -> tuple[Effects, list[Columns]]:
        """What one frame yields, and the scores of its readings where they are asked for."""
        if self._rules_of is not None:
            self._obey(frame)
        effects = self.fold.step(frame, with_scores=with_scores)
        # Scores are for a file that is written on the way; the store would only keep a copy of it.
        columns, effects.series = effects.series, []
        return effects, columns

    def digest(self) -> dict[str, str]:
        """The chained digest of what the fold said."""
        return {"readings": self.fold.digest.value.hex()}

    def follow(self, settings: dict[str, Any]) -> None:
        """Take the settings of a config entry."""
        self.settings = settings
        self._rule()

    def state(self, delta: bool) -> tuple[dict[str, Any], Mapping[str, NDArray[Any]]]:
        """Head and arrays of a checkpoint: all, or what was touched since the last one."""
        head, arrays = self.fold.delta() if delta else self.fold.base()
        return {"fold": head, "now": self.fold.now, "settings": self.settings}, arrays

    def restore(self, steps: Sequence[tuple[bool, dict[str, Any], Mapping[str, NDArray[Any]]]]) -> None:
        """Become what a base and the deltas after it describe."""
        (_, head, arrays), *deltas = steps
        self.follow(head["settings"])
        self.fold.restore((head["fold"], arrays), *((later["fold"], columns) for _, later, columns in deltas))
        last = steps[-1][1]
        self.fold.now = max(self.fold.now, last["now"])
        self.follow(last["settings"])

    def _obey(self, frame: Frame) -> None:
        """Follow a config entry from here on, and give sensors that are heard of first here their limits."""
        if self._named is not None and len(frame.readings):
            for code in self.fold.sensors.strangers(frame.readings["sensor"]):
                if code not in self.names:
                    self.names[code] = self._named(code)
        if Kind.CONFIG in frame.kinds:
            self.follow(frame.others[0]["settings"])
        elif len(self.names) != self._ruled:
            self._rule()

    def _rule(self) -> None:
        if self._rules_of is not None:
            self._ruled = len(self.names)
            rules = self._rules_of(self.settings, self.names)
            if rules != self._rules:
                self._rules = rules
                self.fold.obey(rules)
