"""The engine: one thread that alone writes to log and store. It commits what arrived, then folds it.

Whatever waits is committed together, at once when nothing is folded; an emergency and a command go first. The fold
reads frames in the order of the log and may be behind it by what `Room` lets in. A full disk stops both until there is
room again: whoever waits for an answer is told, what is folded but not kept stays in memory.
"""

import errno
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import structlog

from connectors.intake_http import NotNow
from pipeline.calendar import MINUTE_US
from pipeline.effects import Effects
from pipeline.frame import Frame, Kind, frame_of_others
from pipeline.ids import code64
from runners.clock import SECOND, Clock
from runners.embedded import Site
from runners.live.backlog import Backlog, Owed
from runners.live.commit import Commit, LetterBudget
from runners.live.hub import Hub
from runners.live.inbox import STOPPING, Inbox, refuse
from runners.live.ledger import Ledger
from runners.live.room import Room
from runners.live.verdicts import Verdicts
from runners.live.work import Entry, Group, Post, answer
from runners.readings_runner import ReadingsRunner
from runners.routing import Routing
from runners.site_runner import SiteRunner

log = structlog.get_logger("forewarn")
TICK_US = 10 * SECOND
"""After so long without an entry a tick tells the fold what time it is."""
RETRY_S = 1.0
"""Pause before a full disk is tried again."""
GATHER_S = 0.01
"""How long frames are gathered for one step of the fold while requests keep coming; each step has its own cost."""
PAUSE_S = 0.003
"""A pause after which requests no longer keep coming."""
FULL = "the disk is full: nothing can be taken in until there is room"


class Regular(Protocol):
    """Something that is done now and then on the engine's thread."""

    def look(self, now: int) -> None:
        """Called after each turn, at least once a tick; `now` in µs UTC."""
        ...


class Watcher(Protocol):
    """Something that looks at what was folded, on the engine's thread."""

    def folded(self, effects: Sequence[Effects], entries: int, lag_us: int) -> None:
        """The store holds these effects; `lag_us` of log time after the oldest entry was logged."""
        ...


class Engine:
    """The thread and its state. `trouble`: why nothing can be written now; `failed`: what ended it, if anything did."""

    def __init__(
        self, site: Site, surges: SiteRunner, readings: Sequence[ReadingsRunner], routing: Routing, clock: Clock,
        hub: Hub, ledger: Ledger,
    ) -> None:  # fmt: skip
        self.site, self.surges, self.readings, self.routing = site, surges, readings, routing
        self.clock, self.hub, self.ledger = clock, hub, ledger
        self.room = Room()
        self.verdicts = Verdicts()
        self.regulars: list[Regular] = []
        self.watchers: list[Watcher] = []
        self.trouble = ""
        self.failed: BaseException | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._inbox, self._backlog, self._owed = Inbox(), Backlog(), Owed()
        self._budget = LetterBudget()
        self._failed_commit: Commit | None = None
        self._must_forward = self._is_stopping = False
        self._folded_at = self._committed_at = 0.0
        self._told = {each.number: each.fold.county.now for each in site.partitions}
        """When each partition of the signals log was last told anything."""
        self._now = max(*self._told.values(), surges.fold.now, *(each.now for each in readings))
        self._minute = self._now // MINUTE_US
        self._heard: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="engine")

    # for other threads ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, finish what was taken, and end; returns when it has."""
        self._is_stopping = True
        self._inbox.wake()
        if self._thread.is_alive():
            self._thread.join()

    def join(self) -> None:
        """Wait until the thread has ended, for whatever reason."""
        self._thread.join()

    def offer(self, group: Group) -> None:
        """Hand over a prepared group; it counts against the room already."""
        if not self._inbox.offer(group):
            self._refuse([group], [], NotNow(STOPPING, 5.0))

    def enter(self, entry: Entry) -> None:
        """Append an entry with priority. Raises NotNow when nothing can be written."""
        self.check()
        if not self._inbox.enter(entry):
            raise NotNow(STOPPING, 5.0)

    def later(self, *entries: Entry) -> None:
        """Append entries with the next turn."""
        self._inbox.enter(*entries)

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call on this thread, between two steps."""
        return self._inbox.call(call)

    def wake(self) -> None:
        """Have the thread look again."""
        self._inbox.wake()

    def check(self) -> None:
        """Raises NotNow while nothing can be taken in."""
        if self.failed is not None or self._is_stopping:
            raise NotNow(STOPPING, 5.0)
        if self.trouble:
            raise NotNow(self.trouble, 5.0)

    @property
    def is_running(self) -> bool:
        """Whether the thread works."""
        return self._thread.is_alive() and self.failed is None

    def is_idle(self) -> bool:
        """Whether nothing waits to be committed or folded."""
        return not (self._inbox.has_work() or self._backlog or self._owed)

    def lag_us(self) -> int:
        """Age of the oldest entry that is in the log and not folded."""
        oldest = self._backlog.oldest()
        return 0 if oldest is None else max(0, self.clock.now() - oldest)

    # the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:
            self.failed = error
            raise
        finally:
            groups, entries, errands = self._inbox.close()
            self._refuse(groups, entries, NotNow(STOPPING, 5.0))
            for errand in errands:
                errand.future.set_exception(NotNow(STOPPING, 5.0))
            self.hub.close()
            self.on_end()

    def _turn(self) -> bool:
        groups, entries, errands = self._inbox.take(self._wait)
        for errand in errands:
            errand.run()
        try:
            if not self._is_even():
                raise NotNow(FULL, 5.0)
            if groups or entries:
                self._commit(groups, entries)
        except NotNow as full:
            self._refuse(groups, entries, full)
        except BaseException:
            self._refuse(groups, entries, NotNow(STOPPING, 5.0))
            raise
        if not self._is_deferred():
            self._fold()
        now = self.stamp()
        if not self._owed:
            self._pass_time(now)
        for regular in tuple(self.regulars):
            if not self._goes_well(regular, lambda regular=regular: regular.look(now)):  # type: ignore[misc]
                self.regulars.remove(regular)
        return not self._is_stopping or self._inbox.has_work() or (bool(self._backlog) and not self.trouble)

    def _wait(self, condition: threading.Condition) -> None:
        """Wait for something to do, for the next tick, or for the disk; the condition is held."""
        if self.trouble and not self._is_stopping:
            condition.wait(RETRY_S)
        elif not (self._inbox.has_work() or self._backlog or self._is_stopping):
            self.clock.wait(condition, min(min(self._told.values()) + TICK_US, (self._minute + 1) * MINUTE_US))
        elif not self._inbox.has_work() and self._is_deferred():
            condition.wait(PAUSE_S)

    def _is_deferred(self) -> bool:
        """Whether the fold stands back: for a burst, or for a moment because more has just come."""
        if self._is_stopping:
            return False
        now = time.monotonic()
        if now - self._folded_at < GATHER_S and now - self._committed_at < PAUSE_S:
            return True
        return self._backlog.is_deferred()

    def stamp(self) -> int:
        """Log time, never before the log's own; on this thread."""
        return max(self.clock.now(), self._now)

    # committing ----------------------------------------------------------------------------------------------------

    def _commit(self, groups: Sequence[Group], entries: Sequence[Entry]) -> None:
        """Write all of it or nothing. Raises NotNow when nothing was written."""
        now = self.stamp()
        commit = Commit(self.site, self.routing, self._budget, now, self._failed_commit)
        try:
            with self.site.logs.transaction():
                commit.entries([entry for entry in entries if not entry.to_site])
                commit.signals([group for group in groups if not group.is_readings])
                commit.readings([group for group in groups if group.is_readings], self.readings)
                commit.write()
        except OSError as error:
            self.routing.forget()
            self._is_full(error)
            self._failed_commit = commit
            raise NotNow(FULL, 5.0) from error
        answer(commit.outcomes)
        self._committed_at = time.monotonic()
        self.trouble, self._failed_commit = "", None
        self._now = now
        self._told |= dict.fromkeys((number for number, _ in commit.frames), now)
        self.ledger.move(commit.moves)
        for name in commit.heard:
            self.ledger.hear(name, now)
        self._heard |= commit.heard
        waiting = [post for group in groups for post in group.posts]
        is_urgent = bool(entries) or any(part.is_emergency for group in groups for part in group.parts)
        self._backlog.add(commit.frames, waiting, is_urgent=is_urgent)
        if not commit.frames:
            self._free(waiting)
        self._fold_readings(commit.reading_frames)
        own = [entry for entry in entries if entry.to_site]
        try:
            self.to_site([(entry.kind, entry.payload) for entry in own])
        except NotNow as full:
            refuse(own, full)

    def append_config(self, payload: dict[str, Any], settings: dict[str, Any]) -> None:
        """Append a configuration to every log; on this thread. Raises NotNow on a full disk."""
        self._commit([], [Entry(Kind.CONFIG, payload)])
        self.to_site([(Kind.CONFIG, payload)])
        self._append_readings(self.readings, [(Kind.CONFIG, self.stamp(), {"settings": settings})])

    def settle(self) -> None:
        """Fold all that waits, before the thread is started."""
        while self._backlog:
            self._fold()

    def to_site(self, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> None:
        """Append entries to the site log and fold them; on this thread. Raises NotNow when they could not be logged."""
        if not entries:
            return
        before = self.surges.offset
        self._surging(lambda: self.surges.append([(kind, self.stamp(), payload) for kind, payload in entries]))
        if self.surges.offset == before:
            raise NotNow(FULL, 5.0)

    def assess(self, words: Sequence[dict[str, Any]]) -> None:
        """Words of the readings fold go to the signals log with the next commit."""
        self.later(
            *(Entry(Kind.ASSESSMENT, word, partition=word["partition"], fail=self._forward_later) for word in words)
        )

    def _forward_later(self, why: Exception) -> None:
        self._must_forward = True

    def _append_readings(
        self, runners: Sequence[ReadingsRunner], entries: Sequence[tuple[Kind, int, dict[str, Any]]]
    ) -> None:
        if not runners:
            return
        frames = [(runner.number, frame_of_others(entries)) for runner in runners]
        try:
            with self.site.logs.transaction():
                for number, frame in frames:
                    self.site.logs.append("readings", number, [frame.to_bytes()])
        except OSError as error:
            self._is_full(error)
            return
        self._fold_readings(frames)

    def _is_full(self, error: OSError) -> None:
        """Take note of a full disk; any other error is raised again."""
        if error.errno != errno.ENOSPC:
            raise error
        self.trouble = FULL

    def _refuse(self, groups: Sequence[Group], entries: Sequence[Entry], why: Exception) -> None:
        posts = [post for group in groups for post in group.posts]
        self._free(posts)
        answer([(post, why) for post in posts])
        refuse(entries, why)

    def _free(self, posts: Sequence[Post]) -> None:
        for post in posts:
            self.room.free(post.source, len(post.records), post.size)

    # folding -------------------------------------------------------------------------------------------------------

    def _fold(self) -> None:
        """Fold about a frame's worth of what waits, in the order of the log."""
        if not self._backlog or self._owed:
            return
        self._folded_at = time.monotonic()
        frames, posts = self._backlog.take()
        told: list[Effects] = []
        try:
            for number, own in frames.items():
                told += self._step(number, own)
        finally:
            self._free(posts)
        waited = [frame for own in frames.values() for frame in own]
        lag = max(0, self.clock.now() - min(int(frame.now[0]) for frame in waited))
        entries = sum(map(len, waited))
        for watcher in tuple(self.watchers) if told else ():
            if not self._goes_well(watcher, lambda watcher=watcher: watcher.folded(told, entries, lag)):  # type: ignore[misc]
                self.watchers.remove(watcher)

    def _step(self, number: int, frames: Sequence[Frame]) -> list[Effects]:
        partition, log = self.site.partitions[number], f"signals-{number}"
        try:
            effects = partition.step(frames)
        except OSError as error:
            self._is_full(error)
            self._owed.add(log, partition.keep)
            return []
        self._tell(log, effects)
        return effects

    def _fold_readings(self, frames: Sequence[tuple[int, Frame]]) -> None:
        """Readings are folded at once: columns are quick, and what is wrong with one must not wait for matters."""
        for runner in self.readings:
            own = [frame for number, frame in frames if number == runner.number]
            if not own:
                continue
            log = f"readings-{runner.number}"
            try:
                effects, _ = runner.step(own)
            except OSError as error:
                self._is_full(error)
                self._owed.add(log, runner.keep)
                continue
            self._tell(log, effects)

    def _surging(self, call: Callable[[], list[Effects]]) -> None:
        try:
            effects = call()
        except OSError as error:
            self._is_full(error)
            self._owed.add("site-0", self.surges.keep)
            return
        self._tell("site-0", effects)

    def _is_even(self) -> bool:
        """Whether the store holds all that was folded; tries again to keep what it does not."""
        if not self._owed:
            return True
        try:
            self._owed.keep(self._tell)
        except OSError as error:
            self._is_full(error)
            return False
        self.trouble = ""
        if self._must_forward:
            self._must_forward = False
            for runner in self.readings:
                runner.forward_again()
        return True

    def _tell(self, log: str, all_effects: Sequence[Effects]) -> None:
        """The store holds these effects: count them, tell readers and whoever waits for a verdict."""
        counts: Counter[str] = Counter()
        transitions: list[dict[str, Any]] = []
        verdicts: list[Mapping[str, Any]] = []
        for effects in all_effects:
            counts.update(effects.counts)
            transitions += effects.transitions
            verdicts += effects.verdicts
        self.ledger.move({name: count for name, count in counts.items() if "@" in name})
        self.hub.publish(log, transitions, self._now)
        if verdicts:
            self.verdicts.tell(verdicts)

    def _goes_well(self, part: object, call: Callable[[], None]) -> bool:
        """Make a call of something beside the engine; what fails is left out from then on, and the site goes on."""
        try:
            call()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                self.trouble = FULL
                return True
            log.exception("left out after a failure", part=type(part).__name__)
            return False
        except Exception:
            log.exception("left out after a failure", part=type(part).__name__)
            return False
        return True

    # time ----------------------------------------------------------------------------------------------------------

    def _pass_time(self, now: int) -> None:
        """Ticks where nothing came for a while; once a minute the site hears of counts and of sources that spoke."""
        if self._backlog:
            return  # it is told the time by what it folds next
        try:
            # On a full disk it is the tick that finds room again.
            silent = [number for number, told in self._told.items() if self.trouble or now >= told + TICK_US]
            if silent:
                self._commit([], [Entry(Kind.TICK, {}, partition=number) for number in silent])
                self._fold()
            # A sensor that has fallen silent is noticed by the next entry of its log.
            self._append_readings([each for each in self.readings if each.fold.next_due <= now], [(Kind.TICK, now, {})])
            if now // MINUTE_US > self._minute and not self._owed:
                self._pass_minute(now)
        except NotNow:
            return  # it is tried again with the next tick

    def _pass_minute(self, now: int) -> None:
        self._surging(lambda: self.surges.drain(now))
        for number, entries in self.surges.to_counties().items():
            self.later(*(Entry(kind, payload, partition=number) for kind, _, payload in entries))
        watched = self.surges.rules.intervals
        heard = [name for name in sorted(self._heard) if code64(name) in watched]
        self.to_site([(Kind.FACT, {"source": name}) for name in heard] or [(Kind.TICK, {})])
        self._minute, self._heard = now // MINUTE_US, set()
