"""The state of one county partition of the signals fold: everything that its stages share, and its checkpoints."""

import heapq
import struct
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.champion import Champion
from pipeline.effects import Digest, Effects
from pipeline.matter import CLOCK, MATTER, SPOT, STEP, UNIT, Mark
from pipeline.rules import FoldRules
from pipeline.seen import Seen
from pipeline.signal import SIGNAL
from pipeline.state import NEVER, Table, view
from pipeline.timers import Timers

assert MATTER.fields is not None
assert MATTER.fields["key"][1] == 0, "County.key reads the first bytes of a row"
FOLD_VERSION = 2
"""Part of checkpoints and digests; raise it whenever the same log may give other effects."""

_NO_KEY = bytes(16)
DIGESTS = ("transitions", "intents", "decisions", "labels", "to_site", "verdicts", "rejected")
MOMENTS = 4096
"""Moments that are scored together at most; any smaller number gives the same effects."""

Held = tuple[int, bytes, int, int, Any]
"""A buffered signal: release time, id, offset, index, SIGNAL row."""


class County:
    """Tables, timers and counters of a partition. Stages read and write it; only the topology steps it."""

    def __init__(self, rules: FoldRules, champion: Champion) -> None:
        self.now = 0
        self.minute = -1
        self.seq = 0
        self.model = ""
        self.next_rescore = NEVER
        self.rules = rules
        self.champion = champion
        self.matters = Table("matters", MATTER)
        self.steps = Table("steps", STEP, 1024)
        self.clocks = Table("clocks", CLOCK)
        self.spots = Table("spots", SPOT)
        self.units = Table("units", UNIT)
        self.timers = Timers(self.matters)
        self.seen = Seen(rules.duplicates_days)
        self.assets: dict[int, bytes] = {}
        self._relinked: set[int] = set()
        self.folded: dict[int, list[int]] = {}
        self.held: list[Held] = []
        self.minute_counts: dict[tuple[int, int], int] = {}
        self.digests = {name: Digest() for name in DIGESTS}
        # what the current frame gathers; empty between frames
        self.effects = Effects()
        self.address = (0, 0)
        self.moments: NDArray[Any] = np.zeros(MOMENTS, MATTER)
        self.when: list[tuple[int, int, int, int]] = []
        self.looked: set[int] = set()
        self.agenda: list[tuple[int, Any]] = []
        self.matters.on_growth(self._bind_matters)
        self.steps.on_growth(self._bind_steps)
        self.clocks.on_growth(self._bind_clocks)
        self.spots.on_growth(self._bind_spots)
        self.units.on_growth(self._bind_units)

    def _bind_matters(self) -> None:
        column = self.matters.column
        self.next_due, self.registered, self.last_at = column("next_due"), column("registered"), column("last_at")
        self.closed_at, self.due = column("closed_at"), column("due")
        self.category, self.place, self.office = column("category"), column("place"), column("office")
        self.channel, self.asset, self.cues = column("channel"), column("asset"), column("cues")
        self.first, self.last, self.clock = column("first"), column("last"), column("clock")
        self.handovers, self.returns, self.upheld = column("handovers"), column("returns"), column("upheld")
        self.extensions, self.reopens, self.step_count = column("extensions"), column("reopens"), column("steps")
        self.reports, self.duty, self.marks = column("reports"), column("duty"), column("marks")
        self.state, self.eligible, self.known = column("state"), column("eligible"), column("known")
        self.value, self.landmark = column("value"), column("landmark")
        self.matter_bytes = view(self.matters.rows.view(np.uint8))

    def _bind_steps(self) -> None:
        column = self.steps.column
        self.step_at, self.step_next, self.step_kind = column("at"), column("next"), column("kind")
        self.step_offset, self.step_index = column("offset"), column("index")
        self.step_bytes = view(self.steps.rows.view(np.uint8))

    def _bind_clocks(self) -> None:
        column = self.clocks.column
        self.clock_start, self.clock_due, self.clock_next = column("start"), column("due"), column("next")
        self.clock_rule, self.clock_state = column("rule"), column("state")
        self.clock_paused_since = column("paused_since")

    def _bind_spots(self) -> None:
        column = self.spots.column
        self.spot_last, self.spot_month, self.spot_year = column("last"), column("month"), column("year")

    def _bind_units(self) -> None:
        column = self.units.column
        self.unit_last, self.unit_open, self.unit_rate = column("last"), column("open"), column("rate")

    # what stages leave for the end of the frame -------------------------------------------------------------------

    def moment(self, slot: int, now: int, number: int) -> None:
        """Score and grade this matter as it is now; `number` is the landmark, or one of the constants in risk."""
        k = len(self.when)
        self.moments[k] = self.matters.rows[slot]
        self.when.append((now, number, *self.address))
        self.looked.add(slot)
        self.agenda.append((k, None))

    def label(self, slot: int, target: int, failed: bool, known_at: int) -> None:
        """An outcome is known: keep it, tell the trainer, and close the matter's warning when it was the last."""
        bit = 1 << target
        self.known[slot] |= bit
        if failed:
            self.value[slot] |= bit
        key = self.key(slot)
        self.effects.labels.append((key, target, int(failed), known_at))
        if not self.eligible[slot] & ~self.known[slot]:
            self.agenda.append((-1, (key, known_at)))

    def key(self, slot: int) -> bytes:
        """The 128-bit key of a matter."""
        start = slot * MATTER.itemsize
        return bytes(self.matter_bytes[start : start + 16])

    # the small tables ----------------------------------------------------------------------------------------------

    def spot(self, place: int, category: int) -> int:
        """Slot of a place and category."""
        key = struct.pack("<qq", place, category)
        slot = self.spots.slot_of.get(key)
        return self.spots.add(key) if slot is None else slot

    def unit(self, kind: int, code: int) -> int:
        """Slot of an office (0), place (1) or category (2) as a whole."""
        key = struct.pack("<qq", kind, code)
        slot = self.units.slot_of.get(key)
        return self.units.add(key) if slot is None else slot

    def is_open(self, slot: int) -> bool:
        """Whether somebody still owes the matter something."""
        return not self.marks[slot] & Mark.CLOSED

    # checkpoints ---------------------------------------------------------------------------------------------------

    def tables(self) -> tuple[Table, ...]:
        """Every table, in the order of a checkpoint."""
        return (self.matters, self.steps, self.clocks, self.spots, self.units)

    def base(self, *, delta: bool = False) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Everything (or what was touched since the last) as head and arrays; between frames only."""
        head: dict[str, Any] = {"fold_version": FOLD_VERSION, "tables": {}, "small": self._small()}
        arrays: dict[str, NDArray[Any]] = {}
        for table in self.tables():
            table_head, columns = table.delta() if delta else table.base()
            head["tables"][table.name] = table_head
            arrays.update({f"{table.name}.{name}": column for name, column in columns.items()})
        seen = self.seen.to_delta() if delta else self.seen.to_arrays()
        arrays.update({f"seen.{name}": array for name, array in seen.items()})
        held = np.zeros(len(self.held), SIGNAL)
        for place, entry in enumerate(sorted(self.held, key=lambda entry: entry[:2])):
            held[place] = entry[4]
        arrays["held"] = held
        arrays |= self._links(self._relinked if delta else self.assets)
        self._relinked = set()
        return head, arrays

    def restore(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, delta: bool = False) -> None:
        """Become what `base` returned; after the last delta call `reindex`."""
        for table in self.tables():
            columns = {n.split(".", 1)[1]: a for n, a in arrays.items() if n.startswith(f"{table.name}.")}
            (table.patch if delta else table.restore)(head["tables"][table.name], columns)
        seen = {n.split(".", 1)[1]: a for n, a in arrays.items() if n.startswith("seen.")}
        (self.seen.patch if delta else self.seen.from_arrays)(seen)
        small = head["small"]
        self.now, self.minute, self.seq, self.model = small["now"], small["minute"], small["seq"], small["model"]
        self.next_rescore = small["next_rescore"]
        # What timers see after a restart is what they would have seen without it: all up to the last entry.
        self.address = (small["address"][0], small["address"][1])
        self.folded = {slot: counts for slot, counts in small["folded"]}
        if not delta:
            self.assets = {}
        for asset, key in zip(arrays["assets.code"].tolist(), arrays["assets.key"].tolist(), strict=True):
            if key == _NO_KEY:
                self.assets.pop(asset, None)
            else:
                self.assets[asset] = key
        self.minute_counts = {(place, category): count for place, category, count in small["minute_counts"]}
        self.held = [
            (release, bytes.fromhex(id), offset, index, row)
            for (release, id, offset, index), row in zip(small["held"], np.array(arrays["held"]), strict=True)
        ]
        heapq.heapify(self.held)
        for name, value in small["digests"].items():
            self.digests[name].value = bytes.fromhex(value)

    def reindex(self) -> None:
        """Rebuild all indexes after a restore."""
        for table in self.tables():
            table.reindex()
        self.timers.rebuild()

    def link(self, asset: int, key: bytes) -> None:
        """What is reported of this piece of equipment from now on belongs to the matter with this key."""
        self.assets[asset] = key
        self._relinked.add(asset)

    def unlink(self, asset: int, key: bytes) -> None:
        """The matter is forgotten; a newer one that took over its equipment keeps it."""
        if self.assets.get(asset) == key:
            del self.assets[asset]
            self._relinked.add(asset)

    def _links(self, assets: Collection[int]) -> dict[str, NDArray[Any]]:
        codes = sorted(assets)
        keys = [self.assets.get(asset, _NO_KEY) for asset in codes]
        return {"assets.code": np.array(codes, np.int64), "assets.key": np.array(keys, "V16")}

    def _small(self) -> dict[str, Any]:
        return {
            "now": self.now,
            "minute": self.minute,
            "seq": self.seq,
            "address": list(self.address),
            "model": self.model,
            "next_rescore": self.next_rescore,
            "folded": sorted([slot, counts] for slot, counts in self.folded.items()),
            "minute_counts": sorted([place, category, n] for (place, category), n in self.minute_counts.items()),
            "held": [
                [entry[0], entry[1].hex(), entry[2], entry[3]] for entry in sorted(self.held, key=lambda e: e[:2])
            ],
            "digests": {name: digest.value.hex() for name, digest in self.digests.items()},
        }
