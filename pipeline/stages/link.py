"""Which matter is a signal about? The same source id, or an open hazard at the same asset; text comes later."""

from pipeline.county import County
from pipeline.errors import Reason
from pipeline.signal import Step


def slot_of(county: County, key: bytes, asset: int, step: int) -> int:
    """Slot of the signal's matter; a new row when there is none yet.

    A step that arrives before its registration opens the row all the same and is counted: it is never dropped.
    """
    slot = county.matters.slot_of.get(key)
    if slot is not None:
        return slot
    if asset:
        linked = county.assets.get(asset)
        if linked is not None:
            slot = county.matters.slot_of.get(linked)
            if slot is not None and county.is_open(slot):
                return slot
    slot = county.matters.add(key)
    county.first[slot] = county.last[slot] = county.clock[slot] = -1
    if asset:
        county.asset[slot] = asset
        county.link(asset, key)
    if step != Step.REGISTERED:
        county.effects.counts[Reason.BEFORE_REGISTRATION] += 1
    return slot
