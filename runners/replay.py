"""`forewarn replay`: an existing log through the fold again, as it was or with another configuration."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alerts.store import Store
from config.load import from_canonical, load_settings
from config.settings import Settings
from pipeline.frame import Frame, Kind
from pipeline.rules import FoldRules
from pipeline.site import SiteFold
from pipeline.topology import Topology
from runners.log_sqlite import Logs
from runners.model_files import ModelFiles
from runners.supervise import Supervised
from runners.wiring import CountyWarnings, fold_rules, topology

_COMPARED = ("from", "to", "proposed", "confirmed", "state", "cause")


@dataclass(slots=True)
class Replayed:
    """Digests of a replay beside those of the store, and the transitions that differ; `site_*` are the site log's."""

    digests: dict[str, str]
    stored: dict[str, str]
    site_digests: dict[str, str]
    site_stored: dict[str, str]
    frames: int
    transitions: int
    stored_transitions: int
    only_replay: list[dict[str, Any]] = field(default_factory=list)
    only_stored: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    fold: Topology | None = None

    @property
    def is_equal(self) -> bool:
        """Whether every digest is the stored one."""
        return self.digests == self.stored and self.site_digests == self.site_stored


def genesis(logs: Logs) -> dict[str, Any]:
    """Payload of the first entry of a log: its rules and settings. Raises FileNotFoundError for an empty log."""
    body = logs.frame("signals", 0, 0) or logs.frame("site", 0, 0)
    if body is None:
        raise FileNotFoundError(f"{logs.path} holds no frame yet")
    return dict(Frame.from_bytes(body, 0).others[0])


def replay(
    data: Path, config: Path | None = None, *, keep_models: bool = False, progress: Callable[[int], None] | None = None
) -> Replayed:
    """Fold the log of a data directory again.

    With `config`, that configuration replaces the genesis one; logged configurations and, unless `keep_models`,
    models are masked. Raises FileNotFoundError, CorruptData, ConfigError.
    """
    logs = Logs(data / "log.db", readonly=True)
    store = Store(data / "store.db", readonly=True)
    models = ModelFiles(data / "models")
    first = genesis(logs)
    rules = FoldRules.from_json(first["rules"])
    if config is not None:
        rules = reconfigured(load_settings(config), first, rules)

    def read(after: int = -1, before: int | None = None) -> Iterator[Frame]:
        for offset, body in logs.read("signals", 0, after, None if before is None else before - 1):
            frame = _masked(Frame.from_bytes(body, offset), rules, config=config is not None, keep_models=keep_models)
            if Kind.MODEL in frame.kinds:
                for payload in frame.others:
                    if "sha256" in payload:
                        models.load(payload["sha256"])
            yield frame

    def empty(before: int = 0) -> tuple[Topology, int]:
        return topology(rules, models.champions), -1

    supervised = Supervised(empty()[0], empty, read)
    transitions: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    frames = 0
    for frame in read():
        for effects in supervised.step(frame):
            transitions += effects.transitions
            counts.update(effects.counts)
            counts.update(v["reason"] for v in effects.verdicts if not v["ok"])
        frames += 1
        if progress is not None:
            progress(frames)
    fold = supervised.fold
    site = SiteFold(rules, CountyWarnings(rules))
    for offset, body in logs.read("site", 0):
        effects = site.step(_masked(Frame.from_bytes(body, offset), rules, config=config is not None, keep_models=True))
        transitions += effects.transitions
    stored = [*store.transitions(log="signals"), *store.transitions(log="site")]
    applied, site_applied = store.applied("signals", 0), store.applied("site", 0)
    found = Replayed(
        digests=fold.digest() if applied else {},
        stored=applied.digests if applied else {},
        site_digests=site.digest() if site_applied else {},
        site_stored=site_applied.digests if site_applied else {},
        frames=frames,
        transitions=len(transitions),
        stored_transitions=len(stored),
        counts=counts,
        fold=fold,
    )
    found.only_replay, found.only_stored = difference(transitions, stored)
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


def _masked(frame: Frame, rules: FoldRules, *, config: bool, keep_models: bool) -> Frame:
    """The frame with what a counterfactual leaves out turned into ticks (which change nothing)."""
    if not config or not len(frame.others):
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
