"""One warning with all that is known of it: reasons, cut-off, clocks, timeline, related ones, evidence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alerts.life_words import CAUSES, STEPS
from alerts.names import LEVEL_NAMES, governing, rfc3339
from alerts.queue import Filters, Scope
from console.api.access import Principal
from console.api.matter_clocks import Stepped, matter_clocks
from console.api.room import Room, View
from pipeline.signal import Step

RELATED = 20
"""Other open warnings of the same place and category that a detail lists."""
_COMMANDS = ("acknowledge", "confirm", "decline", "assign", "note", "close", "reopen", "undo")


def detail(room: Room, scope: Scope, principal: Principal, warning: str) -> dict[str, Any] | None:
    """The detail as it is sent, without text; None for a warning that is not there or outside the scope."""
    row = room.queue.row(scope, warning)
    if row is None:
        return None
    changes = room.queue.history(scope, warning)
    newest, view = changes[-1], room.view
    entries = room.entries(scope, warning, row["number"]) if newest["kind"] == "matter" else []
    steps = [Stepped(each["_at"], Step[each["step"].upper()]) for each in entries if each.get("step")]
    begun = newest["registered"] or (min(each.at for each in steps) if steps else row["since"])
    return room.rows(scope, [row], {(warning, newest["number"]): newest})[0] | {
        "reasons": view.rows.reasons(newest),
        "cutoff": _cutoff(newest),
        "clocks": matter_clocks(
            steps, newest["category"], newest["due"], begun, view.settings, view.rules, room.site.now()
        )
        if newest["kind"] == "matter"
        else [],
        "timeline": [*_timeline(view, changes, entries)],
        "scores": _scores(changes),
        "related": _related(room, scope, row),
        "versions": newest["versions"],
        "evidence": _evidence(row, newest),
        "text": None,
        "advice": [],
        "may": [name for name in _COMMANDS if principal.may(f"warning:{name}")],  # type: ignore[arg-type]
    }


def text_of(room: Room, scope: Scope, warning: str) -> str | None:
    """The redacted texts of the entries a warning rests on, while they are kept; None outside the scope."""
    row = room.queue.row(scope, warning)
    if row is None or row["kind"] != "matter":
        return None
    evidence = room.queue.newest(scope, [(warning, row["number"])])[warning]["evidence"]
    found = [room.directory.text(row["partition"], offset, index) for offset, index in evidence]
    return "\n\n".join(dict.fromkeys(text for text in found if text)) or None


def _cutoff(transition: Mapping[str, Any]) -> dict[str, Any] | None:
    cutoff = transition["cutoff"]
    if not cutoff["level"]:
        return None
    return {
        "level": LEVEL_NAMES[cutoff["level"]],
        "direction": cutoff["direction"],
        "value": cutoff["value"] / 10_000,
        "score": transition["score"] / 10_000,
    }


def _timeline(
    view: View, changes: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Records and changes in order of time; at one moment the record that caused a change comes first."""
    lines = [(each["_at"], 0, n, _record(view, each)) for n, each in enumerate(entries) if each.get("step")]
    lines += [(each["at"], 1, each["number"], _change(view, each)) for each in changes]
    for *_, line in sorted(lines, key=lambda line: line[:3]):
        yield line


def _record(view: View, entry: Mapping[str, Any]) -> dict[str, Any]:
    zh, en = STEPS.get(entry["step"], (entry["step"], entry["step"]))
    return {
        "at": rfc3339(entry["_at"]),
        "type": f"record.{entry['step']}",
        "text": {"zh": zh, "en": en},
        "by": None,
        "role": None,
        "office": view.named(entry["office"]) if entry["office"] else None,
        "number": None,
        "level": None,
        "proposed": None,
        "remark": None,
    }


def _change(view: View, transition: Mapping[str, Any]) -> dict[str, Any]:
    zh, en = CAUSES[transition["cause"]]
    said = view.rows.sentence(transition)
    return {
        "at": rfc3339(transition["at"]),
        "type": f"change.{transition['cause']}",
        "text": {"zh": f"{zh}：{said['zh']}", "en": f"{en[:1].upper()}{en[1:]}: {said['en']}"},
        "by": transition.get("principal") or None,
        "role": transition.get("role") or None,
        "office": view.rows.named(transition["office"]),
        "number": transition["number"],
        "level": LEVEL_NAMES[transition["to"]],
        "proposed": LEVEL_NAMES[transition["proposed"]],
        "remark": transition.get("remark") or transition.get("reason") or None,
    }


def _scores(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [(each["at"], governing(each)) for each in changes]
    return [
        {"at": rfc3339(at), "probability": ruling["probability"] / 10_000}
        for at, ruling in found
        if ruling and ruling["kind"] == "risk"
    ]


def _related(room: Room, scope: Scope, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not row["place"]:
        return []
    alike = Filters(categories=frozenset({row["category"]}), places=frozenset({row["place"]}))
    page = room.queue.page(scope, alike, "worst", RELATED + 1, None)
    return room.rows(scope, [each for each in page.rows if each["id"] != row["id"]][:RELATED])


def _evidence(row: Mapping[str, Any], transition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Addresses of a matter's entries; what sensors and surges rest on is told by the explanation."""
    if transition["kind"] != "matter":
        return []
    return [
        {"log": row["log"], "partition": row["partition"], "offset": offset, "index": index}
        for offset, index in transition["evidence"]
    ]
