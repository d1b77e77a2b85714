"""A live site as a process of its own, and senders that speak raw HTTP: the figures are the site's and not theirs."""

import json
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import yaml

from benchmarks.matter_lines import CONTRACT, SOURCE, settings, texts
from config.load import canonical
from connectors.simulator.vocabulary import vocabulary
from console.api.accounts import Accounts
from console.api.keys import Keys

READY_S = 30.0
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Served:
    """A running site: where it is, a key to send with, and a one-time sign-in token."""

    port: int
    data: Path
    key: str
    token: str
    pid: int

    def json(self, path: str) -> Any:
        """What a GET answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return json.load(answer)

    def post(self, body: bytes, kind: str) -> bytes:
        """A whole request that posts this body."""
        head = (
            f"POST /api/v1/intake HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """`forewarn run` on the configuration of the simulated city, with learning off."""
    data = folder / "data"
    data.mkdir(parents=True)
    made, _ = settings()
    config = canonical(made) | {
        "sources": [{"name": SOURCE, "mapping": "mapping.yaml"}],
        "learning": {"enabled": False},
    }
    mapping = {"source": SOURCE, "shape": "native", "contract": CONTRACT.model_dump(mode="json")}
    (folder / "site.yaml").write_text(json.dumps(config), encoding="utf-8")
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    accounts = Accounts(data / "accounts.db")
    key = Keys(accounts).create(SOURCE)
    accounts.add("bench", role="duty_officer", password="a long enough password")
    token = accounts.token("bench")
    accounts.close()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "runners.cli", "run", "--config", str(folder / "site.yaml"), "--data", str(data),
               "--port", str(port), "--metrics-port", "0"]  # fmt: skip
    process = subprocess.Popen(command, cwd=_ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        found = Served(port, data, key, token, process.pid)
        _wait_ready(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(60)


def _wait_ready(site: Served, process: "subprocess.Popen[bytes]") -> None:
    until = perf_counter() + READY_S
    while perf_counter() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the site ended with status {process.returncode}")
        try:
            if site.json("/readyz")["ready"]:
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the site was not ready within {READY_S} s")


class Stream:
    """Signals as they come now: of five, one registers a matter with 80 characters of text, four are steps of it."""

    def __init__(self) -> None:
        _, territory = settings()
        self._categories = [category.key for category in vocabulary().categories]
        self._places = [grid.key for grid in territory.grids]
        self._texts = [[orjson.dumps(text) for text in own] for own in texts()]
        self._number = 0

    def take(self, count: int, *, at: datetime | None = None) -> list[bytes]:
        """The next records."""
        moment = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
        found = []
        for number in range(self._number, self._number + count):
            matter, step = divmod(number, 5)
            kind = matter % len(self._categories)
            head = b'{"id":"%d-%d","matter":"WO%010d","at":"%s","category":"%s","place":"%s"' % (
                matter, step, matter, moment, self._categories[kind].encode(),
                self._places[matter * 7 % len(self._places)].encode(),
            )  # fmt: skip
            if step:
                found.append(head + b',"step":"%s"}' % (b"routed", b"accepted", b"handling", b"closed")[step - 1])
            else:
                text = self._texts[kind][matter // len(self._categories) % len(self._texts[kind])]
                found.append(head + b',"step":"registered","channel":"hotline","text":%s}' % text)
        self._number += count
        return found


class Browser:
    """Reads the stream of changes as a signed-in browser does; when each subject was first told, by its matter."""

    def __init__(self, site: Served) -> None:
        self.told: dict[bytes, float] = {}
        self._socket = socket.create_connection(("127.0.0.1", site.port))
        cookie = self._signed_in(site)
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
        self._socket.sendall(head.encode())
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        if not self._began.wait(READY_S):
            raise RuntimeError("the stream did not begin")

    def close(self) -> None:
        """Hang up."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _signed_in(self, site: Served) -> str:
        request = urllib.request.Request(
            f"http://127.0.0.1:{site.port}/api/v1/session",
            json.dumps({"token": site.token}).encode(),
            {"content-type": "application/json", "origin": f"http://127.0.0.1:{site.port}"},
        )
        with urllib.request.urlopen(request) as answer:
            return str(answer.headers["set-cookie"]).partition(";")[0]

    def _read(self) -> None:
        rest = b""
        while part := self._socket.recv(1 << 18):
            now = perf_counter()
            self._began.set()
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            for line in lines:
                for subject in _SUBJECT.findall(line):
                    self.told.setdefault(subject, now)


_SUBJECT = re.compile(rb'"subject":"([^"]+)"')


def event(record: bytes, id: str) -> bytes:
    """A record as a structured CloudEvent."""
    return b'{"specversion":"1.0","id":"%s","source":"/hotline","type":"city.signal","data":%s}' % (id.encode(), record)


def batch(records: Sequence[bytes]) -> bytes:
    """Records as a batch of CloudEvents."""
    return b"[" + b",".join(event(record, str(number)) for number, record in enumerate(records)) + b"]"


def post_all(site: Served, requests: Sequence[bytes], clients: int) -> tuple[float, list[float], list[bytes]]:
    """Send requests over so many connections, each waiting for its answer; seconds, latencies, answers."""
    selector = selectors.DefaultSelector()
    waiting = iter(requests)
    latencies: list[float] = []
    answers: list[bytes] = []
    sockets = []
    for _ in range(clients):
        one = socket.create_connection(("127.0.0.1", site.port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.append(one)
    begun = perf_counter()
    sent: dict[socket.socket, float] = {}
    parts: dict[socket.socket, bytes] = {}
    for one in sockets:
        request = next(waiting, None)
        if request is not None:
            sent[one] = perf_counter()
            one.sendall(request)
            selector.register(one, selectors.EVENT_READ)
    while sent:
        for ready, _ in selector.select():
            one = ready.fileobj  # type: ignore[assignment]
            part = one.recv(1 << 16)
            if not part:
                raise RuntimeError("the site hung up")
            answer = parts.pop(one, b"") + part
            if not is_whole(answer):
                parts[one] = answer
                continue
            latencies.append(perf_counter() - sent.pop(one))
            answers.append(answer)
            request = next(waiting, None)
            if request is None:
                selector.unregister(one)
            else:
                sent[one] = perf_counter()
                one.sendall(request)
    seconds = perf_counter() - begun
    for one in sockets:
        one.close()
    return seconds, latencies, answers


def is_whole(answer: bytes) -> bool:
    """Whether an answer has come to its end."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return bool(end) and len(body) >= int(length)


def accepted(answers: Sequence[bytes]) -> int:
    """How many records were taken, by the answers."""
    taken = (answer.partition(b"\r\n\r\n")[2] for answer in answers if b" 202 " in answer[:20])
    return sum(orjson.loads(body)["accepted"] for body in taken)
