"""A real PostgreSQL on a loopback port, for trial, tests and benchmarks.

Uses Debian's binaries, or those in the PATH. It refuses to run as root: then it runs as the system user `postgres`.
What is committed is on disk (`fsync` on), since that is measured and tested. Everybody on this machine may connect.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from types import TracebackType

from runners.trial.process import Child, PartMissing, TrialFailed, free_ports, guard

OWNER = "forewarn"
_SYSTEM_USER = "postgres"


class TrialPostgres:
    """One server, running from `__enter__` to `__exit__`.

    Parameters
    ----------
    folder : for the data (below `data`) and `postgres.log`. Where user `postgres` cannot reach it, the data lie in a
        temporary folder that goes at the end.
    port : on 127.0.0.1; a free one without it.

    Raises PartMissing, TrialFailed.
    """

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self._wanted = port
        self.port = 0
        self._programs = programs()
        self._user = _SYSTEM_USER if os.geteuid() == 0 else None
        self._stack = contextlib.ExitStack()
        self._child: Child | None = None

    def __enter__(self) -> "TrialPostgres":
        """The server answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        [self.port] = free_ports(1, self._wanted)
        data = self._place() / "data"
        if not (data / "PG_VERSION").is_file():
            self._initialise(data)
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "max_connections": 200,
            "shared_buffers": "128MB", "fsync": "on", "synchronous_commit": "on", "max_wal_size": "2GB",
            "log_min_messages": "warning",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(data), *options]
        self._child = Child("PostgreSQL", command, self.folder / "postgres.log", data, self._user)
        self._stack.callback(self.stop)
        try:
            self.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The server is gone."""
        self._stack.close()

    def url(self, name: str) -> str:
        """Address of a database, there or not."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def database(self, name: str | None = None) -> str:
        """Make an empty database; its address. Raises TrialFailed when one of this name is there."""
        name = name or f"t{uuid.uuid4().hex[:12]}"
        self._client("createdb", name)
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database with whoever is connected to it."""
        self._client("dropdb", "--force", "--if-exists", name)

    @property
    def pid(self) -> int:
        """Process id of the first server process."""
        return self._server.pid

    def start(self) -> None:
        """Start a server that was stopped or killed; it answers when this returns."""
        self._server.start()
        self._server.ready(self._is_ready)

    def restart(self) -> None:
        """Stop, cutting every connection, and start."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Fast shutdown: transactions that run are rolled back."""
        if self._server.is_running:
            self.resume()
            self._server.end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL of the server and its processes, as by a power cut of its machine."""
        children = self._processes()
        self._server.end(signal.SIGKILL)
        _signal(children[1:], signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP of the server and its processes: connections stay open and nothing answers."""
        # The first one stops first: it starts no further ones then.
        _signal(self._processes()[:1], signal.SIGSTOP)
        _signal(self._processes()[1:], signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        _signal(self._processes()[::-1], signal.SIGCONT)

    @property
    def _server(self) -> Child:
        if self._child is None:
            raise TrialFailed("PostgreSQL was not started")
        return self._child

    def _processes(self) -> list[int]:
        pid = self._server.pid
        return [pid, *(int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            lines = (self._server.folder / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(self._server.pid) and lines[7].strip() == "ready"
        return False

    def _place(self) -> Path:
        if self._user is None or all(parent.stat().st_mode & 0o001 for parent in (self.folder, *self.folder.parents)):
            return self.folder
        place = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="forewarn-postgres-")))
        place.chmod(0o711)
        return place

    def _initialise(self, data: Path) -> None:
        data.mkdir(mode=0o700)
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            os.chown(data, entry.pw_uid, entry.pw_gid)
        words = ["-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run([*guard(self._user), str(self._programs / "initdb"), "-D", str(data), *words], data)

    def _client(self, program: str, *words: str) -> None:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER]
        self._run([str(self._programs / program), *where, *words], self.folder)

    def _run(self, command: list[str], folder: Path) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise TrialFailed(f"{' '.join(command[-4:])} failed: {done.stderr.strip()}")


def programs() -> Path:
    """Folder of the server's programs, of the newest version there is. Raises PartMissing."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("postgres")
    if found is None:
        raise PartMissing("PostgreSQL is not on this machine: apt-get install postgresql")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(_SYSTEM_USER)
        except KeyError as error:
            raise PartMissing(f"PostgreSQL does not run as root, and there is no user {_SYSTEM_USER}") from error
    return Path(found).parent


def _signal(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
