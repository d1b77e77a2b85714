"""The store in PostgreSQL when connections break: nothing is half kept, and what was kept is known."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from alerts.store import Store
from pipeline.effects import Effects
from pipeline.errors import StoreUnavailable
from runners.trial.postgres import TrialPostgres

pytestmark = pytest.mark.real


def effects(number: int) -> list[Effects]:
    """Of a frame that raises a warning."""
    change = {
        "warning": f"w{number}", "number": 1, "at": 100, "subject": "ab" * 16, "kind": "risk", "to": 1, "proposed": 1,
        "confirmed": 0, "state": "open", "office": 7, "place": 8, "category": 9,
    }  # fmt: skip
    return [Effects(transitions=[change])]


def kept(store: Store, offset: int, found: list[Effects] | None = None) -> bool:
    """Apply the next frame."""
    return store.apply(
        "signals", 0, offset, 1, {"d": "00"}, effects(offset) if found is None else found, after=offset - 1
    )


def test_a_store_heals_after_the_server_was_restarted(database: str, postgres: TrialPostgres) -> None:
    with closing(Store(database)) as store:
        assert kept(store, 0)
        assert store.count() == 1
        postgres.restart()
        with pytest.raises(StoreUnavailable):
            kept(store, 1)
        assert store.count() == 1
        assert kept(store, 1)
        assert store.count() == 2


def test_a_server_that_is_away_makes_a_store_unavailable(database: str, postgres: TrialPostgres) -> None:
    with closing(Store(database)) as store:
        postgres.stop()
        try:
            for ask in (store.count, lambda: kept(store, 0), lambda: list(store.transitions()), store.marks):
                with pytest.raises(StoreUnavailable):
                    ask()
            with pytest.raises(StoreUnavailable):
                Store(database)
        finally:
            postgres.start()
        assert kept(store, 0)


def test_a_frame_that_cannot_be_kept_leaves_nothing_and_the_next_is_kept(database: str) -> None:
    with closing(Store(database)) as store:
        assert kept(store, 0)
        with pytest.raises(psycopg.errors.UniqueViolation):
            kept(store, 1, effects(0))
        assert store.cursor() == {"signals-0": 1}
        assert kept(store, 1)


def test_a_commit_whose_answer_was_lost_is_recognised(database: str) -> None:
    with Between(database) as between, closing(Store(between.url)) as store:
        assert kept(store, 0)
        between.cuts_behind = b"COMMIT"
        with pytest.raises(StoreUnavailable):
            kept(store, 1)
        between.cuts_behind = None
        assert kept(store, 1)
        assert kept(store, 2)
        assert store.count() == 3


def test_what_was_cut_before_the_commit_is_kept_by_the_second_attempt(database: str) -> None:
    with Between(database) as between, closing(Store(between.url)) as store:
        assert kept(store, 0)
        between.cuts_behind = b"UPDATE offsets"
        with pytest.raises(StoreUnavailable):
            kept(store, 1)
        between.cuts_behind = None
        assert kept(store, 1)
        assert store.count() == 2


def test_what_another_kept_meanwhile_is_not_taken_for_ones_own(database: str) -> None:
    with Between(database) as between, closing(Store(between.url)) as store, closing(Store(database)) as other:
        assert kept(store, 0)
        between.cuts_behind = b"UPDATE offsets"
        with pytest.raises(StoreUnavailable):
            kept(store, 1)
        between.cuts_behind = None
        assert other.apply("signals", 0, 1, 1, {"d": "another fold"}, [], after=0)
        assert not kept(store, 1)


def test_listeners_hear_of_transitions_and_verdicts_once_they_are_kept(database: str) -> None:
    verdict = Effects(verdicts=[{"id": "key-1", "ok": True}])
    with closing(Store(database)) as store, listening(database) as heard:
        assert kept(store, 0)
        assert kept(store, 1, [verdict])
        assert kept(store, 2, [Effects(labels=[(b"k" * 16, 0, 1, 50)])])
        assert not store.apply("signals", 0, 9, 1, {}, effects(9), after=7)
        assert store.apply("site", 0, 0, 1, {}, effects(5), after=-1)
        assert heard() == ["signals-0", "signals-0", "site-0"]


def test_a_stream_is_read_while_frames_are_kept(database: str) -> None:
    with closing(Store(database)) as store:
        assert kept(store, 0, [each for number in range(3000) for each in effects(number)])
        stream = store.transitions()
        assert next(stream)["warning"] == "w0"
        assert kept(store, 1, effects(3000))
        assert len(list(stream)) == 2999


@contextmanager
def listening(database: str) -> Iterator[Any]:
    """Collects what is told to listeners until a word of its own comes."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("LISTEN forewarn")

        def heard() -> list[str]:
            connection.execute("SELECT pg_notify('forewarn', 'end')")
            found = []
            for notice in connection.notifies():
                if notice.payload == "end":
                    break
                found.append(notice.payload)
            return found

        yield heard


class Between:
    """Stands between a store and its server; cuts a connection where the server has answered certain words."""

    def __init__(self, database: str) -> None:
        url = make_url(database)
        self._server = (str(url.host), int(url.port or 5432))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.set(port=self._listener.getsockname()[1]).render_as_string(hide_password=False)
        self.cuts_behind: bytes | None = None
        self._open: list[socket.socket] = []

    def __enter__(self) -> "Between":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._open += [client, server]
            asked = [b""]
            threading.Thread(target=self._onward, args=(client, server, asked), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client, asked), daemon=True).start()

    def _onward(self, client: socket.socket, server: socket.socket, asked: list[bytes]) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                asked[0] += data if self.cuts_behind else b""
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _back(self, server: socket.socket, client: socket.socket, asked: list[bytes]) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if self.cuts_behind is not None and self.cuts_behind in asked[0]:
                    break
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
