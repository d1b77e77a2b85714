"""The thread of a worker that folds: partition by partition, a chunk and a transaction at a time.

Kafka's side says which partitions are ours (`suspend`, `assign`), hands records over (`offer`) and is told when one is
kept. What this thread believes of a partition is checked by the store with every transaction: where another owner has
been, the state is forgotten and taken anew. Servers that are away are waited for; nothing is taken from the queue
before it is kept.
"""

import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import structlog

from pipeline.errors import Fenced, ForewarnError, LogUnavailable, StoreUnavailable
from runners.worker.owned import Kept, Owned
from runners.worker.site import Place
from runners.worker.state import Arrived, Look, Seat

log = structlog.get_logger("forewarn")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
"""Pauses before brokers or database are tried again, or a partition that another has overtaken: doubled each time."""
UNDELIVERED_S = 10.0
"""After so long without a record of a log that has more, it is read without waiting for delivery."""
CHUNK = 64
"""Records that are looked at for one transaction; it holds fewer entries than that many frames."""


class Told(Protocol):
    """Who is told what this thread does, on this thread."""

    def kept(self, place: Place, kept: Kept, owned: Owned) -> None:
        """A transaction is done."""
        ...

    def restored(self, place: Place, owned: Owned, seconds: float) -> None:
        """A partition can go on."""
        ...

    def overtaken(self, place: Place) -> None:
        """Another owner has been there."""
        ...

    def forgotten(self, place: Place) -> None:
        """A partition is not ours any more."""
        ...


Make = Callable[[Place], Owned]
Acknowledge = Callable[[list[Callable[[], object]]], None]
"""Acknowledges records that are kept, in order; called on this thread."""
Hold = Callable[[Place, bool], None]
"""Asks for no more of a partition's records, or again; called on any thread."""


class Folds:
    """All partitions of one worker and the thread that folds them."""

    def __init__(self, make: Make, told: Told) -> None:
        self._make, self._told = make, told
        self.acknowledge: Acknowledge = _call
        self.hold: Hold = lambda place, must_hold: None
        self._turn = threading.Condition()
        self._seats: dict[Place, Seat] = {}
        self._wanted: frozenset[Place] = frozenset()
        self._is_suspended = self._is_stopping = self._is_busy = self._must_settle = False
        self._order: list[Place] = []
        self._pause = 0.0
        self.waiting_for = ""
        """The server that does not answer, '' while all do."""
        self.failed: BaseException | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="folds", daemon=True)

    # for other threads ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def suspend(self, within_s: float) -> bool:
        """Fold nothing more until `assign`; returns when the running transaction is done, or False after a while."""
        with self._turn:
            self._is_suspended = True
            for seat in self._seats.values():
                seat.clear()
            self._turn.notify_all()
            return self._turn.wait_for(lambda: not self._is_busy, within_s)

    def assign(self, places: Collection[Place]) -> None:
        """These are ours from now on: what was ours and nobody else has touched goes on as it is."""
        with self._turn:
            self._wanted = frozenset(places)
            for place in self._wanted:
                self._seats.setdefault(place, Seat())  # at once: what is delivered from now on is delivered once
            self._is_suspended, self._must_settle = False, True
            self._turn.notify_all()

    def offer(self, place: Place, arrived: Arrived) -> None:
        """Hand a record over. One of a partition that is not ours, or that has stopped, is let go unacknowledged."""
        with self._turn:
            seat = self._seats.get(place)
            if seat is None or seat.stopped or self._is_suspended or place not in self._wanted:
                return
            seat.waiting.append(arrived)
            seat.size += arrived.size
            must_hold = seat.is_full and not seat.is_held
            seat.is_held = seat.is_held or must_hold
            self._turn.notify_all()
        if must_hold:
            self.hold(place, True)

    def stop(self, within_s: float) -> bool:
        """Finish the running transaction, write last checkpoints, and end; False when that takes too long."""
        with self._turn:
            self._is_stopping = True
            self._turn.notify_all()
        if self._thread.is_alive():
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def places(self) -> list[Place]:
        """What is ours."""
        with self._turn:
            return sorted(self._seats)

    def ends(self, ends: Mapping[Place, int]) -> None:
        """The next offset of each log, as the brokers say."""
        now = time.monotonic()
        with self._turn:
            for place, end in ends.items():
                seat = self._seats.get(place)
                if seat is not None:
                    seat.end = end
                    if seat.lag() == 0:
                        seat.moved_at = now
                    elif not seat.waiting and now - seat.moved_at > UNDELIVERED_S:
                        seat.read_to = end - 1
            self._turn.notify_all()

    def looks(self, now: int, dates: Mapping[Place, float]) -> dict[Place, Look]:
        """How each partition is; `now`: log time (µs UTC), `dates`: of checkpoints (monotonic seconds)."""
        seconds = time.monotonic()
        with self._turn:
            return {place: _look(seat, now, seconds, dates.get(place)) for place, seat in sorted(self._seats.items())}

    def stalled(self, after_s: float) -> Place | None:
        """A partition with work, and nothing that it waits for, that made no progress for so long."""
        now = time.monotonic()
        with self._turn:
            if self.waiting_for or self._is_stopping:
                return None
            for place, seat in self._seats.items():
                behind = bool(seat.waiting) or bool(seat.lag()) or seat.owned is None
                if behind and not seat.stopped and now - seat.moved_at > after_s:
                    return place
        return None

    def trouble(self) -> str:
        """Why not every partition makes progress, '' when all do."""
        with self._turn:
            if self.failed is not None:
                return f"folding has ended: {self.failed}"
            if self.waiting_for:
                return self.waiting_for
            for place, seat in sorted(self._seats.items()):
                if seat.stopped:
                    return f"{_name(place)} has stopped: {seat.stopped}"
            restoring = [_name(place) for place in sorted(self._wanted) if not _is_restored(self._seats.get(place))]
            return f"restoring {', '.join(restoring[:3])}" if restoring else ""

    # the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._one_turn():
                pass
            self._close()
        except BaseException as error:  # noqa: BLE001  it is told, and the worker ends
            self.failed = error
            # In plain words: a renderer that shows variables would be busy with whole partitions for minutes.
            log.critical("folding has ended", reason=str(error), trace=traceback.format_exc())
        finally:
            self.on_end()

    def _one_turn(self) -> bool:
        with self._turn:
            self._is_busy = False
            self._turn.notify_all()
            self._turn.wait_for(self._has_work, self._until_retry())
            if self._is_stopping:
                return False
            if self._is_suspended or not self._has_work():
                return True
            self._is_busy = True
        try:
            if self._must_settle:
                self._settle()
            else:
                self._serve(self._next())
        except (StoreUnavailable, LogUnavailable) as error:
            self._wait(error)
        else:
            self.waiting_for = ""
            self._pause = 0.0
        return True

    def _has_work(self) -> bool:
        if self._is_stopping:
            return True
        return not self._is_suspended and (self._must_settle or self._next() is not None)

    def _next(self) -> Place | None:
        """Whose turn it is: the one that waits longest of those that can go on."""
        now = time.monotonic()
        for place in self._order:
            seat = self._seats[place]
            if not seat.stopped and now >= seat.not_before and (seat.owned is None or seat.has_work):
                return place
        return None

    def _until_retry(self) -> float | None:
        waiting = [seat.not_before for seat in self._seats.values() if seat.not_before and not seat.stopped]
        return max(0.0, min(waiting) - time.monotonic()) + 0.001 if waiting else None

    def _wait(self, error: ForewarnError) -> None:
        """A server is away: wait for it, but not when there is something else to do."""
        if not self.waiting_for:
            log.warning("waiting for a server", reason=str(error))
        self._pause = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause))
        with self._turn:
            self.waiting_for = str(error)
            self._is_busy = False
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._is_stopping or self._is_suspended, self._pause)
            for seat in self._seats.values():
                seat.moved_at = time.monotonic()

    # owning --------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Follow the assignment: forget what is not ours, keep what nobody has touched, make seats for the rest."""
        with self._turn:
            wanted, seats = self._wanted, dict(self._seats)
        for place in seats.keys() - wanted:
            self._forget(place)
        for seat in seats.values():
            if seat.owned is not None and not (seat.owned.is_even and self._is_untouched(seat.owned)):
                seat.owned.forget()
                seat.owned = None
        with self._turn:
            for place in wanted:
                self._seats.setdefault(place, Seat())
            for seat in self._seats.values():
                seat.end, seat.moved_at, seat.not_before = None, time.monotonic(), 0.0
            self._order = sorted(self._seats)
            self._must_settle = self._wanted != wanted

    def _is_untouched(self, owned: Owned) -> bool:
        applied = owned.site.store.applied(*owned.place)
        return (applied.offset if applied else -1) == owned.stored

    def _forget(self, place: Place) -> None:
        with self._turn:
            seat = self._seats.pop(place)
        if seat.owned is not None:
            seat.owned.forget()
        self._told.forgotten(place)

    def _serve(self, place: Place | None) -> None:
        if place is None:
            return
        seat = self._seats[place]
        self._order = [*(other for other in self._order if other != place), place]
        try:
            if seat.owned is None:
                self._restore(place, seat)
            else:
                self._fold(place, seat, seat.owned)
        except (StoreUnavailable, LogUnavailable):
            raise
        except Fenced as error:
            self._give_way(place, seat, error)
        except Exception as error:  # noqa: BLE001  whatever one partition stumbles over, the others go on
            self._stop_one(place, seat, error)

    def _restore(self, place: Place, seat: Seat) -> None:
        begun = time.monotonic()
        owned = self._make(place)
        owned.restore()
        with self._turn:
            seat.owned, seat.moved_at, seat.not_before = owned, time.monotonic(), 0.0
        self._told.restored(place, owned, time.monotonic() - begun)

    def _fold(self, place: Place, seat: Seat, owned: Owned) -> None:
        if not owned.keep():
            self._drop(seat)  # it broke off in the middle of a frame: no state to go on from
            return
        records = [(one.offset, one.body) for one in list(seat.waiting)[:CHUNK]]
        for kept in owned.apply(records, seat.read_to):
            self._done(place, seat, owned, kept)
            if self._is_suspended or self._is_stopping:
                return
        self._done(place, seat, owned, None)
        seat.pause = 0.0

    def _done(self, place: Place, seat: Seat, owned: Owned, kept: Kept | None) -> None:
        """Acknowledge what is kept by now, and ask for more."""
        done = []
        with self._turn:
            while seat.waiting and seat.waiting[0].offset <= owned.stored:
                arrived = seat.waiting.popleft()
                seat.size -= arrived.size
                done.append(arrived.acknowledge)
            seat.moved_at = time.monotonic()
            must_ask = seat.is_held and seat.has_room
            seat.is_held = seat.is_held and not must_ask
        if kept is not None:
            self._told.kept(place, kept, owned)
        if done:
            self.acknowledge(done)
        if must_ask:
            self.hold(place, False)

    def _give_way(self, place: Place, seat: Seat, error: Fenced) -> None:
        self._told.overtaken(place)
        seat.pause = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * seat.pause))
        log.warning("another owner has been there", partition=_name(place), pause_s=seat.pause, reason=str(error))
        self._drop(seat)
        seat.not_before = time.monotonic() + seat.pause

    def _stop_one(self, place: Place, seat: Seat, error: Exception) -> None:
        """This partition cannot go on; the others can. Nothing of it is acknowledged any more."""
        trace = {} if isinstance(error, ForewarnError) else {"trace": traceback.format_exc()}
        log.error("partition stopped", partition=_name(place), reason=str(error), **trace)
        self._drop(seat)
        with self._turn:
            seat.stopped = str(error) or type(error).__name__
            seat.clear()
        self.hold(place, True)

    def _drop(self, seat: Seat) -> None:
        if seat.owned is not None:
            seat.owned.forget()
        with self._turn:
            seat.owned = None

    def _close(self) -> None:
        for place, seat in self._seats.items():
            if seat.owned is None:
                continue
            try:
                if seat.owned.keep():
                    seat.owned.checkpoint()
            except ForewarnError as error:
                log.warning("no last checkpoint", partition=_name(place), reason=str(error))


def _call(calls: list[Callable[[], object]]) -> None:
    for call in calls:
        call()


def _look(seat: Seat, now: int, seconds: float, written: float | None) -> Look:
    lag = seat.lag()
    behind = bool(lag) or bool(seat.waiting)
    log_time = seat.owned.now if seat.owned is not None else 0
    return Look(
        lag_frames=lag,
        lag_seconds=max(0.0, (now - log_time) / 1e6) if behind and log_time else 0.0,
        idle_seconds=seconds - seat.moved_at if behind else 0.0,
        checkpoint_age_seconds=None if written is None else seconds - written,
        stopped=bool(seat.stopped),
    )


def _is_restored(seat: Seat | None) -> bool:
    return seat is not None and seat.owned is not None


def _name(place: Place) -> str:
    return f"{place[0]}-{place[1]}"
