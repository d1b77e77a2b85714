"""Steps of simulated matters become signals: names, times in µs, and the words that go with each step."""

from collections.abc import Iterator

from connectors.simulator.batch import Batch, Ints
from connectors.simulator.dice import Coins
from connectors.simulator.intake import CHANNELS
from connectors.simulator.territory import Territory
from connectors.simulator.vocabulary import Vocabulary
from connectors.simulator.wording import Identifier, Wording
from connectors.simulator.working_time import HOUR, civil
from pipeline.signal import Signal, Step

SOURCE = "simulator"
_STEPS = list(Step)
ROUTED_IN_WORDS = 0.25
"""Share of dispatches that say more than to whom."""
_TURN = 0x9E3779B97F4A7C15
_SILENT = frozenset(
    {
        int(Step.ACCEPTED), int(Step.HANDLING), int(Step.HANDED_OVER), int(Step.VERIFIED), int(Step.CLOSED),
        int(Step.REOPENED), int(Step.REPORTED_AGAIN), int(Step.REPORTED_DONE), int(Step.SOLVED),
    }
)  # fmt: skip


class Telling:
    """Writes the signals of a batch. A text hangs on its matter and step alone, whenever it is written."""

    def __init__(self, words: Vocabulary, territory: Territory, limits: list[str]) -> None:
        self._categories = words.categories
        self._keys = [one.key for one in words.categories]
        self._places = [cell.key for cell in territory.grids]
        self._towns = [territory.places[territory.township(cell.key)].zh for cell in territory.grids]
        self._offices = list(territory.offices)
        self._called = [one.zh for one in territory.offices.values()]
        self._limits = limits
        self._coins = Coins()
        self._wording = Wording(words, self._coins)

    def names(self, batch: Batch) -> list[str]:
        """Ids of the matters of a batch."""
        born = batch.registered
        head = f"{civil(born.day):%Y%m%d}-"
        return [f"{head}{number:06d}" for number in range(born.first, born.first + len(born))]

    def complaint(self, batch: Batch, row: int) -> tuple[str, tuple[Identifier, ...]]:
        """What is reported, and the contact details planted in it."""
        born = batch.registered
        self._coins.lay(int(born.key[row]))
        grid, office = int(born.grid[row]), int(born.office[row])
        told = self._wording.complaint(
            self._categories[int(born.category[row])],
            CHANNELS[int(born.channel[row])],
            self._towns[grid],
            self._called[office],
            fact=int(born.fact[row]),
            again=bool(born.told_before[row]),
            urgent=bool(born.urgent[row]),
            several=bool(born.several[row]),
            contact=bool(born.contact[row]),
            month=civil(born.day).month,
        )
        return told.text, told.identifiers

    def signals(self, batch: Batch, names: list[str], chosen: Ints) -> Iterator[Signal | None]:
        """The signals of these steps of the batch, in the order given; None for a step that was called off."""
        born, story = batch.registered, batch.story
        rows = story.row[chosen]
        columns = zip(
            chosen.tolist(),
            rows.tolist(),
            (story.at[chosen] * 1_000_000).tolist(),
            story.step[chosen].tolist(),
            story.number[chosen].tolist(),
            story.office[chosen].tolist(),
            (story.due[chosen] * 1_000_000).tolist(),
            born.category[rows].tolist(),
            born.grid[rows].tolist(),
            born.channel[rows].tolist(),
            strict=True,
        )
        registered, keys, places, offices = int(Step.REGISTERED), self._keys, self._places, self._offices
        for index, row, at, step, number, office, due, category, grid, channel in columns:
            name = names[row]
            if story.is_off[index]:
                yield None
                continue
            if step == registered:
                yield self._registration(batch, row, name, at, due)
                continue
            yield Signal(
                id=f"{name}-{number:02d}",
                matter=name,
                at=at,
                step=_STEPS[step],
                source=SOURCE,
                category=keys[category],
                place=places[grid],
                office=offices[office],
                channel=CHANNELS[channel],
                due=due,
                text=self._words(batch, index, row, step),
            )

    def _registration(self, batch: Batch, row: int, name: str, at: int, due: int) -> Signal:
        born = batch.registered
        return Signal(
            id=f"{name}-01",
            matter=name,
            at=at,
            step=Step.REGISTERED,
            source=SOURCE,
            category=self._keys[int(born.category[row])],
            place=self._places[int(born.grid[row])],
            office=self._offices[int(born.office[row])],
            channel=CHANNELS[int(born.channel[row])],
            due=due,
            codes={
                "rule": self._limits[int(born.limit[row])],
                "scope": "several" if born.several[row] else "one",
                "topic": f"{self._keys[int(born.category[row])]}-{int(born.fact[row]) // 2 + 1}",
                "history": "again" if born.told_before[row] else "first",
                "point": f"{born.point[row]:03d}",
            },
            values={"limit_hours": round((due - at) / (HOUR * 1_000_000), 2)},
            text=self.complaint(batch, row)[0],
        )

    def _words(self, batch: Batch, index: int, row: int, step: int) -> str:
        born, story, wording = batch.registered, batch.story, self._wording
        if step in _SILENT:
            return ""
        self._coins.lay(int(born.key[row]) + _TURN * int(story.number[index]))
        if step == Step.UNSOLVED:
            return wording.line("unsolved")
        office = self._called[int(story.office[index])]
        if step == Step.ROUTED:
            if not born.urgent[row] and not self._coins.happens(ROUTED_IN_WORDS):
                return ""
            rivals = born.rivals[row]
            rival = self._called[int(rivals[rivals >= 0][0])]
            category = self._categories[int(born.category[row])]
            return wording.routing(category, office, rival, int(born.due[row]), urgent=bool(born.urgent[row]))
        if step == Step.REPLIED:
            category = self._categories[int(born.category[row])]
            return wording.reply(category, office, int(story.at[index]), vague=bool(story.vague[row]))
        if step == Step.EXTENDED:
            days = max((int(story.due[index]) - int(born.due[row])) // (24 * HOUR), 1)
            return wording.line("extended", reason=wording.line("extension_reasons"), days=days)
        if step == Step.NOT_UPHELD:
            return wording.line("not_upheld", office=office)
        rival = self._called[int(story.rival[index])]
        if step == Step.UPHELD:
            return wording.line("upheld", office=rival)
        return wording.line("returns_upheld" if story.upheld[index] else "returns_not_upheld", rival=rival)
