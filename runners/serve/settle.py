"""Pledges that a server left behind: what of them is in the logs is counted, and what is not is taken back."""

from collections.abc import Iterator
from hashlib import sha256

import structlog

from alerts.pledges import Pledge, Pledged
from pipeline.errors import LogGap
from runners.serve.parts import Log, Parts
from runners.serve.write import keep

log = structlog.get_logger("forewarn")
LEFT_US = 60_000_000
"""After so long no producer can still deliver what a pledge is about."""


def settle(parts: Parts, now: int, left_us: int = LEFT_US) -> int:
    """Settle what was pledged long enough before `now` (µs UTC); how many. Raises LogUnavailable, StoreUnavailable."""
    pledges = parts.pledges.open(now - left_us)
    for pledge in pledges:
        found = list(_found(parts, pledge))
        with parts.logs.transaction():
            if parts.pledges.redeem(pledge.id):
                keep(parts, found)
        log.warning("an open pledge was settled", holder=pledge.holder, frames=len(pledge.frames), logged=len(found))
    return len(pledges)


def _found(parts: Parts, pledge: Pledge) -> Iterator[tuple[Pledged, int]]:
    """Its frames that are in the logs, with their offsets."""
    by_log: dict[Log, dict[str, Pledged]] = {}
    for frame in pledge.frames:
        by_log.setdefault((frame.log, frame.partition), {})[frame.sha256] = frame
    for place, wanted in by_log.items():
        after = min(frame.after for frame in wanted.values())
        for offset, body in _read(parts, place, after):
            told = sha256(body).hexdigest()
            if told in wanted:
                yield wanted.pop(told), offset
            if not wanted:
                break


def _read(parts: Parts, place: Log, after: int) -> Iterator[tuple[int, bytes]]:
    try:
        yield from parts.frames.read(*place, after)
    except LogGap as gap:
        if gap.next is None:
            raise
        # What the brokers no longer keep was folded long ago, or never will be.
        yield from parts.frames.read(*place, gap.next - 1)
