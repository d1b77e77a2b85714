"""One broker of three is killed while a town lives: others lead, and nothing is lost or done twice."""

from pathlib import Path

from pipeline.errors import LogUnavailable
from runners.cluster.kafka_topics import leaders
from runners.trial.kafka import TrialKafka
from tests.integration.agreement import must_agree
from tests.integration.herd import Feed, herd, lay_out
from tests.integration.working import Town, until


def test_when_a_leader_is_killed_workers_go_on_with_the_next_one(
    tmp_path: Path, kafka3: TrialKafka, database: str, prefix: str
) -> None:
    town = lay_out(tmp_path, kafka3, database, prefix, replication=3, min_insync=2)
    with herd(town, ["one", "two"]) as workers, Feed(town, seed=7) as feed:
        workers.until_some_progress(20)
        leader = leads(town)
        kafka3.kill(leader)
        try:
            until(lambda: leads(town) not in (leader, -1))
            waited = workers.until_some_progress(40)
        finally:
            kafka3.start_broker(leader)
        feed.end()
        workers.until_folded()
        folded = must_agree(town, feed)
    town.close()
    print(f"40 frames more within {waited:.1f} s; {folded.frames} frames, {len(folded.transitions)} transitions")
    assert folded.transitions


def leads(town: Town) -> int:
    """Who leads the first partition of signals; -1 while nobody says."""
    try:
        return leaders(town.settings.kafka, "signals")[0]
    except LogUnavailable:  # the broker that was asked is the one that is gone
        return -1
