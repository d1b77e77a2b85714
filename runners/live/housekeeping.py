"""What a site throws away: requests it need not know again, old dead letters, texts and warnings after their time."""

from collections.abc import Callable
from contextlib import suppress

from alerts.retention import Before, prune
from config.settings import Settings
from pipeline.calendar import DAY_US, HOUR_US
from runners.live.engine import Engine

REQUESTS_US = 7 * DAY_US
"""How long a request that is sent again is known by its key; its signals are known longer, by their ids."""
TOLD_US = 30 * DAY_US
"""How long answers, notifications and what partitions handed on are kept."""
LEARNED_US = 366 * DAY_US
"""How long decisions and labels are kept beyond the longest time after which one can be learned from."""


class Housekeeping:
    """Something regular of the engine: once an hour for what is small, once a day for texts."""

    def __init__(self, engine: Engine, in_force: Callable[[], Settings]) -> None:
        self._engine, self._in_force = engine, in_force
        self._hour = self._day = 0
        self._is_erasing = False

    def look(self, now: int) -> None:
        """Throw away what is due; of what the store holds, a little at each look."""
        hour, day = now // HOUR_US, now // DAY_US
        if self._engine.trouble:
            return
        if self._is_erasing:
            with suppress(OSError):  # on a full disk it is tried again with the next hour
                self._is_erasing = bool(prune(self._engine.site.store, before(self._in_force(), now)))
        if hour == self._hour:
            return
        logs = self._engine.site.logs
        with logs.transaction():
            logs.forget_batches(now - REQUESTS_US)
            logs.forget_letters(now - self._in_force().retention.dead_letters_days * DAY_US)
            if day != self._day:
                logs.erase_texts(now)
        self._hour, self._day, self._is_erasing = hour, day, True


def before(settings: Settings, now: int) -> Before:
    """From when on the store keeps what it has; a lesson may come as late as the longest outcome is known."""
    kept = settings.retention
    learned = max((target.window_days + target.held_days() for target in settings.targets), default=0.0)
    return Before(
        warnings=now - kept.warnings_days * DAY_US,
        lessons=now - LEARNED_US - round(learned * DAY_US),
        told=now - TOLD_US,
        rejected=now - kept.dead_letters_days * DAY_US,
    )
