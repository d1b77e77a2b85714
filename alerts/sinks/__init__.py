"""Sinks: where notifications go. One file and one line of `SINKS` each."""

from collections.abc import Callable, Mapping
from pathlib import Path

from alerts.deliver import Sink
from alerts.sinks.json_lines import JsonLines

SINKS: Mapping[str, Callable[[Path], Sink]] = {
    JsonLines.name: JsonLines,
}
"""Every sink by its name; each is made from the data directory."""
