"""What a language must bring to say a warning: texts with slots, and how it writes times, spans and shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

ATTRIBUTE = "attribute:"
"""Before the name of a declared attribute: what it is called is asked by the code of both together."""


@dataclass(frozen=True)
class Words:
    """One language. Its texts have the same keys in every language (a test holds them together).

    Attributes
    ----------
    levels : none, blue, yellow, orange, red.
    facts : what is the case, by reason; `rules` : names of the same reasons.
    asks : who is asked for what. lives : what happened to a warning, by cause. outcomes : of a close.
    targets : an outcome that a matter may have. features : what a feature says, with slot `value`.
    parts : small pieces of sentences. between : joins reasons. weekdays : Monday first.
    finished : last touch to a whole text.
    moment : local time and local now -> text. span : µs -> text. percent : 1/10,000 -> text.
    """

    levels: tuple[str, str, str, str, str]
    facts: Mapping[str, str]
    rules: Mapping[str, str]
    asks: Mapping[str, str]
    lives: Mapping[str, str]
    outcomes: Mapping[str, str]
    targets: Mapping[str, str]
    features: Mapping[str, str]
    absent: Mapping[str, str]
    parts: Mapping[str, str]
    moment: Callable[[datetime, datetime], str]
    span: Callable[[int], str]
    percent: Callable[[int], str]
    weekdays: tuple[str, ...]
    between: str
    finished: Callable[[str], str] = str
