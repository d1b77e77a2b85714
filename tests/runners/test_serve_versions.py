"""Versions of a cluster's configuration, as several servers number them and bring them into every log."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LogUnavailable
from pipeline.frame import Kind
from runners.live.sources import plan
from runners.log_sqlite import Logs
from runners.serve.parts import Log
from runners.serve.versions import Version, Versions
from tests.runners.live.town import THREE, lay_out

EVERY: list[Log] = [("signals", 0), ("signals", 1), ("readings", 0), ("readings", 1), ("site", 0)]


class Brokers:
    """Logs that take entries, but not those of `away`."""

    def __init__(self) -> None:
        self.away: set[Log] = set()
        self.entries: dict[Log, list[dict[str, Any]]] = {log: [] for log in EVERY}

    def append(self, log: Log, entries: Sequence[tuple[Kind, dict[str, Any]]]) -> int:
        if log in self.away:
            raise LogUnavailable("no broker leads it")
        self.entries[log] += [payload for _, payload in entries]
        return len(self.entries[log]) - 1


@pytest.fixture
def register(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "log.db", clock="wall")


def version(folder: Path, number: int, **changed: Any) -> Version:
    """The town's configuration under a number."""
    made = plan(lay_out(folder, runner="kafka", **changed))
    return Version.of(replace(made, rules=replace(made.rules, version=number)))


def test_of_two_servers_that_number_alike_the_first_one_stands(register: Logs, tmp_path: Path) -> None:
    mine, other = version(tmp_path / "a", 1), version(tmp_path / "b", 1, categories=THREE)
    assert Versions(register).propose(mine)
    assert not Versions(register).propose(other)
    newest = Versions(register).newest()
    assert newest is not None
    assert newest.mark == mine.mark


def test_every_log_gets_a_version_once(register: Logs, tmp_path: Path) -> None:
    brokers, versions, first = Brokers(), Versions(register), version(tmp_path / "a", 1)
    versions.propose(first)
    for _ in range(2):
        versions.roll_out(first, EVERY, brokers.append)
    assert {log: len(entries) for log, entries in brokers.entries.items()} == dict.fromkeys(EVERY, 1)


def test_what_could_not_be_brought_everywhere_is_brought_there_later(register: Logs, tmp_path: Path) -> None:
    brokers, versions, first = Brokers(), Versions(register), version(tmp_path / "a", 1)
    versions.propose(first)
    brokers.away = {("signals", 1)}
    with pytest.raises(LogUnavailable):
        versions.roll_out(first, EVERY, brokers.append)
    assert len(versions.logs(1)) == 1
    brokers.away = set()
    Versions(register).roll_out(first, EVERY, brokers.append)
    assert set(versions.logs(1)) == set(EVERY)
    assert {log: len(entries) for log, entries in brokers.entries.items()} == dict.fromkeys(EVERY, 1)


def test_readings_hear_of_their_limits_alone(register: Logs, tmp_path: Path) -> None:
    first = version(tmp_path / "a", 1)
    assert set(first.entry("readings")["settings"]) == {"sensors", "duty"}
    assert first.entry("signals")["version"] == 1


def test_a_file_that_was_in_force_before_is_known_as_old(register: Logs, tmp_path: Path) -> None:
    versions, first, second = (
        Versions(register),
        version(tmp_path / "a", 1),
        version(tmp_path / "b", 2, categories=THREE),
    )
    versions.propose(first)
    versions.propose(second)
    assert (versions.is_old(first.mark), versions.is_old(second.mark)) == (True, False)


def test_brokers_and_database_of_a_server_are_its_own(register: Logs, tmp_path: Path) -> None:
    here = version(tmp_path / "a", 1, postgres={"url": "postgresql://here/forewarn"})
    there = version(tmp_path / "b", 1, postgres={"url": "postgresql://there/forewarn"})
    assert here.mark == there.mark
    own = plan(lay_out(tmp_path / "a", postgres={"url": "postgresql://here/forewarn"})).settings
    assert there.settings(own).postgres.url == "postgresql://here/forewarn"


def test_the_entries_of_a_log_are_found_by_their_offsets(register: Logs, tmp_path: Path) -> None:
    brokers, versions = Brokers(), Versions(register)
    for number, changed in ((1, {}), (2, {"categories": THREE})):
        each = version(tmp_path / str(number), number, **changed)
        versions.propose(each)
        versions.roll_out(each, EVERY, brokers.append)
    assert versions.offsets("signals", 1) == [0, 1]
