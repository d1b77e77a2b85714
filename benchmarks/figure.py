"""One measured figure beside its goal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What `forewarn bench` prints a line for.

    goal : None for a figure that only explains another. peer : what it was compared with in the same run, in `unit`.
    ratio : measured / peer. passed : the goal is met; None without a goal.
    """

    name: str
    measured: float
    unit: str
    goal: float | None = None
    peer: float | None = None
    ratio: float | None = None
    passed: bool | None = None
    higher_is_better: bool = True


def figure(
    name: str,
    measured: float,
    unit: str,
    *,
    goal: float | None = None,
    peer: float | None = None,
    goal_is_ratio: bool = False,
    higher_is_better: bool = True,
) -> Figure:
    """A figure judged by its goal: on `measured`, or on `measured / peer` where the goal is a ratio."""
    ratio = measured / peer if peer else None
    judged = ratio if goal_is_ratio else measured
    passed = None
    if goal is not None and judged is not None:
        passed = judged >= goal if higher_is_better else judged <= goal
    return Figure(name, measured, unit, goal, peer, ratio, passed, higher_is_better)
