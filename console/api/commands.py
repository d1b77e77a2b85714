"""A person's word about a warning: authorised, redacted, appended, and answered with the fold's verdict."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from anyio import to_thread

from alerts.queue import Scope
from alerts.sentences import ANSWER_US
from connectors.redact import Redactor
from console.api.access import Action, Principal, authorize
from console.api.problems import Refusal
from console.api.room import Room
from console.api.shapes import Command
from console.api.verdict_words import VERDICTS

KEY = re.compile(r"[A-Za-z0-9_.:\-]{8,100}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_HOUR_US = 1_800_000_000
_FARTHEST_US = 90 * 86_400_000_000
_WAIT_S = 2.0
_ACTIONS: dict[str, Action] = {
    "acknowledge": "warning:acknowledge",
    "confirm": "warning:confirm",
    "decline": "warning:decline",
    "assign": "warning:assign",
    "note": "warning:note",
    "close": "warning:close",
    "reopen": "warning:reopen",
    "undo": "warning:undo",
}


class Commands:
    """Takes commands for one site."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._redactor = Redactor()

    async def obey(self, principal: Principal, warning: str, command: Command, key: str) -> tuple[int, dict[str, Any]]:
        """Status and body: 200 or 409 with a verdict, 202 while it is not folded yet. Raises Refusal."""
        if not KEY.fullmatch(key):
            raise Refusal("no_key")
        scope = authorize(principal, _ACTIONS[command.command])
        row = await to_thread.run_sync(self._room.queue.row, scope, warning)
        if row is None:
            raise Refusal("not_found")
        authorize(principal, _ACTIONS[command.command], row["place"])
        payload = await to_thread.run_sync(self._payload, principal, row, command, key)
        verdict = await self._room.site.command(payload, _WAIT_S)
        if verdict is None:
            return 202, {"id": key, "warning": warning}
        return await self.answered(scope, key, verdict)

    async def verdict(self, principal: Principal, key: str) -> tuple[int, dict[str, Any]]:
        """What came of one's own earlier command. Raises Refusal."""
        scope = authorize(principal, "warning:read")
        if not KEY.fullmatch(key):
            raise Refusal("no_key")
        verdict = await to_thread.run_sync(self._room.site.verdict, _own(principal, key))
        if verdict is None:
            return 202, {"id": key, "warning": ""}
        return await self.answered(scope, key, verdict)

    async def answered(self, scope: Scope, key: str, verdict: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The verdict with its words, and the row as it stands now."""
        row = await to_thread.run_sync(self._room.row, scope, verdict["warning"])
        zh, en = VERDICTS[verdict["reason"]]
        body = {
            "id": key,
            "warning": verdict["warning"],
            "ok": verdict["ok"],
            "reason": verdict["reason"],
            "text": {"zh": zh, "en": en},
            "number": verdict["number"],
            "row": row,
        }
        return (409 if verdict["reason"] in ("stale", "duplicate") else 200), body

    def _payload(self, principal: Principal, row: dict[str, Any], command: Command, key: str) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "id": _own(principal, key),
            "warning": row["id"],
            "principal": principal.name,
            "role": principal.role,
            "command": command.command,
        }
        if command.expected is not None:
            payload["expected"] = command.expected
        if command.office is not None:
            office = self._room.office_code(command.office)
            if office is None:
                raise Refusal("unknown_office", f"there is no office {command.office!r}")
            payload["office"] = office
        for name in ("remark", "reason"):
            said = (getattr(command, name) or "").strip()
            if said:
                payload[name] = self._redactor.redact(said)
        if command.outcome is not None:
            payload["outcome"] = command.outcome
        if command.command == "acknowledge":
            payload["next_update_by"] = self._next_update(command.next_update_by, row)
        return payload

    def _next_update(self, text: str | None, row: dict[str, Any]) -> int:
        """The time a person named, else the one by which the office has to answer at this level, on the half hour."""
        if text is not None:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                moment = None
            if moment is None or moment.tzinfo is None:
                raise Refusal("invalid", "next_update_by is RFC 3339 with a zone, like 2026-11-26T12:00:00+08:00")
            said = (moment - _EPOCH) // timedelta(microseconds=1)
            if said > self._room.site.now() + _FARTHEST_US:
                raise Refusal("invalid", "next_update_by is at most 90 days from now")
            return said
        by = max(int(row["at"]) + ANSWER_US[row["proposed"]], self._room.site.now() + _HALF_HOUR_US)
        return -(-by // _HALF_HOUR_US) * _HALF_HOUR_US


def _own(principal: Principal, key: str) -> str:
    """Keys of different people never meet."""
    return f"{principal.name}:{key}"
