"""Workers on a real Kafka and a real PostgreSQL: what they fold is what a plain fold of the same logs gives.

Everything ends with the same question: do the digests in the store equal those of a fold of the logs as they are now?
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import TopicPartition

from pipeline.frame import Kind, frame_of_others
from pipeline.testing import hours
from runners.cluster.kafka_client import Clients
from runners.trial.kafka import TrialKafka
from runners.trial.postgres import TrialPostgres
from tests.integration.working import PARTITIONS, Town, until

ALL = 1 + 2 * PARTITIONS
"""Partitions of all logs together."""


@pytest.fixture
def town(tmp_path: Path, kafka: TrialKafka, database: str, prefix: str) -> Iterator[Town]:
    """A site where something has happened already."""
    made = Town(tmp_path, kafka, database, prefix)
    made.happen()
    yield made
    made.close()


def test_a_worker_folds_all_logs_to_what_a_plain_fold_of_them_gives(town: Town) -> None:
    with town.worker() as worker:
        until(town.is_folded, [worker])
        assert worker.ready() == (200, "ready\n")
        assert worker.stop() == 0
    assert town.store.count() > 20
    assert town.digests() == town.plain()


def test_a_worker_listens_where_its_metrics_are_and_nowhere_else(town: Town) -> None:
    with town.worker() as worker:
        until(lambda: worker.ready()[0] == 200, [worker])
        assert worker.listens() == {worker.port}


def test_a_worker_killed_in_the_middle_has_left_nothing_out_and_nothing_twice(town: Town) -> None:
    for turn in range(1, 4):
        with town.worker() as worker:
            town.happen(60, hour=200.0 * turn)
            until(lambda: town.metered(worker, 20), [worker])
            worker.kill()
    with town.worker() as worker:
        until(town.is_folded, [worker])
    assert town.digests() == town.plain()


def test_a_worker_told_to_stop_in_the_middle_ends_well_and_goes_on_from_a_checkpoint(town: Town) -> None:
    with town.worker() as worker:
        town.happen(60, hour=200.0)
        until(lambda: town.metered(worker, 20), [worker])
        assert worker.stop() == 0
    assert all(town.has_checkpoint(place) for place in town.places if town.reached(place) >= 0)
    with town.worker() as worker:
        until(town.is_folded, [worker])
    assert town.digests() == town.plain()


def test_two_workers_share_the_partitions_and_one_takes_over_when_the_other_is_killed(town: Town) -> None:
    with town.worker() as one, town.worker() as other:
        until(lambda: one.owns() + other.owns() == ALL and min(one.owns(), other.owns()) > 0, [one, other])
        town.happen(hour=200.0)
        until(town.is_folded, [one, other])
        one.kill()
        assert until(lambda: other.owns() == ALL and other.ready()[0] == 200, [other]) < 20
        town.happen(hour=400.0)
        until(town.is_folded, [other])
    assert town.digests() == town.plain()


def test_a_worker_that_was_frozen_past_its_session_does_no_harm_when_it_wakes(town: Town) -> None:
    with town.worker() as one, town.worker() as other:
        until(lambda: min(one.owns(), other.owns()) > 0 and town.is_folded(), [one, other])
        town.happen(hour=200.0)
        one.signal(signal.SIGSTOP)
        until(lambda: other.owns() == ALL, [other])
        town.happen(hour=400.0)
        until(town.is_folded, [other])
        one.signal(signal.SIGCONT)
        until(lambda: one.owns() + other.owns() == ALL and min(one.owns(), other.owns()) > 0, [one, other])
        town.happen(hour=600.0)
        until(town.is_folded, [one, other])
    assert town.digests() == town.plain()


def test_a_record_that_nobody_can_read_is_a_dead_letter_and_the_fold_goes_on(town: Town) -> None:
    town.logs.append("signals", 0, [b"no frame at all"])
    town.logs.append("readings", 1, [b""])
    town.happen(hour=200.0)
    with town.worker() as worker:
        until(town.is_folded, [worker])
        assert worker.metric("forewarn_worker_unreadable_frames_total") == 2
    assert town.digests() == town.plain()
    letters = town.letters()
    assert [(one["log"], one["partition"], one["reason"]) for one in letters] == [
        ("readings", "1", "unreadable"),
        ("signals", "0", "unreadable"),
    ]
    assert letters[1]["body"] == "no frame at all"
    assert {one["reason"] for one in town.store.rejected() if "until" in one} == {"unreadable"}


def test_a_record_of_a_newer_schema_stops_its_partition_alone_and_is_not_passed(town: Town) -> None:
    last = town.logs.next_offset("signals", 0) - 1
    town.logs.append("signals", 0, [newer()])
    town.happen(hour=200.0)
    others = [place for place in town.places if place not in (("signals", 0), ("site", 0))]
    with town.worker() as worker:
        until(lambda: all(town.reached(place) == town.logs.next_offset(*place) - 1 for place in others), [worker])
        until(lambda: "signals-0 has stopped: frame" in worker.ready()[1], [worker])
        assert worker.ready()[0] == 503
        assert town.reached(("signals", 0)) == last
        assert worker.stop() == 0


def test_a_store_that_is_ahead_of_its_log_stops_the_partition_before_anything_is_skipped(town: Town) -> None:
    place = ("signals", 0)
    end = town.logs.next_offset(*place)
    town.store.apply(*place, end + 3, 0, {}, [], after=-1)
    with town.worker() as worker:
        until(lambda: "signals-0 has stopped: the store holds frame" in worker.ready()[1], [worker])
        assert town.reached(place) == end + 3
        assert worker.stop() == 0


def test_what_the_brokers_no_longer_keep_is_counted_told_and_passed_over(town: Town, kafka: TrialKafka) -> None:
    first = town.logs.next_offset("signals", 0)
    town.happen(hour=200.0)
    place = TopicPartition(town.settings.kafka.topic("signals"), 0)
    admin = Clients(town.settings.kafka).administrator()
    admin.delete_records({place: first + 5})
    admin.close()
    with town.worker() as worker:
        until(town.is_folded, [worker])
        assert worker.metric("forewarn_worker_lost_frames_total") == first + 5
        assert worker.stop() == 0
    [told] = [one for one in town.store.rejected() if one["reason"] == "lost"]
    assert (told["offset"], told["until"]) == (0, first + 4)
    assert town.store.tallies()["signals"]["lost"] == first + 5


@pytest.mark.parametrize("how", ["restarted", "paused"])
def test_a_database_that_is_away_is_waited_for(town: Town, postgres: TrialPostgres, how: str) -> None:
    with town.worker() as worker:
        until(lambda: worker.ready()[0] == 200, [worker])
        if how == "paused":
            postgres.pause()
        else:
            postgres.stop()
        try:
            town.append_signals(hour=200.0)
            time.sleep(3)
            assert how == "paused" or worker.ready()[0] == 503
        finally:
            if how == "paused":
                postgres.resume()
            else:
                postgres.start()
        until(town.is_folded, [worker])
    assert town.digests() == town.plain()


def test_a_worker_that_hangs_ends_by_itself_and_says_why(
    tmp_path: Path, kafka: TrialKafka, postgres: TrialPostgres, database: str, prefix: str
) -> None:
    town = Town(tmp_path, kafka, database, prefix, worker={"stalled_s": 5.0})
    with town.worker() as worker:
        until(town.is_folded, [worker])
        postgres.pause()
        try:
            town.append_signals(hour=0.0)
            assert worker.process.wait(60) == 1
        finally:
            postgres.resume()
    with town.worker() as worker:
        until(town.is_folded, [worker])
    assert town.digests() == town.plain()
    town.close()


def test_brokers_that_are_away_are_waited_for_without_work(town: Town, kafka: TrialKafka) -> None:
    with town.worker() as worker:
        until(town.is_folded, [worker])
        kafka.kill(1)
        try:
            time.sleep(2)
            spent = worker.cpu_s()
            time.sleep(8)
            assert worker.cpu_s() - spent < 0.2 * 8
        finally:
            kafka.start_broker(1)
        town.happen(hour=200.0)
        until(town.is_folded, [worker])
        assert worker.stop() == 0
    assert town.digests() == town.plain()


def test_counts_and_words_reach_the_other_logs_once_whoever_forwards_them(town: Town) -> None:
    for turn in range(1, 3):
        with town.worker() as worker:
            town.happen(hour=200.0 * turn)
            until(town.is_folded, [worker])
            worker.kill()
    with town.worker() as worker:
        until(lambda: town.is_folded() and town.is_forwarded(), [worker])
    assert town.digests() == town.plain()


def newer() -> bytes:
    """A frame as a later version might write it."""
    body = frame_of_others([(Kind.TICK, hours(1), {})]).to_bytes()
    return body.replace(b'"v":1', b'"v":9')
