"""Notifications as lines of JSON in `notifications.jsonl`, each on the disk before it counts as told.

A line whose key stands in the file already is not written again: after a crash between the line and its receipt the
delivery is repeated, and the reader still sees it once.
"""

import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from alerts.deliver import Receipt

FILE = "notifications.jsonl"
_KEYS = 10_000
_TAIL = 8 << 20
"""Bytes at the end of the file in which a key is looked for at the start."""


class JsonLines:
    """Appends to one file of a data directory."""

    name = "json_lines"

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._keys: OrderedDict[str, None] | None = None

    def deliver(self, key: str, body: Mapping[str, Any]) -> Receipt:
        """Write one line and have it on the disk."""
        try:
            if self._keys is None:
                self._keys = self._written()
            if key in self._keys:
                return Receipt(True, "was there already")
            with self._path.open("ab") as file:
                end = file.tell()
                try:
                    file.write(orjson.dumps({"key": key, **body}) + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    # Half a line would be joined by the next one.
                    os.truncate(self._path, end)
                    raise
        except OSError as error:
            return Receipt(False, error.strerror or type(error).__name__)
        self._keys[key] = None
        if len(self._keys) > _KEYS:
            self._keys.popitem(last=False)
        return Receipt(True)

    def _written(self) -> OrderedDict[str, None]:
        """Keys of the last lines; half a line that a crash left is cut off."""
        keys: OrderedDict[str, None] = OrderedDict()
        if not self._path.is_file():
            return keys
        with self._path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
            whole = tail.rfind(b"\n") + 1
            file.truncate(size - len(tail) + whole)
        for line in tail[:whole].splitlines()[-_KEYS:]:
            try:
                keys[orjson.loads(line)["key"]] = None
            except (ValueError, KeyError, TypeError):
                continue
        return keys
