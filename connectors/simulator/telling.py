"""Steps of simulated matters become signals: names, times in µs, and the words that go with each step."""

from connectors.simulator.life import Event, Matter
from connectors.simulator.territory import Territory
from connectors.simulator.wording import Wording
from connectors.simulator.working_time import HOUR
from pipeline.signal import Signal, Step

SOURCE = "simulator"


class Telling:
    """Writes the signal of an event; numbers the signals of each matter in order."""

    def __init__(self, territory: Territory, wording: Wording) -> None:
        self._territory = territory
        self._wording = wording

    def signal(self, matter: Matter, event: Event) -> Signal:
        """The signal of this step, with its text."""
        matter.told += 1
        is_first = event.step is Step.REGISTERED
        scope = "several" if matter.several else "one"
        return Signal(
            id=f"{matter.id}-{matter.told:02d}",
            matter=matter.id,
            at=event.at * 1_000_000,
            step=event.step,
            source=SOURCE,
            category=matter.category.key,
            place=matter.place,
            office=event.office,
            channel=matter.channel,
            due=event.due * 1_000_000,
            codes={"rule": matter.limit, "scope": scope, "point": matter.point} if is_first else {},
            values={"limit_hours": round((matter.due - matter.at) / HOUR, 2)} if is_first else {},
            text=matter.text if is_first else self._words(matter, event),
        )

    def _words(self, matter: Matter, event: Event) -> str:
        wording, step = self._wording, event.step
        office = self._territory.offices[event.office].zh
        if step is Step.ROUTED:
            rival = self._territory.offices[matter.rivals[0]].zh
            return wording.routing(matter.category, office, rival, matter.due, urgent=matter.urgent)
        if step is Step.REPLIED:
            return wording.reply(matter.category, office, event.at, vague=matter.vague)
        if step is Step.RETURNED:
            rival = self._territory.offices[event.rival].zh
            return wording.line("returns_upheld" if event.is_upheld else "returns_not_upheld", rival=rival)
        if step is Step.UPHELD:
            return wording.line("upheld", office=self._territory.offices[event.rival].zh)
        if step is Step.NOT_UPHELD:
            return wording.line("not_upheld", office=office)
        if step is Step.EXTENDED:
            days = max((event.due - matter.due) // (24 * HOUR), 1)
            return wording.line("extended", reason=wording.line("extension_reasons"), days=days)
        name = {Step.REPORTED_DONE: "done", Step.SOLVED: "solved", Step.UNSOLVED: "unsolved"}.get(step)
        return wording.line(name) if name else ""
