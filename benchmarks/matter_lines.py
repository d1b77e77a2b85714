"""A stream of matters for the figures of speed: for each one registration with text to four steps without.

The words, places, offices and categories are those of the simulated city; what happens when is drawn here with one
seed, because the figures need many matters quickly and no truth.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from config.load import from_canonical
from config.settings import Settings
from connectors.contract import DataContract
from connectors.simulator.dice import Dice
from connectors.simulator.site_files import site
from connectors.simulator.territory import Territory, build_territory
from connectors.simulator.vocabulary import vocabulary
from connectors.simulator.wording import Wording
from pipeline.calendar import DAY_US, MINUTE_US

SOURCE = "hotline"
START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
CHARACTERS = 80
"""Of the text of each registration."""
GRIDS = 6_895
"""Grids of the simulated territory: those of a city of six million people."""
TARGETS = [
    {"name": "breach", "rule": "breach", "hold_days": 7},
    {"name": "handed_over", "rule": "handed_over", "hold_days": 7},
    {"name": "repeated", "rule": "repeated", "window_days": 14, "hold_days": 7},
]
CONTRACT = DataContract(
    purpose="Measure the speed of early warning",
    legal_basis="None needed: every record is generated",
    allowed_fields=["id", "matter", "at", "step", "category", "place", "office", "channel", "due", "text"],
    retention_days=365,
)
_STEPS = (b"routed", b"accepted", b"handling", b"closed")
_ODD = (b"returned", b"handed_over", b"replied")
_CHANNELS = (b"hotline", b"grid", b"petition", b"other")


def settings() -> tuple[Settings, Territory]:
    """The configuration of the simulated city with three outcomes to learn, and its territory."""
    words = vocabulary()
    territory = build_territory(words, GRIDS)
    plain = {name: value for name, value in site(territory, words.categories).items() if name != "include"}
    return from_canonical({**plain, "targets": TARGETS}), territory


def texts(count: int = 2_000, *, seed: int = 1) -> list[str]:
    """What people write, cut to the length of a registration."""
    words = vocabulary()
    wording = Wording(words, Dice(seed, 5))
    found: list[str] = []
    for number in range(count):
        category = words.categories[number % len(words.categories)]
        text = ""
        while len(text) < CHARACTERS:
            text += wording.complaint(category, "hotline", "城关镇", "", fact=-1, again=False).text
        found.append(text[:CHARACTERS])
    return found


@dataclass(frozen=True, slots=True)
class MatterStream:
    """`matters` matters that are registered evenly over time, `per_day` a day; equal arguments, equal lines."""

    matters: int
    per_day: float
    seed: int = 1

    def lines(self, territory: Territory) -> list[bytes]:
        """Native lines in the order of time."""
        random = np.random.default_rng(self.seed)
        n = self.matters
        registered = START + (np.arange(n) * (DAY_US / self.per_day)).astype(np.int64)
        due = registered + 5 * DAY_US
        at = self._moments(random, registered)
        odd = np.where(random.random(n) < 0.2, random.integers(0, len(_ODD), n), -1).tolist()
        order = np.argsort(at.ravel(), kind="stable")
        stamps, dues = _stamps(at.ravel()), _stamps(due)
        heads = self._heads(random, territory)
        spoken = [orjson.dumps(text) for text in texts(seed=self.seed)]
        out = []
        for entry in order.tolist():
            matter, step = divmod(entry, 5)
            if step:
                name = _ODD[odd[matter]] if step == 3 and odd[matter] >= 0 else _STEPS[step - 1]
                tail = b"}"
            else:
                name = b"registered"
                tail = b',"due":"%s","text":%s}' % (dues[matter], spoken[matter % len(spoken)])
            out.append(
                b'{"id":"%d-%d","matter":"WO%010d","at":"%s","step":"%s",%s%s'
                % (matter, step, matter, stamps[entry], name, heads[matter], tail)
            )
        return out

    def _moments(self, random: np.random.Generator, registered: NDArray[np.int64]) -> NDArray[np.int64]:
        """(matters, 5) moments of the steps: routed within the hour, closed after half a day to seven days."""
        n = self.matters
        length = (DAY_US * random.uniform(0.5, 7.0, n)).astype(np.int64)
        at = np.empty((n, 5), np.int64)
        at[:, 0] = registered
        at[:, 1] = registered + random.integers(2, 50, n) * MINUTE_US
        at[:, 2] = registered + (length * random.uniform(0.1, 0.3, n)).astype(np.int64)
        at[:, 3] = registered + (length * random.uniform(0.3, 0.9, n)).astype(np.int64)
        at[:, 4] = registered + length
        # the contract keeps seconds
        return at - at % 1_000_000

    def _heads(self, random: np.random.Generator, territory: Territory) -> list[bytes]:
        categories = vocabulary().categories
        weights = np.array([category.weight for category in categories])
        drawn = random.choice(len(categories), self.matters, p=weights / weights.sum()).tolist()
        grids = random.integers(0, len(territory.grids), self.matters).tolist()
        channels = random.choice(4, self.matters, p=(0.72, 0.22, 0.04, 0.02)).tolist()
        heads = []
        for category, grid, channel in zip(drawn, grids, channels, strict=True):
            place = territory.grids[grid].key
            office = territory.office(categories[category].lead[0], place)
            heads.append(
                b'"category":"%s","place":"%s","office":"%s","channel":"%s"'
                % (categories[category].key.encode(), place.encode(), office.encode(), _CHANNELS[channel])
            )
        return heads


def _stamps(at: NDArray[np.int64]) -> list[bytes]:
    local = (at + 8 * 60 * MINUTE_US).astype("datetime64[us]").astype("datetime64[s]")
    return [stamp.encode() + b"+08:00" for stamp in np.datetime_as_string(local).tolist()]


def edge_fields(settings: Settings) -> dict[str, Any]:
    """What the edge needs of the configuration."""
    return {
        "targets": [target.name for target in settings.targets],
        "known_categories": {category.id for category in settings.categories},
        "known_places": {place.id for place in settings.places},
    }
