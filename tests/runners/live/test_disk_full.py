"""A full disk: nothing is acknowledged that is not stored, readers go on, and with room again all goes on by itself."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectors.intake_http import NotNow
from runners.live.site import Live
from runners.replay import replay
from runners.verify import verify
from tests.runners.live.test_live import command, the_warning
from tests.runners.live.town import overdue, record, records, run, running, send, until_folded

SIZE = 24 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB; only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)], capture_output=True)
    if done.returncode:
        message = f"a small disk cannot be mounted here: {done.stderr.decode().strip()}"
        if os.environ.get("FOREWARN_REQUIRE_REAL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all room there is; the file to remove afterwards."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    return ballast


def test_nothing_is_taken_while_the_disk_is_full_and_all_goes_on_afterwards(town: Path, small_disk: Path) -> None:
    with running(town, small_disk / "data") as site:
        send(site, "hotline", [overdue(1), *records(50, 10)])
        ballast = fill(small_disk)
        with pytest.raises(NotNow, match="disk is full"):
            post_on(site)
        taken = site.ledger.of("hotline")["accepted"]
        assert not site.readiness().ready
        assert site.sources()[0]["accepted"] == taken
        assert site.verdict("key-0001") is None
        ballast.unlink()
        run(until_ready(site))
        assert send(site, "hotline", [record(2)]).accepted == 1
        counts = site.ledger.of("hotline")
        assert counts["accepted"] == taken + 1 == counts["applied"] + counts["duplicate"]
    assert replay(small_disk / "data").is_equal
    assert [found.check for found in verify(small_disk / "data") if not found.ok] == []


def test_a_command_on_a_full_disk_is_refused_and_not_half_done(town: Path, small_disk: Path) -> None:
    with running(town, small_disk / "data") as site:
        send(site, "hotline", [overdue(1)])
        warning = the_warning(site)
        ballast = fill(small_disk)
        told: list[str] = []
        with pytest.raises(NotNow):
            command_on(site, warning, told)
        ballast.unlink()
        run(until_ready(site))
        assert all(site.verdict(key) for key in told)
        again = run(site.command(command(warning, key=f"key-{len(told):04}")))
        assert again is not None
        assert again["ok"]
    assert replay(small_disk / "data").is_equal


def post_on(site: Live) -> None:
    """Post batches until one is refused."""
    for number in range(200):
        send(site, "hotline", records(1_000, 10_000 + 1_000 * number), is_batch=True)


def command_on(site: Live, warning: str, told: list[str]) -> None:
    """Give commands until one is refused; the keys of those that were answered."""
    for number in range(2_000):
        key = f"key-{number:04}"
        if run(site.command(command(warning, key=key))) is not None:
            told.append(key)


async def until_ready(site: Live) -> None:
    """Wait until the site takes work again."""
    async with asyncio.timeout(20):
        while not site.readiness().ready:
            await asyncio.wrap_future(site.call(lambda: None))
    await until_folded(site)
