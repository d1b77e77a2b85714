"""`forewarn explain`: a warning's story from log and store, offline. Nothing is folded again and nothing is changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from alerts.names import Directory, Names, zone_offset
from alerts.sentences import reasons, sentence
from alerts.store import Store
from pipeline.calendar import MINUTE_US, WorkCalendar
from pipeline.frame import Frame, Kind
from pipeline.rules import FoldRules
from pipeline.signal import Step
from runners.explain.explanation import (
    Act,
    Change,
    CutOffNear,
    EntryState,
    Explanation,
    Known,
    Language,
    ListedEntry,
    Pair,
    Weight,
    as_json,
)
from runners.explain.find_warning import AmbiguousWarning, Matters, UnknownWarning, find_warning
from runners.explain.frames_by_key import FramesByKey, KeptFrames, config_offsets
from runners.explain.text import as_text
from runners.exports import genesis_settings
from runners.log_sqlite import Logs
from runners.wiring import level_rules

_LOW = 0xFFFF_FFFF


def explain(data: Path, warning: str, *, language: Language = "both") -> Explanation:
    """The story of one warning of a data directory.

    Parameters
    ----------
    warning : its id, a prefix of it (4 characters at least) that no other has, or the id of its matter.

    Raises UnknownWarning, AmbiguousWarning, FileNotFoundError.
    """
    with Logs(data / "log.db", readonly=True) as logs, closing(Store(data / "store.db", readonly=True)) as store:
        told = ToldBy(
            logs, store, lambda log, partition: config_offsets(logs, log, partition),
            lambda sha256: (data / "models" / f"{sha256}.fwc").is_file(),
        )  # fmt: skip
        return explain_by(told, warning, language=language)


class ToldLogs(KeptFrames, Matters, Directory, Protocol):
    """What is asked of logs: those of a data directory, those of a cluster."""

    def text(self, partition: int, offset: int, index: int) -> str | None:
        """The redacted text of an entry while it is kept."""
        ...


@dataclass(frozen=True, slots=True)
class ToldBy:
    """Where a story comes from.

    `configurations`: offsets of the config entries of a log and partition. `has_model`: whether a model is kept.
    """

    logs: ToldLogs
    store: Store
    configurations: Callable[[str, int], Iterable[int]]
    has_model: Callable[[str], bool]


def explain_by(by: ToldBy, warning: str, *, language: Language = "both") -> Explanation:
    """The story of one warning, wherever logs and store are. Raises UnknownWarning, AmbiguousWarning."""
    row = find_warning(by.store, by.logs, warning.strip())
    return _Story(by, row).told(language)


class _Story:
    """Gathers one warning's story."""

    def __init__(self, by: ToldBy, row: Mapping[str, Any]) -> None:
        logs, store = by.logs, by.store
        self._has_model, self._logs, self._row = by.has_model, logs, row
        self._changes = [t for t in store.transitions(row["id"]) if t["warning"] == row["id"]]
        self._models = {lesson.id: lesson.result or "" for lesson in store.lessons()}
        self._frames = FramesByKey(logs, row["log"], row["partition"], by.configurations(row["log"], row["partition"]))
        self._names = Names(logs, genesis_settings(logs))
        self._english = self._names.en if self._names.has_languages else None
        self._name = self._names.zh
        self._configs = self._configurations({int(t["versions"]["config"]) for t in self._changes})
        self._low: dict[int, str] = {}

    def told(self, language: Language) -> Explanation:
        """Everything, in order."""
        self._name = self._names.en if language == "en" else self._names.zh
        first, last = self._changes[0], self._changes[-1]
        local = self._local(last)
        matter = self._logs.matter(bytes.fromhex(last["subject"]))
        source, _, name = matter[1].partition("/") if matter else ("", "", "")
        entries = self._entries(local)
        return Explanation(
            warning=last["warning"],
            kind=last["kind"],
            subject=name or last["subject"],
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

    # configurations

    def _configurations(self, versions: set[int]) -> dict[int, tuple[FoldRules, Mapping[str, Any]]]:
        """Rules and settings by version, as the log itself holds them."""
        found: dict[int, tuple[FoldRules, Mapping[str, Any]]] = {}
        for offset in self._frames.configurations:
            if not versions - found.keys():
                break
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
        return zone_offset(self._rules(transition))

    def _local(self, transition: Mapping[str, Any]) -> Callable[[int], str]:
        shift = self._shift(transition)
        return lambda us: _rfc3339(us, shift(us)) if us else ""

    # entries

    def _entries(self, local: Callable[[int], str]) -> tuple[ListedEntry, ...]:
        """Every entry that a change rests on, in the order in which they arrived."""
        seen: dict[tuple[int, int], int] = {}
        for transition in self._changes:
            for offset, index in transition["evidence"] if transition["kind"] == "matter" else ():
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
            sentence=sentence(
                transition, self._names.zh, zone_offset=shift, target_names=targets, english=self._english
            ),
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
            is_model_kept=bool(sha256) and self._has_model(sha256),
            by=_act(transition, local),
            rests_on=tuple(self._rests_on(transition, local)),
        )

    def _rests_on(self, transition: Mapping[str, Any], local: Callable[[int], str]) -> Iterator[str]:
        """Addresses of a matter's entries; of a sensor the offsets of its readings, of a surge the minutes counted."""
        for address in transition["evidence"]:
            if transition["kind"] == "sensor":
                yield f"readings-{self._row['partition']}@{address[0]}..{address[1]}"
            elif transition["kind"] == "surge":
                place, category, *minutes = address
                span = f"{local(minutes[0] * MINUTE_US)}..{local(minutes[-1] * MINUTE_US)}" if minutes else "-"
                yield f"{self._name(place) or '-'} x {self._name(category) or '-'}, {span} ({len(minutes)} min)"
            else:
                yield f"{self._row['log']}-{self._row['partition']}@{address[0]}:{address[1]}"

    def _known(self, transition: Mapping[str, Any], index: int, targets: Sequence[str]) -> Known:
        assessment = transition["assessments"][index]
        target, target_name = self._target(transition, assessment["target"])
        is_model = assessment["kind"] == "risk"
        said = ("", "")
        if not is_model:
            alone = {**transition, "assessments": [assessment], "governing": 0}
            shift = self._shift(transition)
            told = reasons(alone, self._names.zh, zone_offset=shift, target_names=targets, english=self._english)
            said = ("；".join(each["zh"] for each in told), "; ".join(each["en"] for each in told))
        earlier = self._weighed(transition["number"], assessment) if is_model else None
        is_governing = index == transition["governing"]
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
            is_governing=is_governing,
            could_raise=is_governing or not is_model or self._could_raise(transition, assessment),
            weights=tuple(self._weight(transition, each) for each in assessment["grounds"]) if is_model else (),
            weighed_at=earlier[0] if earlier else 0,
            is_same_score=earlier is not None and earlier[1] == assessment["raw"],
        )

    def _could_raise(self, transition: Mapping[str, Any], assessment: Mapping[str, Any]) -> bool:
        """Whether its probability could raise anything by itself; the fold keeps no weights of what could not."""
        rules = self._rules(transition)
        if not rules.levels:
            return True
        floors = level_rules(rules).floors
        target = assessment["target"]
        return not 0 <= target < len(floors) or assessment["probability"] >= floors[target]

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
            code = transition[feature]
            value = self._name(code) or ("-" if code else None)
        elif isinstance(value, int):
            # A code of a declared attribute stands in the directory itself; the rest are halves of the entries' codes.
            value = self._name(value) or self._low.get(value) or (f"#{value:08x}" if value else None)
        return Weight(feature, value, ground["weight"])


_UTC = WorkCalendar(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64))


def _act(transition: Mapping[str, Any], local: Callable[[int], str]) -> Act | None:
    """Who made the change; None when it came from the fold itself."""
    if not transition.get("principal"):
        return None
    said = {name: str(transition.get(name, "")) for name in ("principal", "role", "reason", "remark", "outcome")}
    return Act(**said, next_update_by=local(transition.get("next_update_by", 0)))


def _rfc3339(us: int, shift: int) -> str:
    zone = timezone(timedelta(microseconds=shift))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return moment.astimezone(zone).isoformat()


__all__ = ["AmbiguousWarning", "Explanation", "UnknownWarning", "as_json", "as_text", "explain"]
