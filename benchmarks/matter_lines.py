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
SLOW = 0.45
"""Share of matters that are late in one category of nine, so that the champion has something to warn of."""
BURST = 20_000
"""Signals a second of a burst."""
CHARACTERS = 80
"""Of the text of each registration."""
TEXTS = 60
"""Different texts of a category."""
GRIDS = 6_895
"""Grids of the simulated territory: those of a city of six million people."""
TARGETS = [
    {"name": "breach", "rule": "breach", "hold_days": 7},
    {"name": "handed_over", "rule": "handed_over", "hold_days": 7},
    {"name": "repeated", "rule": "repeated", "window_days": 14},
]
CONTRACT = DataContract(
    purpose="Measure the speed of early warning",
    legal_basis="None needed: every record is generated",
    allowed_fields=["id", "matter", "at", "step", "category", "place", "office", "channel", "due", "text"],
    retention_days=365,
)
_STEPS = (b"routed", b"accepted", b"handling", b"closed")
_ODD = (b"returned", b"handed_over", b"replied", b"replied")
_CHANNELS = (b"hotline", b"grid", b"petition", b"other")


def settings() -> tuple[Settings, Territory]:
    """The configuration of the simulated city with three outcomes to learn, and its territory."""
    words = vocabulary()
    territory = build_territory(words, GRIDS)
    plain = {name: value for name, value in site(territory, words.categories).items() if name != "include"}
    return from_canonical({**plain, "targets": TARGETS}), territory


def texts(*, seed: int = 1) -> list[list[str]]:
    """What people write of each category, cut to the length of a registration."""
    words = vocabulary()
    wording = Wording(words, Dice(seed, 5))
    found = []
    for category in words.categories:
        own = []
        for _ in range(TEXTS):
            text = wording.complaint(category, "hotline", "城关镇", "", fact=-1, again=False).text
            while len(text) < CHARACTERS:
                more = wording.complaint(category, "hotline", "城关镇", "", fact=-1, again=False)
                # one report is urgent at most once
                text += "" if more.urgent else more.text
            own.append(text[:CHARACTERS])
        found.append(own)
    return found


@dataclass(frozen=True, slots=True)
class MatterStream:
    """`matters` matters that are registered evenly over time, `per_day` a day; equal arguments, equal lines.

    From line number `burst_from` on the same signals come at `BURST` a second: what was spread over days arrives in
    seconds, as after an outage, so that the fold meets signals and hardly a timer.
    """

    matters: int
    per_day: float
    seed: int = 1
    burst_from: int | None = None

    def lines(self, territory: Territory) -> list[bytes]:
        """Native lines in the order of time."""
        random = np.random.default_rng(self.seed)
        n = self.matters
        registered = START + (np.arange(n) * (DAY_US / self.per_day)).astype(np.int64)
        categories, heads = self._heads(random, territory)
        at = self._moments(random, registered, np.where(categories % 9 == 0, SLOW, 0.02))
        odd = np.where(random.random(n) < 0.2, random.integers(0, len(_ODD), n), -1).tolist()
        order = np.argsort(at.ravel(), kind="stable")
        if self.burst_from is not None:
            late = order[self.burst_from :]
            at.reshape(-1)[late] = at.reshape(-1)[late[0]] + np.arange(len(late)) // BURST * 1_000_000
        stamps, dues = _stamps(at.ravel()), _stamps(at[:, 0] + 5 * DAY_US)
        spoken = [[orjson.dumps(text) for text in own] for own in texts(seed=self.seed)]
        kinds = categories.tolist()
        out = []
        for entry in order.tolist():
            matter, step = divmod(entry, 5)
            if step:
                name = _ODD[odd[matter]] if step == 3 and odd[matter] >= 0 else _STEPS[step - 1]
                tail = b"}"
            else:
                name = b"registered"
                tail = b',"due":"%s","text":%s}' % (dues[matter], spoken[kinds[matter]][matter % TEXTS])
            out.append(
                b'{"id":"%d-%d","matter":"WO%010d","at":"%s","step":"%s",%s%s'
                % (matter, step, matter, stamps[entry], name, heads[matter], tail)
            )
        return out

    def _moments(
        self, random: np.random.Generator, registered: NDArray[np.int64], late: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """(matters, 5) moments of the steps: routed within the hour, closed within days, a share too late."""
        n = self.matters
        days = np.where(random.random(n) < late, random.uniform(5.1, 9.0, n), random.uniform(0.3, 4.9, n))
        length = (DAY_US * days).astype(np.int64)
        at = np.empty((n, 5), np.int64)
        at[:, 0] = registered
        at[:, 1] = registered + random.integers(2, 50, n) * MINUTE_US
        at[:, 2] = registered + (length * random.uniform(0.1, 0.3, n)).astype(np.int64)
        at[:, 3] = registered + (length * random.uniform(0.3, 0.9, n)).astype(np.int64)
        at[:, 4] = registered + length
        # the contract keeps seconds
        return at - at % 1_000_000

    def _heads(self, random: np.random.Generator, territory: Territory) -> tuple[NDArray[np.int64], list[bytes]]:
        """The category of each matter by number, and what all lines of a matter say."""
        categories = vocabulary().categories
        weights = np.array([category.weight for category in categories])
        drawn = random.choice(len(categories), self.matters, p=weights / weights.sum())
        grids = random.integers(0, len(territory.grids), self.matters).tolist()
        channels = random.choice(4, self.matters, p=(0.72, 0.22, 0.04, 0.02)).tolist()
        heads = []
        for category, grid, channel in zip(drawn.tolist(), grids, channels, strict=True):
            place = territory.grids[grid].key
            office = territory.office(categories[category].lead[0], place)
            heads.append(
                b'"category":"%s","place":"%s","office":"%s","channel":"%s"'
                % (categories[category].key.encode(), place.encode(), office.encode(), _CHANNELS[channel])
            )
        return drawn, heads


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
