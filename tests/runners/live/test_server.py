"""The server: where it may listen, how it is reloaded, and what it answers while it stops."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from runners.live.run import NotRunning, holder, reload
from runners.live.server import Address
from tests.runners.live.served import Served
from tests.runners.live.town import THREE, lay_out, record


def test_plain_http_stays_on_the_loopback_address() -> None:
    Address("127.0.0.1").check()
    Address("::1").check()
    Address("localhost").check()
    with pytest.raises(ConfigError, match="--tls-cert and --tls-key, or --trusted-proxy"):
        Address("0.0.0.0").check()


def test_wider_needs_a_certificate_with_its_key_or_a_named_proxy() -> None:
    Address("0.0.0.0", certificate=Path("c.pem"), key=Path("k.pem")).check()
    Address("0.0.0.0", proxy="10.0.0.2").check()
    with pytest.raises(ConfigError, match="belong together"):
        Address("0.0.0.0", certificate=Path("c.pem")).check()


def test_a_running_site_is_reloaded_by_command_and_refuses_what_is_bad(town: Path, tmp_path: Path) -> None:
    site = Served(town, tmp_path / "data")
    site.start()
    assert site.process is not None
    assert holder(tmp_path / "data") == site.process.pid
    lay_out(tmp_path / "town", categories=THREE)
    assert "follows" in reload(tmp_path / "data")
    now = int(time.time()) * 1_000_000
    assert site.post([record(1, at=now, category="trees")])[1]["accepted"] == 1
    lay_out(tmp_path / "town", places=[{"id": "north", "parent": "nowhere"}])
    with pytest.raises(ConfigError, match="nowhere"):
        reload(tmp_path / "data")
    site.process.send_signal(signal.SIGHUP)
    assert site.request("GET", "/readyz")[0] == 200
    assert site.end() == 0
    with pytest.raises(NotRunning):
        reload(tmp_path / "data")


def test_a_second_process_on_the_same_data_is_refused(town: Path, tmp_path: Path) -> None:
    site = Served(town, tmp_path / "data")
    site.start()
    command = [sys.executable, "-m", "runners.cli", "run", "--config", str(town), "--data", str(tmp_path / "data"),
               "--port", "0", "--metrics-port", "0"]  # fmt: skip
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"in use by process {site.process.pid}" in second.stderr  # type: ignore[union-attr]
    assert site.request("GET", "/readyz")[0] == 200
    assert site.end() == 0


def test_nothing_that_learns_is_imported_before_the_site_is_ready() -> None:
    code = (
        "import runners.live.run, sys; print([m for m in ('sklearn', 'river', 'faust', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
