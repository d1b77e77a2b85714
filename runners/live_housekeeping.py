"""What a live site throws away: requests it need not know again, old dead letters, texts whose retention has ended."""

from collections.abc import Callable

from config.settings import Settings
from pipeline.calendar import DAY_US, HOUR_US
from runners.live_engine import Engine

REQUESTS_US = 7 * DAY_US
"""How long a request that is sent again is known by its key; its signals are known longer, by their ids."""


class Housekeeping:
    """Something regular of the engine: once an hour for what is small, once a day for texts."""

    def __init__(self, engine: Engine, in_force: Callable[[], Settings]) -> None:
        self._engine, self._in_force = engine, in_force
        self._hour = self._day = 0

    def look(self, now: int) -> None:
        """Throw away what is due."""
        hour, day = now // HOUR_US, now // DAY_US
        if hour == self._hour or self._engine.trouble:
            return
        logs = self._engine.site.logs
        with logs.transaction():
            logs.forget_batches(now - REQUESTS_US)
            logs.forget_letters(now - self._in_force().retention.dead_letters_days * DAY_US)
            if day != self._day:
                logs.erase_texts(now)
        self._hour, self._day = hour, day
