"""The engine: one thread that alone writes to log and store. It commits what arrived, then folds it.

Whatever waits is committed together, at once when nothing is folded; an emergency and a command go first. The fold
reads frames in the order of the log and may be behind it by what `Room` lets in. A full disk stops both until there is
room again: whoever waits for an answer is told, what is folded but not kept stays in memory.
"""

import errno
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import structlog

from connectors.intake_http import NotNow
from pipeline.calendar import MINUTE_US
from pipeline.effects import Effects
from pipeline.frame import MAX_ENTRIES, Frame, Kind, frame_of_others
from pipeline.ids import code64
from runners.clock import SECOND, Clock
from runners.embedded import Site
from runners.live_commit import Commit, LetterBudget
from runners.live_hub import Hub
from runners.live_ledger import Ledger
from runners.live_room import Room
from runners.live_verdicts import Verdicts
from runners.live_work import Entry, Errand, Group, Outcome, Post
from runners.readings_runner import ReadingsRunner
from runners.site_runner import SiteRunner

log = structlog.get_logger("forewarn")
TICK_US = 10 * SECOND
"""After so long without an entry a tick tells the fold what time it is."""
DEFERRED = 30_000
"""Entries that the fold leaves lying in a burst, which is made durable first and folded then."""
BURST = 2_500
"""Entries in the last quarter of a second from which on it is a burst."""
BURST_S = 0.25
DEFER_S = 0.02
"""How long a burst may pause before the fold goes on."""
RETRY_S = 1.0
"""Pause before a full disk is tried again."""
FULL = "the disk is full: nothing can be taken in until there is room"
STOPPING = "the site is stopping"


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
    """The thread, its queues and its state. `failed` is what ended it, if anything did."""

    def __init__(
        self, site: Site, surges: SiteRunner, readings: ReadingsRunner, clock: Clock, hub: Hub, ledger: Ledger
    ) -> None:
        self.site, self.surges, self.readings = site, surges, readings
        self.clock, self.hub, self.ledger = clock, hub, ledger
        self.room = Room()
        self.verdicts = Verdicts()
        self.regulars: list[Regular] = []
        self.trouble = ""
        self.failed: BaseException | None = None
        self.on_end: Callable[[], None] = lambda: None
        self.watchers: list[Watcher] = []
        self._budget = LetterBudget()
        self._wake = threading.Condition()
        self._groups: deque[Group] = deque()
        self._entries: list[Entry] = []
        self._errands: list[Errand] = []
        self._urgent = -1
        self._behind = 0
        self._burst = Burst()
        self._unfolded: deque[tuple[Frame, list[Post]]] = deque()
        self._owed: list[tuple[str, Callable[[], list[Effects]]]] = []
        self._must_forward = False
        self._failed_commit: Commit | None = None
        self._now = max(site.partitions[0].fold.county.now, surges.fold.now, readings.now)
        self._minute = self._now // MINUTE_US
        self._heard: set[str] = set()
        self._is_stopping = self._has_news = self._has_ended = False
        self._thread = threading.Thread(target=self._run, name="engine")

    # for other threads ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, finish what was taken, and end; returns when it has."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def join(self) -> None:
        """Wait until the thread has ended, for whatever reason."""
        self._thread.join()

    def offer(self, group: Group) -> None:
        """Hand over a prepared group; it counts against the room already."""
        with self._wake:
            if not self._has_ended:
                if any(part.is_emergency for part in group.parts):
                    self._groups.appendleft(group)
                else:
                    self._groups.append(group)
                self._wake.notify()
                return
        self._refuse([group], NotNow(STOPPING, 5.0))

    def enter(self, entry: Entry) -> None:
        """Append an entry with priority. Raises NotNow when nothing can be written."""
        self.check()
        with self._wake:
            if self._has_ended:
                raise NotNow(STOPPING, 5.0)
            self._entries.append(entry)
            self._wake.notify()

    def call(self, call: Callable[[], Any]) -> "Future[Any]":
        """Make a call on the engine's thread, between two steps."""
        errand = Errand(call)
        with self._wake:
            if self._has_ended:
                errand.future.set_exception(NotNow(STOPPING, RETRY_S))
            else:
                self._errands.append(errand)
                self._wake.notify()
        return errand.future

    def wake(self) -> None:
        """Have the thread look again."""
        with self._wake:
            self._has_news = True
            self._wake.notify()

    def commit_entry(self, entry: Entry) -> None:
        """Append an entry with the next turn; on the engine's thread."""
        with self._wake:
            self._entries.append(entry)

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
        with self._wake:
            return not (self._has_work() or self._unfolded or self._owed)

    def lag_us(self) -> int:
        """Age of the oldest entry that is in the log and not folded."""
        try:
            oldest = int(self._unfolded[0][0].now[0])
        except IndexError:
            return 0
        return max(0, self.clock.now() - oldest)

    # the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:
            self.failed = error
            raise
        finally:
            self._give_up()
            self.on_end()

    def _turn(self) -> bool:
        groups, entries, errands = self._next()
        for errand in errands:
            errand.run()
        if self._owed and not self._keep():
            self._refuse(groups, NotNow(FULL, 5.0))
            for entry in entries:
                entry.fail(NotNow(FULL, 5.0))
            return not self._is_stopping
        if groups or entries:
            self._commit(groups, entries)
        if not self._is_deferred():
            self._fold()
        now = self.stamp()
        if not self._owed:
            self._pass_time(now)
        for regular in tuple(self.regulars):
            if not self._goes_well(regular, lambda regular=regular: regular.look(now)):  # type: ignore[misc]
                self.regulars.remove(regular)
        with self._wake:
            return not self._is_stopping or self._has_work() or bool(self._unfolded)

    def _has_work(self) -> bool:
        return bool(self._groups or self._entries or self._errands or self._has_news)

    def _next(self) -> tuple[list[Group], list[Entry], list[Errand]]:
        """Everything that waits; waits for something, for the next tick, or for the disk."""
        with self._wake:
            if self.trouble and not self._is_stopping:
                self._wake.wait(RETRY_S)
            elif not (self._has_work() or self._unfolded or self._is_stopping):
                self.clock.wait(self._wake, self._due())
            elif not self._has_work() and self._is_deferred():
                self._wake.wait(DEFER_S)
            self._has_news = False
            groups, self._groups = list(self._groups), deque()
            entries, self._entries = self._entries, []
            errands, self._errands = self._errands, []
        return groups, entries, errands

    def _is_deferred(self) -> bool:
        """Whether the fold stands back for what is being prepared; never for a command or an emergency."""
        return (
            not self._is_stopping
            and self._urgent <= self.site.partitions[0].offset
            and self._behind < DEFERRED
            and self._burst.is_one()
        )

    def _due(self) -> int:
        return min(self._now + TICK_US, (self._minute + 1) * MINUTE_US)

    def stamp(self) -> int:
        """Log time, never before the log's own; on the engine's thread."""
        return max(self.clock.now(), self._now)

    # committing ----------------------------------------------------------------------------------------------------

    def _commit(self, groups: Sequence[Group], entries: Sequence[Entry]) -> None:
        now = self.stamp()
        commit = Commit(self.site, self._budget, now, self._failed_commit)
        try:
            with self.site.logs.transaction():
                commit.entries([entry for entry in entries if not entry.to_site])
                commit.signals([group for group in groups if not group.is_readings])
                commit.readings([group for group in groups if group.is_readings], self.readings)
                commit.write()
        except OSError as error:
            self._is_full(error)
            self._failed_commit = commit
            self._refuse(groups, NotNow(FULL, 5.0))
            for entry in entries:
                entry.fail(NotNow(FULL, 5.0))
            return
        self.trouble, self._failed_commit = "", None
        self._now = now
        self.ledger.move(commit.moves)
        for name in commit.heard:
            self.ledger.hear(name, now)
        self._heard |= commit.heard
        answer(commit.outcomes)
        self._unfolded += [(frame, []) for frame, _ in commit.frames]
        fresh = sum(len(frame) for frame, _ in commit.frames)
        self._behind += fresh
        self._burst.add(fresh)
        waiting = [post for group in groups for post in group.posts]
        if commit.frames and (entries or any(part.is_emergency for group in groups for part in group.parts)):
            self._urgent = commit.frames[-1][0].offset
        if commit.frames:
            self._unfolded[-1][1].extend(waiting)
        else:
            self._free(waiting)
        self._fold_readings(commit.reading_frames)
        self.to_site([(entry.kind, entry.payload) for entry in entries if entry.to_site])

    def append_config(self, payload: dict[str, Any], settings: dict[str, Any]) -> None:
        """Append a configuration to every log; on the engine's thread. Raises NotNow on a full disk."""
        self._commit([], [Entry(Kind.CONFIG, payload)])
        if self.trouble:
            raise NotNow(self.trouble, 5.0)
        self.to_site([(Kind.CONFIG, payload)])
        self._append_readings([(Kind.CONFIG, self.stamp(), {"settings": settings})])

    def settle(self) -> None:
        """Fold all that waits, before the thread is started."""
        while self._unfolded:
            self._fold()

    def _append_readings(self, entries: Sequence[tuple[Kind, int, dict[str, Any]]]) -> None:
        frame = frame_of_others(entries)
        try:
            with self.site.logs.transaction():
                self.site.logs.append("readings", 0, [frame.to_bytes()])
        except OSError as error:
            self._is_full(error)
            return
        self._fold_readings([frame])

    def _fold_readings(self, frames: Sequence[Frame]) -> None:
        """Readings are folded at once: columns are quick, and what is wrong with one must not wait for matters."""
        if not frames:
            return
        try:
            effects, _ = self.readings.step(frames)
        except OSError as error:
            self._is_full(error)
            self._owed.append(("readings-0", self.readings.keep))
            return
        self._tell("readings-0", effects, self.readings.now)

    def assess(self, words: Sequence[dict[str, Any]]) -> None:
        """Words of the readings fold go to the signals log with the next commit."""
        with self._wake:
            self._entries += [Entry(Kind.ASSESSMENT, word, fail=self._forward_later) for word in words]

    def _forward_later(self, why: Exception) -> None:
        self._must_forward = True

    def to_site(self, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> None:
        """Append entries to the site log and fold them; on the engine's thread."""
        if entries:
            self._surging(lambda: self.surges.append([(kind, self.stamp(), payload) for kind, payload in entries]))

    def _surging(self, call: Callable[[], list[Effects]]) -> None:
        try:
            effects = call()
        except OSError as error:
            self._is_full(error)
            self._owed.append(("site-0", self.surges.keep))
            return
        self._tell("site-0", effects, self.surges.fold.now)

    def _is_full(self, error: OSError) -> None:
        if error.errno != errno.ENOSPC:
            raise error
        self.trouble = FULL

    def _refuse(self, groups: Sequence[Group], why: Exception) -> None:
        posts = [post for group in groups for post in group.posts]
        self._free(posts)
        answer([(post, why) for post in posts])

    def _free(self, posts: Sequence[Post]) -> None:
        for post in posts:
            self.room.free(post.source, len(post.records), post.size)

    # folding -------------------------------------------------------------------------------------------------------

    def _fold(self) -> None:
        """Fold about a frame's worth of what waits, in the order of the log."""
        if not self._unfolded or self._owed:
            return
        frames: list[Frame] = []
        posts: list[Post] = []
        while self._unfolded and (not frames or sum(map(len, frames)) + len(self._unfolded[0][0]) <= MAX_ENTRIES):
            frame, own = self._unfolded.popleft()
            frames.append(frame)
            posts += own
        self._behind -= sum(map(len, frames))
        partition = self.site.partitions[0]
        try:
            effects = partition.step(frames)
        except OSError as error:
            self._is_full(error)
            self._owed.append(("signals-0", partition.keep))
            self._free(posts)
            return
        self._free(posts)
        self._tell("signals-0", effects, partition.fold.county.now)
        lag = max(0, self.clock.now() - int(frames[0].now[0]))
        entries = sum(map(len, frames))
        for watcher in tuple(self.watchers):
            if not self._goes_well(watcher, lambda watcher=watcher: watcher.folded(effects, entries, lag)):  # type: ignore[misc]
                self.watchers.remove(watcher)

    def _goes_well(self, part: object, call: Callable[[], None]) -> bool:
        """Make a call of something beside the engine; what fails is left out from then on, and the site goes on."""
        try:
            call()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                log.exception("left out after a failure", part=type(part).__name__)
                return False
            self.trouble = FULL
        except Exception:
            log.exception("left out after a failure", part=type(part).__name__)
            return False
        return True

    def _keep(self) -> bool:
        """Try again to keep what was folded while the disk was full."""
        while self._owed:
            log, keep = self._owed[0]
            try:
                effects = keep()
            except OSError as error:
                self._is_full(error)
                return False
            self._owed.pop(0)
            self._tell(log, effects, self._now)
        self.trouble = ""
        if self._must_forward:
            self._must_forward = False
            self.readings.forward_again()
        return True

    def _tell(self, log: str, all_effects: Sequence[Effects], at: int) -> None:
        """The store holds these effects: count them, tell readers and whoever waits for a verdict."""
        counts: Counter[str] = Counter()
        transitions: list[dict[str, Any]] = []
        verdicts: list[Mapping[str, Any]] = []
        for effects in all_effects:
            counts.update(effects.counts)
            transitions += effects.transitions
            verdicts += effects.verdicts
        self.ledger.move({name: count for name, count in counts.items() if "@" in name})
        self.hub.publish(log, transitions, at)
        if verdicts:
            self.verdicts.tell(verdicts)

    # time ----------------------------------------------------------------------------------------------------------

    def _pass_time(self, now: int) -> None:
        """Ticks where nothing came for a while; once a minute the site hears of counts and of sources that spoke."""
        if self._unfolded:
            return  # it is told the time by what it folds next
        if self.trouble or now >= self._now + TICK_US:  # on a full disk it is the tick that finds room again
            self._commit([], [Entry(Kind.TICK, {})])
            self._fold()
        if self.readings.fold.next_due <= now and not self.trouble:
            # A sensor that has fallen silent is noticed by the next entry of its log.
            self._append_readings([(Kind.TICK, now, {})])
        minute = now // MINUTE_US
        if minute > self._minute and not self._owed:
            self._minute = minute
            watched = self.surges.rules.intervals
            heard, self._heard = self._heard, set()
            facts = [(Kind.FACT, {"source": name}) for name in sorted(heard) if code64(name) in watched]
            self._surging(lambda: self.surges.drain(now))
            self.to_site(facts or [(Kind.TICK, {})])

    def _give_up(self) -> None:
        """Answer whoever still waits."""
        with self._wake:
            self._is_stopping = self._has_ended = True
            groups, entries, errands = list(self._groups), self._entries, self._errands
            self._groups.clear()
            self._entries, self._errands = [], []
        self._refuse(groups, NotNow(STOPPING, 5.0))
        for entry in entries:
            entry.fail(NotNow(STOPPING, 5.0))
        for errand in errands:
            errand.future.set_exception(NotNow(STOPPING, 5.0))
        self.hub.close()


class Burst:
    """How much was committed of late, forgotten by the second."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._count = 0.0
        self._at = seconds()

    def add(self, count: int) -> None:
        """So many entries were committed now."""
        now = self._seconds()
        self._count = self._count * math.exp((self._at - now) / BURST_S) + count
        self._at = now

    def is_one(self) -> bool:
        """Whether it comes thick and has not paused."""
        passed = self._seconds() - self._at
        return passed < DEFER_S and self._count * math.exp(-passed / BURST_S) > BURST


def answer(outcomes: Sequence[tuple[Post, Outcome]]) -> None:
    """Tell each post what came of it: one call into each event loop, whatever their number."""
    by_loop: dict[Any, list[tuple[Post, Outcome]]] = {}
    for post, outcome in outcomes:
        by_loop.setdefault(post.loop, []).append((post, outcome))
    for loop, own in by_loop.items():
        if loop is None:
            _done(own)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_done, own)


def _done(outcomes: Sequence[tuple[Post, Outcome]]) -> None:
    for post, outcome in outcomes:
        post.done(outcome)
