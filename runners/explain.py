"""`forewarn explain`: a warning's story from log and store, offline. Nothing is folded again and nothing is changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from alerts.sentences import reasons, sentence
from alerts.store import Store
from pipeline.calendar import WorkCalendar
from pipeline.errors import CorruptData, ForewarnError
from pipeline.frame import Frame, Kind
from pipeline.rules import FoldRules
from pipeline.signal import Step
from runners.explanation import (
    Change,
    CutOffNear,
    EntryState,
    Explanation,
    Known,
    Language,
    ListedEntry,
    Pair,
    Person,
    Weight,
    as_json,
)
from runners.explanation_text import as_text
from runners.log_sqlite import Logs

FRAMES = 64
"""Frames that one explanation reads at most."""
LEAST_PREFIX = 4
"""Characters of an id that are worth looking up."""
_CLOSE = 5
_EVERY = 1 << 31
_LOW = 0xFFFF_FFFF


class UnknownWarning(ForewarnError):
    """No warning or matter has the id `asked`; `close` are those that look like it."""

    def __init__(self, asked: str, close: Sequence[str], why: str = "no warning or matter has this id") -> None:
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        super().__init__(f"{asked!r}: {why}{hint}")
        self.asked, self.close = asked, tuple(close)


class AmbiguousWarning(ForewarnError):
    """Several warnings answer to `asked`; `matches` are their ids."""

    def __init__(self, asked: str, rows: Sequence[Mapping[str, Any]]) -> None:
        lines = [f"  {row['id']}  {row['state']}, last changed {_utc(row['at'])}" for row in rows[:20]]
        more = [f"  and {len(rows) - 20} more"] if len(rows) > 20 else []
        super().__init__("\n".join([f"{asked!r} names {len(rows)} warnings; give one of these ids:", *lines, *more]))
        self.asked, self.matches = asked, tuple(row["id"] for row in rows)


def explain(data: Path, warning: str, *, language: Language = "both") -> Explanation:
    """The story of one warning of a data directory.

    Parameters
    ----------
    warning : its id, a prefix of it (4 characters at least) that no other has, or the id of its matter.

    Raises UnknownWarning, AmbiguousWarning, FileNotFoundError.
    """
    with Logs(data / "log.db", readonly=True) as logs, closing(Store(data / "store.db", readonly=True)) as store:
        row = _find(store, logs, warning.strip())
        return _Story(data, logs, store, row).told(language)


# finding it ------------------------------------------------------------------------------------------------------


def _find(store: Store, logs: Logs, asked: str) -> dict[str, Any]:
    """The row of the one warning that is meant: its id, else its matter's id, else a prefix of its id."""
    rows = store.queue(limit=_EVERY)
    prefix = asked.lower()
    exact = [row for row in rows if row["id"] == prefix]
    if exact:
        return exact[0]
    key = logs.matter_key(asked) if asked else None
    known = logs.matter(key) if key else None
    if key is not None and known is not None and asked in (known[1], known[1].partition("/")[2]):
        found = [row for row in rows if row["subject"] == key.hex()]
        if not found:
            raise UnknownWarning(asked, (), "this matter never reached a level, so there is no warning to explain")
    else:
        found = [row for row in rows if len(prefix) >= LEAST_PREFIX and row["id"].startswith(prefix)]
    if not found:
        raise UnknownWarning(asked, _close(rows, logs, prefix))
    if len(found) > 1:
        raise AmbiguousWarning(asked, sorted(found, key=lambda row: (row["at"], row["id"])))
    return found[0]


def _close(rows: Sequence[Mapping[str, Any]], logs: Logs, asked: str) -> list[str]:
    """Ids of warnings and of their matters that share most characters with what was asked, at the same places."""
    names = [row["id"] for row in rows]
    for row in rows:
        matter = logs.matter(bytes.fromhex(row["subject"])) if row["kind"] == "matter" else None
        if matter:
            names.append(matter[1].partition("/")[2])
    least = max(1, len(asked) - 2) if len(asked) <= LEAST_PREFIX * 2 else len(asked) // 2
    ranked = sorted((-_alike(asked, name.lower()), name) for name in dict.fromkeys(names))
    return [name for alike, name in ranked[:_CLOSE] if -alike >= least]


def _alike(one: str, other: str) -> int:
    """Equal characters, counted from the front or from the back: one wrong, lost or extra character costs little."""
    front = sum(a == b for a, b in zip(one, other, strict=False))
    back = sum(a == b for a, b in zip(reversed(one), reversed(other), strict=False))
    return max(front, back, _shared(one, other) + _shared(one[::-1], other[::-1]))


def _shared(one: str, other: str) -> int:
    for length, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return length
    return min(len(one), len(other))


# telling it ------------------------------------------------------------------------------------------------------


class _Frames:
    """Frames of one partition by key, at most `FRAMES` of them."""

    def __init__(self, logs: Logs, log: str, partition: int) -> None:
        self._logs, self._log, self._partition = logs, log, partition
        self._found: dict[int, Frame | EntryState] = {}

    def __len__(self) -> int:
        """How many were read."""
        return len(self._found)

    def frame(self, offset: int) -> Frame | EntryState:
        """The frame, or why there is none."""
        if offset not in self._found:
            if len(self._found) >= FRAMES:
                return EntryState.NOT_READ
            self._found[offset] = self._read(offset)
        return self._found[offset]

    def _read(self, offset: int) -> Frame | EntryState:
        try:
            body = self._logs.frame(self._log, self._partition, offset)
            return EntryState.PRUNED if body is None else Frame.from_bytes(body, offset)
        except CorruptData:
            return EntryState.DAMAGED

    def configurations(self) -> Iterator[int]:
        """Offsets of the config entries after the first one, from the first bytes of each frame alone."""
        # There is no index of kinds. A config frame is one entry, whose payload begins with the key "rules".
        yield from (
            offset
            for (offset,) in self._logs.db.execute(
                f"SELECT offset FROM {self._log}_{self._partition:d} WHERE offset > 0"
                """ AND instr(substr(body, 1, 600), CAST('"others":[{"rules":' AS BLOB)) > 0 ORDER BY offset"""
            )
        )


class _Story:
    """Gathers one warning's story."""

    def __init__(self, data: Path, logs: Logs, store: Store, row: Mapping[str, Any]) -> None:
        self._data, self._logs, self._row = data, logs, row
        self._changes = [t for t in store.transitions(row["id"]) if t["warning"] == row["id"]]
        self._models = {lesson.id: lesson.result or "" for lesson in store.lessons()}
        self._frames = _Frames(logs, row["log"], row["partition"])
        self._names = logs.names()
        self._configs = self._configurations({int(t["versions"]["config"]) for t in self._changes})
        self._low: dict[int, str] = {}

    def told(self, language: Language) -> Explanation:
        """Everything, in order."""
        first, last = self._changes[0], self._changes[-1]
        local = self._local(last)
        matter = self._logs.matter(bytes.fromhex(last["subject"]))
        source, _, name = matter[1].partition("/") if matter else ("", "", "")
        entries = self._entries(local)
        return Explanation(
            warning=last["warning"],
            kind=last["kind"],
            subject=name or self._names.get(last["subject"], last["subject"]),
            source=source,
            category=self._name(last["category"]),
            place="" if last["place"] == self._rules(last).root else self._name(last["place"]),
            registered=local(first["registered"]),
            due=local(last["due"]),
            language=language,
            entries=entries,
            changes=tuple(self._change(t) for t in self._changes),
            frames_read=len(self._frames),
        )

    def _name(self, code: int) -> str:
        return self._names.get(code, "") if code else ""

    # configurations

    def _configurations(self, versions: set[int]) -> dict[int, tuple[FoldRules, Mapping[str, Any]]]:
        """Rules and settings by version, as the log itself holds them."""
        found: dict[int, tuple[FoldRules, Mapping[str, Any]]] = {}
        for offset in [0]:
            found |= self._configuration(offset)
        if versions - found.keys():
            for offset in self._frames.configurations():
                found |= self._configuration(offset)
        return found

    def _configuration(self, offset: int) -> dict[int, tuple[FoldRules, Mapping[str, Any]]]:
        frame = self._frames.frame(offset)
        if not isinstance(frame, Frame):
            return {}
        return {
            int(payload["version"]): (FoldRules.from_json(payload["rules"]), payload.get("settings", {}))
            for payload in frame.others
            if "rules" in payload
        }

    def _rules(self, transition: Mapping[str, Any]) -> FoldRules:
        """The rules it was made with; where their entry was pruned, none but UTC."""
        found = self._configs.get(int(transition["versions"]["config"]))
        return found[0] if found else FoldRules(calendar=_UTC)

    def _target(self, transition: Mapping[str, Any], index: int) -> tuple[str, Pair]:
        """Name of an outcome, and the words for it that the settings give."""
        if index < 0:
            return "", ("", "")
        rules, settings = self._configs.get(int(transition["versions"]["config"]), (None, {}))
        if rules is None or index >= len(rules.targets):
            return f"outcome {index}", (f"outcome {index}", f"outcome {index}")
        name = rules.targets[index].name
        told: Mapping[str, Any] = next((t for t in settings.get("targets", ()) if t["name"] == name), {})
        return name, (told.get("name_zh") or name, told.get("name_en") or name)

    def _shift(self, transition: Mapping[str, Any]) -> Callable[[int], int]:
        calendar = self._rules(transition).calendar
        return lambda us: int(calendar.offsets[np.searchsorted(calendar.transitions, us, side="right")])

    def _local(self, transition: Mapping[str, Any]) -> Callable[[int], str]:
        shift = self._shift(transition)
        return lambda us: _rfc3339(us, shift(us)) if us else ""

    # entries

    def _entries(self, local: Callable[[int], str]) -> tuple[ListedEntry, ...]:
        """Every entry that a change rests on, in the order in which they arrived."""
        seen: dict[tuple[int, int], int] = {}
        for transition in self._changes:
            for offset, index in transition["evidence"]:
                seen.setdefault((offset, index), transition["at"])
        # If there are more frames than may be read: the registration, then the newest ones.
        offsets = sorted({offset for offset, _ in seen})
        for offset in [*offsets[:1], *reversed(offsets[1:])]:
            self._frames.frame(offset)
        found = [self._entry(offset, index, at, local) for (offset, index), at in seen.items()]
        return tuple(sorted(found, key=lambda entry: (entry.arrived_us, entry.offset, entry.index)))

    def _entry(self, offset: int, index: int, first_used: int, local: Callable[[int], str]) -> ListedEntry:
        address = f"{self._row['log']}-{self._row['partition']}@{offset}:{index}"
        frame = self._frames.frame(offset)
        if not isinstance(frame, Frame) or index >= len(frame):
            state = frame if isinstance(frame, EntryState) else EntryState.DAMAGED
            return ListedEntry(address, offset, index, state, arrived_us=first_used)
        now = int(frame.now[index])
        if frame.kinds[index] != Kind.SIGNAL:
            kind = Kind(int(frame.kinds[index])).name.lower()
            return ListedEntry(address, offset, index, EntryState.KEPT, now, local(now), local(now), kind)
        signal = frame.signals[int(np.count_nonzero(frame.kinds[:index] == Kind.SIGNAL))]
        for field in ("category", "place", "office", "channel"):
            self._low[int(signal[field]) & _LOW] = self._name(int(signal[field]))
        return ListedEntry(
            address=address,
            offset=offset,
            index=index,
            state=EntryState.KEPT,
            arrived_us=now,
            at=local(int(signal["at"])),
            now=local(now),
            step=Step(int(signal["step"])).name.lower(),
            office=self._name(int(signal["office"])),
            category=self._name(int(signal["category"])),
            due=local(int(signal["due"])),
            text=self._logs.text(self._row["partition"], offset, index) or "",
        )

    # changes

    def _change(self, transition: Mapping[str, Any]) -> Change:
        local, shift = self._local(transition), self._shift(transition)
        targets = [target.name for target in self._rules(transition).targets]
        model = int(transition["versions"].get("model", 0))
        sha256 = self._models.get(model, "")
        cutoff = transition["cutoff"]
        prefix = f"{self._row['log']}-{self._row['partition']}"
        return Change(
            number=transition["number"],
            at=local(transition["at"]),
            at_us=transition["at"],
            cause=transition["cause"],
            state=transition["state"],
            before=transition["from"],
            after=transition["to"],
            proposed=transition["proposed"],
            confirmed=transition["confirmed"],
            awaiting=transition["awaiting"],
            office=self._name(transition["office"]),
            sentence=sentence(transition, self._name, zone_offset=shift, target_names=targets),
            known=tuple(self._known(transition, index, targets) for index in range(len(transition["assessments"]))),
            cutoff=CutOffNear(
                cutoff["level"],
                cutoff["direction"],
                cutoff["value"],
                transition["score"],
                cutoff["value"] - transition["score"],
            ),
            config=int(transition["versions"]["config"]),
            model=model,
            model_sha256=sha256,
            is_model_kept=bool(sha256) and (self._data / "models" / f"{sha256}.fwc").is_file(),
            by=_person(transition, local),
            rests_on=tuple(f"{prefix}@{offset}:{index}" for offset, index in transition["evidence"]),
        )

    def _known(self, transition: Mapping[str, Any], index: int, targets: Sequence[str]) -> Known:
        assessment = transition["assessments"][index]
        target, target_name = self._target(transition, assessment["target"])
        is_model = assessment["kind"] == "risk"
        said = ("", "")
        if not is_model:
            alone = {**transition, "assessments": [assessment], "governing": 0}
            told = reasons(alone, self._name, zone_offset=self._shift(transition), target_names=targets)
            said = ("；".join(each["zh"] for each in told), "; ".join(each["en"] for each in told))
        earlier = self._weighed(transition["number"], assessment) if is_model else None
        return Known(
            kind=assessment["kind"],
            target=target,
            target_name=target_name,
            said=said,
            probability=assessment["probability"],
            raw=assessment["raw"],
            horizon=assessment["horizon"],
            recurrence=assessment["recurrence"],
            demands=assessment["hard"],
            is_past_budget=assessment["past_budget"],
            is_governing=index == transition["governing"],
            weights=tuple(self._weight(transition, each) for each in assessment["grounds"]) if is_model else (),
            weighed_at=earlier[0] if earlier else 0,
            is_same_score=bool(earlier) and earlier is not None and earlier[1] == assessment["raw"],
        )

    def _weighed(self, number: int, assessment: Mapping[str, Any]) -> tuple[int, int] | None:
        """Number and raw score of the newest change up to this one that has weights for the same outcome."""
        for transition in reversed(self._changes):
            if transition["number"] <= number:
                for each in transition["assessments"]:
                    if each["kind"] == "risk" and each["target"] == assessment["target"] and each["grounds"]:
                        return transition["number"], each["raw"]
        return None

    def _weight(self, transition: Mapping[str, Any], ground: Mapping[str, Any]) -> Weight:
        feature, value = ground["feature"], ground.get("value")
        if feature in ("category", "place", "office"):
            value = self._name(transition[feature]) or None
        elif isinstance(value, int):
            # A code of a declared attribute stands in the directory itself; the rest are halves of the entries' codes.
            value = self._name(value) or self._low.get(value) or (f"#{value:08x}" if value else None)
        return Weight(feature, value, ground["weight"])


_UTC = WorkCalendar(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64))


def _person(transition: Mapping[str, Any], local: Callable[[int], str]) -> Person | None:
    """Who made the change; None when it came from the fold itself."""
    if not transition.get("principal"):
        return None
    said = {name: str(transition.get(name, "")) for name in ("principal", "role", "reason", "remark", "outcome")}
    return Person(**said, next_update_by=local(transition.get("next_update_by", 0)))


def _rfc3339(us: int, shift: int) -> str:
    zone = timezone(timedelta(microseconds=shift))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return moment.astimezone(zone).isoformat()


def _utc(us: int) -> str:
    return _rfc3339(us, 0).replace("+00:00", "Z")


__all__ = ["AmbiguousWarning", "Explanation", "UnknownWarning", "as_json", "as_text", "explain"]
