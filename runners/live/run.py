"""`forewarn run` on live sources, and `forewarn reload`: what stands between the command line and the server."""

import fcntl
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from config.settings import Settings
from pipeline.errors import ConfigError, ForewarnError
from runners.live.config import CONFIG_MARK, CONFIG_PATH
from runners.live.server import Address, LiveServer
from runners.live.site import Live
from runners.live.sources import plan
from runners.log_sqlite import Logs
from runners.metrics import Metrics

_RELOAD_S = 10.0


class NotRunning(ForewarnError):
    """No process holds the data directory."""


def run_live(
    config: Path, settings: Settings, data: Path, address: Address, metrics_port: int, tell: Callable[[str], None]
) -> bool:
    """Serve until stopped; False when the engine failed. `settings` were read from `config`.

    Raises ConfigError, LogBusy.
    """
    address.check()
    site = Live(plan(config, settings=settings), data)
    with ExitStack() as stack:
        stack.callback(site.stop)
        if metrics_port:
            stack.callback(Metrics(site).serve(metrics_port).stop)
        server = LiveServer(site, address, ready=lambda url: tell(f"ready at {url}"))
        return server.serve()


def reload(data: Path) -> str:
    """Check the configuration of a running site, then have it read anew; the words for what came of it.

    Raises NotRunning, ConfigError with every problem: then nothing was asked of the site.
    """
    pid = holder(data)
    with Logs(data / "log.db", readonly=True) as logs:
        path, before = logs.meta(CONFIG_PATH), logs.meta(CONFIG_MARK)
    if path is None:
        raise NotRunning(f"{data} is not of a live site")
    plan(Path(path))
    os.kill(pid, signal.SIGHUP)
    until = time.monotonic() + _RELOAD_S
    while time.monotonic() < until:
        with Logs(data / "log.db", readonly=True) as logs:
            if logs.meta(CONFIG_MARK) != before:
                return f"process {pid} follows {path} as it is now"
        time.sleep(0.05)
    raise ConfigError([f"{path}: is as it was, or process {pid} refused it; its log says why"])


def holder(data: Path) -> int:
    """The process that holds a data directory. Raises NotRunning."""
    path = data / "lease"
    if path.is_file():
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(file.read().strip())
    raise NotRunning(f"no process runs on {data}; it reads its configuration when it is started")
