"""A city on three partitions, one of which has no county: each matter in one place, nothing lost, nobody held up."""

import random
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.store import Store
from config.settings import Settings
from pipeline.frame import Frame, Kind
from pipeline.ids import code64
from pipeline.site import SiteFold
from runners.log_sqlite import Logs
from runners.replay import replay
from runners.run_files import run_files
from runners.verify import verify
from runners.wiring import CountyWarnings, fold_rules
from tests.scenarios.test_kill import Running

COUNT = 3


def laid_out(city: Path, folder: Path, **changed: Any) -> Path:
    """The city's files in a folder of their own, with its places and these settings."""
    for name in ("signals.jsonl", "mapping.yaml"):
        shutil.copyfile(city / name, folder / name)
    settings = yaml.safe_load((city / "config.yaml").read_text(encoding="utf-8"))
    (folder / "site.yaml").write_text(
        yaml.safe_dump(settings | {"learning": {"min_labels": 50}} | changed, allow_unicode=True), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def parted(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the city with three partitions in its configuration."""
    return laid_out(city, tmp_path_factory.mktemp("parted"), partition_count=COUNT)


@pytest.fixture(scope="module")
def whole(parted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of an undisturbed run on three partitions."""
    data = tmp_path_factory.mktemp("whole") / "data"
    run_files(parted / "site.yaml", data)
    return data


@pytest.fixture(scope="module")
def single(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the same history on one partition."""
    folder = tmp_path_factory.mktemp("single")
    run_files(laid_out(city, folder) / "site.yaml", folder / "data")
    return folder / "data"


def frames(data: Path, log: str, number: int) -> Iterator[Frame]:
    with Logs(data / "log.db", readonly=True) as logs:
        for offset, body in logs.read(log, number):
            yield Frame.from_bytes(body, offset)


def matters(data: Path, number: int) -> set[bytes]:
    return {key for frame in frames(data, "signals", number) for key in frame.signals["matter"].tolist()}


def test_a_replay_of_all_logs_gives_the_digests_of_every_partition(whole: Path) -> None:
    again = replay(whole)
    assert sorted(again.digests) == ["signals-0", "signals-1", "signals-2", "site-0"]
    assert again.is_equal
    assert again.transitions == again.stored_transitions > 100
    assert [finding for finding in verify(whole) if not finding.ok] == []


def test_every_matter_lies_in_one_partition_the_one_the_directory_names(whole: Path) -> None:
    own = [matters(whole, number) for number in range(COUNT)]
    assert own[0]
    assert own[1]
    assert not own[0] & own[1]
    with Logs(whole / "log.db", readonly=True) as logs:
        for number, keys in enumerate(own):
            assert logs.seats_of(sorted(keys)) == [number] * len(keys)


def test_counties_are_dealt_out_and_the_partition_without_one_stays_empty(whole: Path) -> None:
    with Logs(whole / "log.db", readonly=True) as logs:
        assert logs.seats() == {code64("c1"): 0, code64("c2"): 1}
    assert matters(whole, 2) == set()


def labels(data: Path) -> set[Any]:
    store = Store(data / "store.db", readonly=True)
    found = {tuple(row) for row in store.labels()[["subject", "target", "y"]].tolist()}
    store.close()
    return found


def counted(data: Path) -> Counter[tuple[int, int, int]]:
    """Registrations by minute, place and category, as the site took them; all but the last minute."""
    found: Counter[tuple[int, int, int]] = Counter()
    for frame in frames(data, "site", 0):
        for kind, payload in zip(frame.kinds[frame.kinds != Kind.TICK].tolist(), frame.others, strict=True):
            if kind == Kind.COUNTS:
                found.update({(payload["minute"], place, category): n for place, category, n in payload["cells"]})
    last = max(minute for minute, _, _ in found)
    return Counter({cell: count for cell, count in found.items() if cell[0] < last})


def test_the_site_counts_what_one_partition_counts_though_one_is_silent(whole: Path, single: Path) -> None:
    assert counted(whole) == counted(single)
    assert counted(whole).total() > 500


def test_the_site_waits_for_nobody(whole: Path) -> None:
    rules = fold_rules(Settings(partition_count=COUNT))
    fold = SiteFold(rules, CountyWarnings(rules))
    for frame in frames(whole, "site", 0):
        fold.step(frame)
    assert fold.pending == []
    assert fold.marks[2] >= fold.taken >= fold.surges.last > 0


def test_a_partition_without_content_says_how_far_it_is(whole: Path) -> None:
    told = [
        payload["partition"]
        for frame in frames(whole, "site", 0)
        for kind, payload in zip(frame.kinds.tolist(), frame.others, strict=True)
        if kind == Kind.PROCEED
    ]
    assert 2 in told


def test_every_partition_has_every_configuration_and_model(whole: Path) -> None:
    found = [
        [
            (kind, payload.get("version"))
            for frame in frames(whole, "signals", number)
            for kind, payload in zip(frame.kinds[frame.kinds != Kind.TICK].tolist(), frame.others, strict=False)
            if kind in (Kind.CONFIG, Kind.MODEL)
        ]
        for number in range(COUNT)
    ]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 1


def test_every_partition_hears_its_part_of_the_budgets_after_midnight(whole: Path) -> None:
    found = [
        [payload for frame in frames(whole, "signals", number) for payload in frame.others if "offices" in payload]
        for number in range(COUNT)
    ]
    versions = [[payload["version"] for payload in told] for told in found]
    assert versions[0] == versions[1] == versions[2] == sorted(set(versions[0]))
    assert len(versions[0]) >= 5
    last = [dict(told[-1]["offices"]) for told in found]
    assert {sum(parts) for parts in zip(*(each.values() for each in last), strict=True)} == {10_000}


def test_a_run_that_is_killed_again_and_again_ends_like_one_that_was_not(
    parted: Path, whole: Path, tmp_path: Path
) -> None:
    data, dice = tmp_path / "killed", random.Random(7)
    count = sum(1 for _ in frames(whole, "signals", 0))
    for at in sorted(dice.randrange(count) for _ in range(5)):
        running = Running(parted, data)
        running.reaches(at)
        running.end(signal.SIGKILL)
    assert Running(parted, data).wait() == 0
    assert [finding for finding in verify(data, whole) if not finding.ok] == []
