"""Verdicts by idempotency key: a command that comes twice is answered twice and obeyed once."""

from collections.abc import Mapping
from hashlib import blake2b
from json import dumps
from typing import Any

from alerts.command import REMEMBERED_US, Verdict


class Answers:
    """What was answered in the last 30 days."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Any]] = {}
        self._touched: set[str] = set()

    def earlier(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first verdict under this key; `duplicate` where the key was used for another command."""
        kept = self._kept.get(str(payload.get("id") or ""))
        if kept is None:
            return None
        verdict: dict[str, Any] = dict(kept[2])
        if kept[1] == _content(payload):
            return verdict
        return verdict | {"ok": False, "reason": Verdict.DUPLICATE.value, "number": None}

    def answer(self, payload: Mapping[str, Any], now: int, reason: Verdict, number: int | None) -> dict[str, Any]:
        """The verdict, kept under its key where there is one."""
        key = str(payload.get("id") or "")
        verdict = {
            "id": key,
            "warning": str(payload.get("warning") or ""),
            "ok": reason is Verdict.APPLIED,
            "reason": reason.value,
            "number": number,
        }
        if key:
            self._kept[key] = [now, _content(payload), verdict]
            self._touched.add(key)
        return dict(verdict)

    def forget_old(self, now: int) -> None:
        """Forget verdicts of more than 30 days ago."""
        while self._kept:
            key, (at, _, _) = next(iter(self._kept.items()))
            if at + REMEMBERED_US > now:
                return
            del self._kept[key]
            self._touched.add(key)

    def to_state(self) -> list[list[Any]]:
        """Everything, JSON-able; forgets what was touched."""
        self._touched = set(self._kept)
        return self.to_delta()

    def to_delta(self) -> list[list[Any]]:
        """What changed since the last call; None for what was forgotten."""
        delta = [[key, self._kept.get(key)] for key in sorted(self._touched)]
        self._touched = set()
        return delta

    def patch(self, delta: list[list[Any]]) -> None:
        """Apply what `to_state` or `to_delta` returned."""
        for key, kept in delta:
            self._kept.pop(key, None)
            if kept is not None:
                self._kept[key] = kept
        self._kept = dict(sorted(self._kept.items(), key=lambda item: (item[1][0], item[0])))


def _content(payload: Mapping[str, Any]) -> str:
    return blake2b(dumps(payload, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
