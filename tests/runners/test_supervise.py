"""What the fold cannot bear is refused alone, and every replay refuses the same."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config.learning import Target
from config.settings import Settings
from pipeline.effects import Effects
from pipeline.frame import Frame, Kind
from pipeline.signal import Step
from pipeline.testing import Entry, Happening, Story, days, entry, frames_of, hours
from runners.embedded import Site
from runners.replay import replay
from runners.wiring import fold_rules

RULES = fold_rules(Settings(targets=(Target(name="late", rule="breach", window_days=0, prior=0.5),)))
GENESIS = Entry(Kind.CONFIG, hours(0), payload={"rules": RULES.to_json(), "settings": {}, "version": 1})
POISON = Entry(Kind.CONFIG, hours(2), payload={"rules": {"version": 9}})
"""Rules that nobody can read: the fold raises while it takes them."""


def reported(hour: float) -> Entry:
    return entry(Happening(f"m{hour}", hour, Step.REGISTERED, office="roads", due=hour + 20))


def take(site: Site, frames: Iterable[Frame]) -> Story:
    story = Story()
    for frame in frames:
        for effects in keep(site, frame):
            story.add(effects)
    return story


def keep(site: Site, frame: Frame) -> list[Effects]:
    with site.logs.transaction():
        assert site.logs.append("signals", 0, [frame.to_bytes()]) == frame.offset
    return site.partitions[0].step([frame])


def refused(story: Story) -> list[dict[str, Any]]:
    return story.effects.rejected


def test_an_entry_that_raises_is_refused_alone_with_its_address(tmp_path: Path) -> None:
    site = Site(tmp_path, RULES)
    story = take(site, frames_of([GENESIS, reported(1), POISON, reported(3), reported(40)], [1]))
    assert [(each["reason"], each["offset"], each["index"]) for each in refused(story)] == [("internal", 1, 1)]
    assert story.effects.counts["applied"] == 3
    assert story.effects.counts["internal"] == 1
    site.close()


def test_what_stands_beside_it_comes_out_as_if_it_had_never_been_there(tmp_path: Path) -> None:
    with_it, without = Site(tmp_path / "with", RULES), Site(tmp_path / "without", RULES)
    clean = [GENESIS, reported(1), reported(3), reported(40)]
    story = take(with_it, frames_of([*clean[:2], POISON, *clean[2:]], [1]))
    told = take(without, frames_of(clean, [1]))
    assert story.transitions == told.transitions
    assert story.labels == told.labels
    with_it.close()
    without.close()


def test_every_replay_refuses_the_same(tmp_path: Path) -> None:
    site = Site(tmp_path, RULES)
    take(site, frames_of([GENESIS, reported(1), POISON, reported(3), POISON, reported(40)], [1, 5]))
    digests = site.partitions[0].fold.digest()
    site.close()
    again = replay(tmp_path)
    assert again.digests == {"signals-0": digests}
    assert again.is_equal
    assert again.counts["internal"] == 2


def test_a_restart_after_it_goes_on_where_it_was(tmp_path: Path) -> None:
    entries = [GENESIS, reported(1), POISON, reported(3), reported(40)]
    whole, stopped = Site(tmp_path / "whole", RULES), Site(tmp_path / "stopped", RULES)
    frames = frames_of(entries, [1, 3])
    take(whole, frames)
    take(stopped, frames[:2])
    stopped.close()
    back = Site(tmp_path / "stopped", RULES)
    take(back, frames[2:])
    assert back.partitions[0].fold.digest() == whole.partitions[0].fold.digest()
    whole.close()
    back.close()


def test_it_is_refused_alike_though_a_checkpoint_was_written_before(tmp_path: Path) -> None:
    plain, marked = Site(tmp_path / "plain", RULES), Site(tmp_path / "marked", RULES)
    frames = frames_of([GENESIS, reported(1), reported(2), POISON, reported(3), reported(40)], [1, 2, 4])
    for frame in frames:
        keep(plain, frame)
        keep(marked, frame)
        marked.partitions[0].checkpoint()
    assert marked.partitions[0].fold.digest() == plain.partitions[0].fold.digest()
    plain.close()
    marked.close()
    back = Site(tmp_path / "marked", RULES)
    assert back.partitions[0].fold.county.now == days(0) + 40 * 3_600_000_000
    back.close()
