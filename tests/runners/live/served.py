"""`forewarn run` as a process of its own, and a plain client."""

import atexit
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from console.api.accounts import Accounts
from console.api.keys import Keys

LIMIT_S = 60.0


class Served:
    """The process on one data directory, which may be started again and again."""

    def __init__(self, config: Path, data: Path, source: str = "hotline") -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.config, self.data = config, data
        accounts = Accounts(data / "accounts.db")
        self.key = Keys(accounts).create(source)
        if not accounts.is_known("li"):
            accounts.add("li", "duty_officer", password="correct horse battery")
        self.token = accounts.token("li")
        accounts.close()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; seconds until it is ready."""
        begun = time.perf_counter()
        atexit.register(self._kill)  # a test that fails leaves nothing running
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runners.cli", "run", "--config", str(self.config), "--data", str(self.data),
             "--port", str(self.port), "--metrics-port", "0"],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        while time.perf_counter() - begun < LIMIT_S:
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate()[1].decode())
            try:
                if self.request("GET", "/readyz")[0] == 200:
                    return time.perf_counter() - begun
            except OSError:
                time.sleep(0.01)
        raise AssertionError(f"not ready within {LIMIT_S} s")

    def _kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def sign_in(self) -> dict[str, str]:
        """Headers of a signed-in account that may change things."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        body = json.dumps({"name": "li", "password": "correct horse battery"})
        connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        csrf = json.loads(answer.read())["csrf"]
        cookie = str(answer.getheader("set-cookie")).partition(";")[0]
        connection.close()
        return {"Cookie": cookie, "X_CSRF": csrf, "Content_Type": "application/json"}

    def post(self, records: list[bytes], kind: str = "application/cloudevents-batch+json", **headers: str) -> Any:
        """Post a batch of records; status and answer."""
        events = [
            b'{"specversion":"1.0","id":"%d","source":"/hotline","type":"signal","data":%s}' % (number, record)
            for number, record in enumerate(records)
        ]
        body = b"[" + b",".join(events) + b"]"
        return self.request(
            "POST", "/api/v1/intake", body, Authorization=f"Bearer {self.key}", Content_Type=kind, **headers
        )

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status. What it said must not be a traceback."""
        assert self.process is not None
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=LIMIT_S)
        assert b"Traceback" not in said, said.decode()
        return self.process.returncode
