"""What codes and subjects are called: by the directory of a log, and by the names that settings give to ids."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from alerts.words import ATTRIBUTE
from pipeline.ids import code64
from pipeline.rules import FoldRules

LEVEL_NAMES: Mapping[int, str | None] = {0: None, 1: "blue", 2: "yellow", 3: "orange", 4: "red"}


class Directory(Protocol):
    """Names as a log keeps them."""

    def names(self) -> Mapping[int, str]:
        """Code -> id."""
        ...

    def matter(self, key: bytes) -> tuple[int, str] | None:
        """Partition of a matter and its "source/id"."""
        ...


class Names:
    """Readable names of codes and subjects, from the directory of a log and the names its settings give to ids."""

    def __init__(self, directory: Directory, settings: Mapping[str, Any] | None = None) -> None:
        self._directory = directory
        self._names = directory.names()
        self._called: dict[str, tuple[str, str]] = {}
        self._configured: dict[int, str] = {}
        for part in ("places", "offices", "categories"):
            for item in (settings or {}).get(part, ()):
                # An office of the matrix may never be named by a signal, so that no directory knows it.
                self._configured[code64(item["id"])] = item["id"]
                if item["name_zh"] or item["name_en"]:
                    self._called[item["id"]] = _both(item)
        for item in ((settings or {}).get("attributes") or {}).get("names", ()):
            id = ATTRIBUTE + item["id"]
            self._configured[code64(id)] = id
            self._called[id] = _both(item)

    @property
    def has_languages(self) -> bool:
        """Whether anything is called otherwise than by its id."""
        return bool(self._called)

    def of(self, code: int) -> str:
        """Id of a code; '' for none."""
        if not code:
            return ""
        return self._configured.get(code) or self._names.get(code, "")

    def zh(self, code: int) -> str:
        """Chinese name of a code, else its id."""
        return self._said(code, 0)

    def en(self, code: int) -> str:
        """English name of a code, else its id."""
        return self._said(code, 1)

    def zh_of(self, id: str) -> str:
        """Chinese name of an id, else the id."""
        return self._called_as(id, 0)

    def en_of(self, id: str) -> str:
        """English name of an id, else the id."""
        return self._called_as(id, 1)

    def _said(self, code: int, language: int) -> str:
        return self._called_as(self.of(code), language)

    def _called_as(self, name: str, language: int) -> str:
        # "grid/point": a point within a place that has a name; a bare number is told to be one.
        head, _, point = name.partition("/")
        called = self._called.get(head)
        if called is None:
            return name
        if not point:
            return called[language]
        if point.isdigit():
            return f"{called[1]} point {point}" if language else f"{called[0]}{point}号点位"
        return f"{called[1]} {point}" if language else f"{called[0]}{point}"

    def subject(self, key: bytes) -> str:
        """Readable id of a matter, else the key in hexadecimal."""
        found = self._directory.matter(key)
        return found[1].partition("/")[2] if found else key.hex()

    def subject_of(self, transition: Mapping[str, Any]) -> str:
        """Readable id of what a transition is about; a surge nobody named is called by kind and place."""
        known = self.subject(bytes.fromhex(transition["subject"]))
        if transition["kind"] == "surge" and known == transition["subject"]:
            return f"{self.of(transition['category'])}@{self.of(transition['place']) or 'site'}"
        return known


def _both(item: Mapping[str, Any]) -> tuple[str, str]:
    """Chinese and English name; a name that is not translated stands for both."""
    return item["name_zh"] or item["name_en"] or item["id"], item["name_en"] or item["name_zh"] or item["id"]


def zone_offset(rules: FoldRules) -> Callable[[int], int]:
    """µs to add to a moment for the local one."""

    return rules.calendar.offset_at


def governing(transition: Mapping[str, Any]) -> dict[str, Any] | None:
    """The assessment by which a transition's level stands."""
    every: list[dict[str, Any]] = transition["assessments"]
    return every[transition["governing"]] if every else None


def rfc3339(us: int) -> str:
    """UTC with a fraction only where there is one."""
    moment = datetime.fromtimestamp(us // 1_000_000, UTC)
    fraction = us % 1_000_000
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction:06d}" if fraction else "") + "Z"
