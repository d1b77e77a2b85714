"""What the readings fold tells the signals fold: one object per episode that begins, changes or ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.stages.reading import Trouble

WHY = {
    Trouble.ABNORMAL: "abnormal",
    Trouble.SPREAD: "spread",
    Trouble.RATE: "rate",
    Trouble.STUCK: "stuck",
    Trouble.IMPOSSIBLE: "out_of_range",
    Trouble.ALARM: "out_of_range",
    Trouble.MISSING: "missing",
}


@dataclass(slots=True)
class Told:
    """Effects of one frame with what they are sorted by: entry, timers first, time, sensor, trouble."""

    offset: int
    effects: list[tuple[tuple[int, int, int, int, int], dict[str, Any]]] = field(default_factory=list)

    def add(self, place: int, trouble: Trouble, state: str, sensor: int, at: int, since: int, **facts: float) -> None:
        """Tell of a sensor at an entry of the frame; `since` is the offset at which its evidence begins."""
        effect: dict[str, Any] = {"sensor": sensor, "state": state, "why": WHY[trouble], "at": at, **_rounded(facts)}
        if trouble in (Trouble.IMPOSSIBLE, Trouble.ALARM):
            effect["limit"] = trouble.name.lower()
        effect["evidence"] = [since, self.offset]
        timer = 0 if trouble is Trouble.MISSING and state == "begins" else 1
        self.effects.append(((place, timer, at, sensor, trouble), effect))

    def in_order(self) -> list[dict[str, Any]]:
        """The effects in the order of the entries."""
        return [effect for _, effect in sorted(self.effects, key=lambda item: item[0])]


def _rounded(facts: Mapping[str, float]) -> dict[str, float]:
    """Seven figures are enough to read, and few enough to be alike wherever the last bits of a sum differ."""
    return {name: float(f"{value:.7g}") for name, value in facts.items()}
