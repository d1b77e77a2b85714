"""A live site that is killed in the middle of its work: what it had answered is there, and nothing is counted twice."""

import json
import random
import signal
import threading
import time
from http.client import HTTPException
from pathlib import Path

from pipeline.frame import Frame
from pipeline.ids import key128
from runners.log_sqlite import Logs
from runners.replay import replay
from runners.verify import verify
from tests.runners.live.served import Served
from tests.runners.live.town import overdue, record

KILLS = 4
BATCH = 40


class Sender:
    """Posts batch after batch until the site is gone; remembers which were answered."""

    def __init__(self, site: Served) -> None:
        self._site = site
        self.sent = 0
        self.answered: list[int] = []

    def go_on(self) -> None:
        """Post until the site hangs up. A batch that got no answer is sent again first."""
        now = int(time.time()) * 1_000_000
        while True:
            batch = [record(number, at=now) for number in range(self.sent, self.sent + BATCH)]
            try:
                status, answer = self._site.post(batch)
            except (OSError, HTTPException, ValueError):
                return
            assert status == 202, answer
            assert answer["accepted"] == BATCH
            self.answered += range(self.sent, self.sent + BATCH)
            self.sent += BATCH


def test_what_was_answered_survives_every_kill(town: Path, tmp_path: Path) -> None:
    site, dice = Served(town, tmp_path / "data"), random.Random(20_261_122)
    sender = Sender(site)
    for _ in range(KILLS):
        site.start()
        sending = threading.Thread(target=sender.go_on)
        sending.start()
        time.sleep(dice.uniform(0.05, 0.5))
        assert site.end(signal.SIGKILL) == -signal.SIGKILL
        sending.join()
    site.start()
    status, sources = site.request("GET", "/readyz")
    assert (status, sources["reason"]) == (200, "")
    assert site.end() == 0
    logged = ids_in(tmp_path / "data")
    answered = {key128("hotline", f"{number}-registered") for number in sender.answered}
    assert len(answered) > KILLS * BATCH
    assert answered <= set(logged)
    assert replay(tmp_path / "data").is_equal
    assert [found.detail for found in verify(tmp_path / "data") if not found.ok] == []


def test_a_site_that_is_told_to_stop_finishes_and_exits_with_0(town: Path, tmp_path: Path) -> None:
    site = Served(town, tmp_path / "data")
    site.start()
    now = int(time.time()) * 1_000_000
    assert site.post([record(number, at=now) for number in range(500)])[0] == 202
    assert site.end(signal.SIGTERM) == 0
    assert len(ids_in(tmp_path / "data")) == 500
    assert (tmp_path / "data" / "checkpoints").is_dir()


def test_what_a_person_did_survives_a_kill_the_moment_it_was_answered(town: Path, tmp_path: Path) -> None:
    site = Served(town, tmp_path / "data")
    site.start()
    now = int(time.time()) * 1_000_000
    assert site.post([overdue(1, at=now)])[0] == 202
    headers = site.sign_in()
    limit = time.monotonic() + 30
    while not (rows := site.request("GET", "/api/v1/queue", None, **headers)[1]["items"]):
        assert time.monotonic() < limit
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    body = json.dumps({"command": "acknowledge", "expected": rows[0]["number"], "next_update_by": until}).encode()
    path = f"/api/v1/warnings/{rows[0]['id']}/commands"
    status, answer = site.request("POST", path, body, Idempotency_Key="key-00000001", **headers)
    assert site.end(signal.SIGKILL) == -signal.SIGKILL
    assert (status, answer["ok"]) == (200, True)
    site.start()
    row = site.request("GET", f"/api/v1/warnings/{rows[0]['id']}", None, **headers)[1]
    assert (row["state"], row["taken_by"]) == ("acknowledged", "li")
    again = site.request("POST", path, body, Idempotency_Key="key-00000001", **headers)
    assert (again[0], again[1]["number"]) == (200, answer["number"])
    assert site.end() == 0
    assert replay(tmp_path / "data").is_equal


def ids_in(data: Path) -> list[bytes]:
    """Ids of all signals in the log."""
    with Logs(data / "log.db", readonly=True) as logs:
        frames = [Frame.from_bytes(body, offset) for offset, body in logs.read("signals", 0)]
    return [id for frame in frames for id in frame.signals["id"].tolist()]
