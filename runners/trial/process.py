"""Servers for trial and tests, as child processes: started here, ended by their own process id, never left behind.

A child gets SIGKILL from the kernel when the thread that started it ends (`setpriv --pdeathsig`), so that not even a
killed test run leaves a server. Start such servers from the main thread.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipeline.errors import ForewarnError

# Below Linux's range for outgoing connections: nobody takes the port of a server that is down for a while.
_PORTS = range(15_000, 32_000)
_POLL_S = 0.03


class PartMissing(ForewarnError):
    """A program that a trial server needs is not on this machine; the message says what to install."""


class TrialFailed(ForewarnError):
    """A trial server did not come up or did not do as told; the message ends with the last lines of its log."""


class Child:
    """One server process.

    Parameters
    ----------
    name : for messages. command : program and arguments. log : its output is appended there.
    user : system user to run as, None for ours. folder : working directory.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, folder: Path, user: str | None = None) -> None:
        self.name, self.log, self.folder = name, log, folder
        self._command = [*guard(user), *command]
        self._process: subprocess.Popen[bytes] | None = None
        self.seen = 0

    @property
    def pid(self) -> int:
        """Process id. Raises TrialFailed when it does not run."""
        if self._process is None:
            raise TrialFailed(f"{self.name} does not run")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there (stopped by SIGSTOP counts as there)."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; `ready` says when it serves."""
        if self.is_running:
            raise TrialFailed(f"{self.name} runs already")
        with self.log.open("ab") as out:
            self.seen = out.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
            )

    def ready(self, is_ready: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait until it serves. Raises TrialFailed when it ends or takes longer."""
        until = time.monotonic() + within_s
        while not is_ready():
            if not self.is_running:
                raise TrialFailed(f"{self.name} ended while starting:\n{self.tail()}")
            if time.monotonic() > until:
                raise TrialFailed(f"{self.name} was not ready within {within_s:.0f} s:\n{self.tail()}")
            time.sleep(_POLL_S)

    def said(self) -> str:
        """What it wrote since its last start."""
        with self.log.open("rb") as file:
            file.seek(self.seen)
            return file.read().decode(errors="replace")

    def tail(self, lines: int = 25) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.said().splitlines()[-lines:])

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM, grace_s: float = 15.0) -> None:
        """End it by a signal, and by SIGKILL when it is still there after the grace; returns when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def guard(user: str | None = None) -> list[str]:
    """Words before a command: it dies with the thread that started it, and runs as a user."""
    program = shutil.which("setpriv")
    if program is None:
        if user is not None:
            raise PartMissing(f"setpriv is needed to run as {user}: apt-get install util-linux")
        return []
    as_user = [] if user is None else [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    return [program, "--pdeathsig", "KILL", *as_user, "--"]


def free_ports(count: int, first: int | None = None) -> list[int]:
    """Ports on 127.0.0.1 that nobody listens on; with `first`, that one and the next. Raises TrialFailed."""
    if first is not None:
        taken = [port for port in range(first, first + count) if not _is_free(port)]
        if taken:
            raise TrialFailed(f"port {taken[0]} on 127.0.0.1 is in use; choose another one")
        return list(range(first, first + count))
    found: list[int] = []
    for port in _at_random():
        if port not in found and _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise TrialFailed(f"no {count} free ports on 127.0.0.1")


def cache_folder() -> Path:
    """Where what was resolved once is kept for this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "forewarn"


def _at_random() -> Iterator[int]:
    for _ in range(10_000):
        yield _PORTS[secrets.randbelow(len(_PORTS))]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
