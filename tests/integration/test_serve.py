"""Servers of a cluster on real brokers, a real database and a real worker."""

import http.client
import json
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.serve.run import on_kafka
from runners.serve.settle import settle
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from tests.integration.town import Server, Worker, settle_in, until
from tests.runners.live.town import THREE, overdue, records


@pytest.fixture(scope="module")
def shared(kafka: TrialKafka, postgres: TrialPostgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a town whose server and worker nobody hurts; each test sends matters of its own."""
    folder = tmp_path_factory.mktemp("shared")
    return settle_in(folder / "town", kafka, postgres.database(), f"t{uuid.uuid4().hex[:10]}")


@pytest.fixture(scope="module")
def server(shared: Path) -> Iterator[Server]:
    """Its server."""
    with_key = Server(shared)
    with_key.start()
    yield with_key
    with_key.end()


@pytest.fixture(scope="module")
def other(shared: Path, server: Server) -> Iterator[Server]:
    """Another server of the same site."""
    second = Server(shared, like=server)
    second.start()
    yield second
    second.end()


@pytest.fixture(scope="module")
def worker(shared: Path) -> Iterator[Worker]:
    """Its worker."""
    worker = Worker(shared)
    yield worker
    worker.end()


@pytest.fixture
def config(tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Path:
    """The configuration of a town of the test's own."""
    return settle_in(tmp_path / "town", kafka, database, prefix)


@pytest.fixture
def own(config: Path) -> Iterator[tuple[Server, Worker]]:
    """A server that is ready and a worker, of the test's own."""
    server, worker = Server(config), Worker(config)
    server.start()
    yield server, worker
    for process in (server, worker):
        process.end()


def now_us() -> int:
    return time.time_ns() // 1000


def late_ones(*numbers: int) -> list[bytes]:
    """Matters that a rule of duty warns of as soon as they come."""
    return [overdue(number, at=now_us()) for number in numbers]


def counts(server: Server, me: dict[str, str]) -> dict[str, Any]:
    """What became of what the hotline sent."""
    found = server.request("GET", "/api/v1/sources", None, **me)[1]
    return next(each for each in found if each["name"] == "hotline")


def rows_of(server: Server, me: dict[str, str], *numbers: int) -> list[dict[str, Any]]:
    """The queue's rows of some matters."""
    return [row for row in server.rows(me) if row["subject"] in {f"m{number}" for number in numbers}]


def command(server: Server, me: dict[str, str], warning: str, body: dict[str, Any], key: str) -> tuple[int, Any]:
    """Give a command; status and answer."""
    path = f"/api/v1/warnings/{warning}/commands"
    return server.request("POST", path, json.dumps(body).encode(), Idempotency_Key=key, **me)


def events(server: Server, me: dict[str, str], cursor: str) -> Iterator[tuple[str, Any]]:
    """Events of a stream by name, behind a cursor."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/api/v1/stream", headers={"Cookie": me["Cookie"], "Last-Event-ID": cursor})
    answer = connection.getresponse()
    name = ""
    try:
        while line := answer.readline():
            word, _, rest = line.decode().strip().partition(": ")
            if word == "event":
                name = rest
            elif word == "data":
                yield name, json.loads(rest)
    finally:
        connection.close()


# a site that nobody hurts


def test_what_is_posted_is_folded_by_a_worker_and_stands_in_the_queue(server: Server, worker: Worker) -> None:
    assert server.post(late_ones(100, 101, 102))[0] == 202
    me = server.sign_in()
    until(lambda: len(rows_of(server, me, 100, 101, 102)) == 3, worker.process)
    assert {row["place"]["id"] for row in rows_of(server, me, 100, 101, 102)} == {"north", "south"}


def test_a_command_is_answered_with_the_fold_s_verdict_at_any_server(
    server: Server, other: Server, worker: Worker
) -> None:
    server.post(late_ones(110))
    me = server.sign_in()
    until(lambda: bool(rows_of(other, me, 110)), worker.process)
    [row] = rows_of(other, me, 110)
    status, answer = command(other, me, row["id"], {"command": "acknowledge", "expected": row["number"]}, "k-1100-0001")
    assert (status, answer["ok"], answer["row"]["state"]) == (200, True, "acknowledged")


def test_a_command_again_under_its_key_changes_nothing_and_has_the_same_answer(server: Server, worker: Worker) -> None:
    server.post(late_ones(120))
    me = server.sign_in()
    until(lambda: bool(rows_of(server, me, 120)), worker.process)
    [row] = rows_of(server, me, 120)
    told = [command(server, me, row["id"], {"command": "note", "remark": "看"}, "k-1200-0001")[1] for _ in range(2)]
    assert [(each["reason"], each["number"]) for each in told] == [("applied", 2), ("applied", 2)]


def test_a_batch_that_comes_again_at_another_server_counts_once(server: Server, other: Server, worker: Worker) -> None:
    me = server.sign_in()
    until(lambda: counts(server, me)["pending"] == 0, worker.process)
    before = counts(server, me)
    sent = records(40, 200, at=now_us())
    told = [each.post(sent, Idempotency_Key="batch-200")[1]["duplicate_batch"] for each in (server, other)]
    other.post(sent[:10], Idempotency_Key="batch-201")
    until(lambda: counts(server, me)["duplicate"] == before["duplicate"] + 10, worker.process)
    found = {name: counts(server, me)[name] - before[name] for name in ("accepted", "applied", "pending")}
    assert told == [False, True]
    assert found == {"accepted": 50, "applied": 40, "pending": 0}


def test_a_stream_begun_at_one_server_goes_on_at_another(server: Server, other: Server, worker: Worker) -> None:
    me = server.sign_in()
    server.post(late_ones(130))
    until(lambda: bool(rows_of(server, me, 130)), worker.process)
    cursor = server.request("GET", "/api/v1/queue", None, **me)[1]["cursor"]
    server.post(late_ones(131))
    until(lambda: bool(rows_of(server, me, 131)), worker.process)
    missed = next(told for name, told in events(other, me, cursor) if name == "changes")
    assert "m131" in {row["subject"] for row in missed["rows"]}


def test_a_change_reaches_a_browser_at_another_server(server: Server, other: Server, worker: Worker) -> None:
    me = server.sign_in()
    stream = events(other, me, other.request("GET", "/api/v1/queue", None, **me)[1]["cursor"])
    assert next(stream)[0] == "beat"
    server.post(late_ones(140))
    told = (row["subject"] for name, change in stream if name == "changes" for row in change["rows"])
    assert "m140" in told


def test_a_configuration_changed_at_one_server_is_followed_by_the_other(
    shared: Path, server: Server, other: Server, worker: Worker
) -> None:
    assert server.process is not None
    me = other.sign_in()
    good = shared.read_text()
    shared.write_text(good.replace("partition_count: 2", "partition_count: 3"))
    server.process.send_signal(signal.SIGHUP)  # refused: nothing changes
    server.sign_in()
    changed = yaml.safe_load(good) | {"categories": THREE}
    shared.write_text(yaml.safe_dump(changed, allow_unicode=True))
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(other.request("GET", "/api/v1/territory", None, **me)[1]["categories"]) == 3, other.process)
    until(lambda: other.request("GET", "/readyz")[1]["reason"] == "", other.process)


# sites that are hurt


def test_two_servers_started_together_begin_the_logs_once(config: Path) -> None:
    one = Server(config)
    two = Server(config, like=one)
    for each in (one, two):
        each.begin()
    for each in (one, two):
        each.wait_ready()
    parts = on_kafka(config)
    try:
        assert {log: parts.frames.next_offset(*log) for log in parts.every_log() if log[0] == "readings"} == {
            ("readings", 0): 1,
            ("readings", 1): 1,
        }
    finally:
        parts.close()
        for each in (one, two):
            each.end()


@pytest.mark.parametrize(("moment", "duplicates"), [("frames produced", 4), ("turn counted", 0)])
def test_a_server_killed_before_its_answer_leaves_neither_gap_nor_double(
    config: Path, moment: str, duplicates: int
) -> None:
    server, worker = Server(config), Worker(config)
    server.start(FOREWARN_FAULT=moment)
    sent = late_ones(1, 2, 3, 4)
    with pytest.raises((OSError, http.client.HTTPException)):
        server.post(sent, Idempotency_Key="batch-1")
    assert server.process is not None
    server.process.communicate()
    server.start()
    try:
        assert server.post(sent, Idempotency_Key="batch-1")[1]["accepted"] == 4
        me = server.sign_in()
        until(lambda: len(server.rows(me)) == 4, worker.process)
        until(lambda: counts(server, me)["duplicate"] == duplicates, worker.process)
        found = counts(server, me)
        assert (found["accepted"], found["applied"], found["pending"]) == (4 + duplicates, 4, 0)
    finally:
        server.end()
        worker.end()
    parts = on_kafka(config)
    try:
        assert settle(parts, now_us(), left_us=0) == (1 if duplicates else 0)
        assert sum(count for name, count in parts.logs.tallies().items() if name.startswith("accepted@")) == (
            4 + duplicates
        )
    finally:
        parts.close()


def test_without_brokers_nothing_is_promised_and_with_them_it_goes_on(
    own: tuple[Server, Worker], kafka: TrialKafka
) -> None:
    server, worker = own
    kafka.pause(1)
    try:
        assert server.post(late_ones(1), Idempotency_Key="batch-1")[0] == 503
        until(lambda: server.status("/readyz") == 503)
    finally:
        kafka.resume(1)
    until(lambda: server.post(late_ones(1, 2), Idempotency_Key="batch-2")[0] == 202)
    me = server.sign_in()
    until(lambda: len(server.rows(me)) == 2, worker.process)


def test_without_its_database_nothing_is_promised_and_with_it_news_come_again(
    own: tuple[Server, Worker], postgres: TrialPostgres
) -> None:
    server, worker = own
    me = server.sign_in()
    postgres.stop()
    try:
        assert server.post(late_ones(1))[0] == 503
    finally:
        postgres.start()
    until(lambda: server.post(late_ones(1, 2))[0] == 202)
    until(lambda: len(server.rows(me)) == 2, worker.process)
