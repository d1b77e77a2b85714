"""`forewarn replay`: an existing log through the fold again, as it was or with another configuration."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alerts.store import Store
from config.load import from_canonical, load_settings
from config.settings import Settings
from pipeline.frame import Frame, Kind
from pipeline.rules import FoldRules
from pipeline.topology import Topology
from runners.fold_logs import fold_logs, genesis
from runners.log_sqlite import Logs
from runners.model_files import ModelFiles
from runners.wiring import fold_rules

_COMPARED = ("from", "to", "proposed", "confirmed", "state", "cause")


@dataclass(slots=True)
class Replayed:
    """Digests of a replay beside those of the store by `<log>-<partition>`, and the transitions that differ.

    `pruned`: logs whose beginning is gone, which a replay cannot fold; they are not compared.
    """

    digests: dict[str, dict[str, str]]
    stored: dict[str, dict[str, str]]
    frames: int
    transitions: int
    stored_transitions: int
    pruned: list[str] = field(default_factory=list)
    only_replay: list[dict[str, Any]] = field(default_factory=list)
    only_stored: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    folds: dict[int, Topology] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether every digest is the stored one."""
        return self.digests == self.stored


def replay(
    data: Path, config: Path | None = None, *, keep_models: bool = False, progress: Callable[[int], None] | None = None
) -> Replayed:
    """Fold all logs of a data directory again.

    With `config`, that configuration replaces the genesis one; logged configurations and, unless `keep_models`,
    models are masked. Raises FileNotFoundError, CorruptData, ConfigError.
    """
    logs = Logs(data / "log.db", readonly=True)
    store = Store(data / "store.db", readonly=True)
    first = genesis(logs)
    rules = FoldRules.from_json(first["rules"])
    mask = None
    if config is not None:
        rules = reconfigured(load_settings(config), first, rules)

        def mask(log: str, frame: Frame) -> Frame:
            return frame if log == "readings" else _masked(frame, rules, keep_models=keep_models or log == "site")

    folded = fold_logs(logs, ModelFiles(data / "models"), rules=rules, mask=mask, progress=progress)
    stored = [transition for log in ("signals", "site") for transition in store.transitions(log=log)]
    applied = {
        f"{log}-{number}": store.applied(log, number)
        for log, number in logs.partitions()
        if f"{log}-{number}" not in folded.pruned
    }
    found = Replayed(
        digests={name: digests for name, digests in folded.digests.items() if applied[name] is not None},
        stored={name: each.digests for name, each in applied.items() if each is not None},
        frames=folded.frames,
        transitions=len(folded.transitions),
        stored_transitions=len(stored),
        pruned=folded.pruned,
        counts=folded.total(),
        folds=folded.folds,
    )
    found.only_replay, found.only_stored = difference(folded.transitions, stored)
    store.close()
    logs.close()
    return found


def reconfigured(settings: Settings, first: dict[str, Any], rules: FoldRules) -> FoldRules:
    """Rules of another configuration for a log whose signals were admitted under `first`.

    Targets and attributes are positions in the log's rows, so those of the log stay; everything else is the new one's.
    """
    before = from_canonical(first["settings"])
    merged = settings.model_copy(
        update={
            "targets": before.targets,
            "attributes": before.attributes,
            "sources": settings.sources or before.sources,
        }
    )
    return replace(fold_rules(merged, version=rules.version, scores=rules.scores))


def difference(
    ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Transitions only in one of two runs, by warning, time and what changed."""
    left, right = Counter(map(_key, ours)), Counter(map(_key, theirs))
    return (
        [t for t in ours if left[_key(t)] > right[_key(t)]],
        [t for t in theirs if right[_key(t)] > left[_key(t)]],
    )


def _key(transition: dict[str, Any]) -> tuple[Any, ...]:
    return (transition["subject"], transition["at"], *(transition[name] for name in _COMPARED))


def _masked(frame: Frame, rules: FoldRules, *, keep_models: bool) -> Frame:
    """The frame with what a counterfactual leaves out turned into ticks (which change nothing)."""
    if not len(frame.others):
        return frame
    kinds = frame.kinds.copy()
    others = []
    payloads = iter(frame.others)
    for index, kind in enumerate(kinds.tolist()):
        if kind in (Kind.SIGNAL, Kind.READING, Kind.TICK):
            continue
        payload = next(payloads, {})
        if kind == Kind.CONFIG:
            # The genesis entry carries the new rules; later ones are masked.
            if frame.offset == 0:
                payload = {**payload, "rules": rules.to_json()}
            else:
                kinds[index] = Kind.TICK
                continue
        elif kind == Kind.MODEL and not keep_models:
            kinds[index] = Kind.TICK
            continue
        others.append(payload)
    return replace(frame, kinds=kinds, others=others)


__all__ = ["Replayed", "difference", "genesis", "reconfigured", "replay"]
