"""Rules of the readings fold from a configuration: whose limits hold for a sensor, and when it counts as silent."""

from math import inf

from config.settings import Settings
from config.territory import Sensor
from pipeline.reading_rules import SECOND, Limits, ReadingRules


def reading_rules(settings: Settings, names: dict[int, str]) -> ReadingRules:
    """Rules of the readings fold for the sensors of these names, by code."""
    silences = [rule.at_least for rule in settings.duty if rule.kind == "silent_sensor"]
    found = {code: limits_of(settings, name) for code, name in names.items()} if settings.sensors else {}
    return ReadingRules(
        limits={code: limits for code, limits in found.items() if limits is not None},
        missing_intervals=min(silences, default=ReadingRules().missing_intervals),
    )


def limits_of(settings: Settings, name: str) -> Limits | None:
    """Limits of a sensor: those of the longest prefix that its name begins with; None without one."""
    fitting = [sensor for sensor in settings.sensors if name.startswith(sensor.prefix)]
    return _limits(max(fitting, key=lambda sensor: len(sensor.prefix))) if fitting else None


def _limits(sensor: Sensor) -> Limits:
    return Limits(
        normal_low=-inf if sensor.normal_low is None else sensor.normal_low,
        normal_high=inf if sensor.normal_high is None else sensor.normal_high,
        alarm_low=-inf if sensor.alarm_low is None else sensor.alarm_low,
        alarm_high=inf if sensor.alarm_high is None else sensor.alarm_high,
        held=sensor.held_seconds * SECOND,
        interval=sensor.interval_seconds * SECOND,
    )
