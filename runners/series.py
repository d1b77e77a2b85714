"""`forewarn backtest` of numbers over time: counts and readings have drivers of their own."""

from typing import TYPE_CHECKING, Any

from config.settings import Settings
from connectors.mapping import Mapping
from pipeline.rules import FoldRules

if TYPE_CHECKING:
    from runners.backtest import Task, Tell


def backtest_series(
    task: "Task", mapping: Mapping, settings: Settings, rules: FoldRules, tell: "Tell | None"
) -> dict[str, Any]:
    """Run a task whose mapping is of shape `counts` or `readings`; returns the run's note."""
    if mapping.model.shape == "counts":
        from runners.series_counts import backtest_counts

        return backtest_counts(task, mapping, settings, rules, tell)
    from runners.series_readings import backtest_readings

    return backtest_readings(task, mapping, settings, rules, tell)
