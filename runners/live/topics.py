"""Reads the topics of Kafka sources, and goes on where it was after a stop, a kill or a pause of the brokers."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from config.settings import Settings
from connectors.intake_http import NotNow
from connectors.kafka_source import Topic, TopicReader
from pipeline.errors import LogUnavailable
from runners.live.pull import Door, Watch, put
from runners.live.sources import LiveSource

log = structlog.get_logger("forewarn")
LOOK_S = 0.5
"""Pause where no source has a topic, or none can be reached."""
POLL_S = 0.1

Open = Callable[[LiveSource], Topic]
"""Opens the topic of a source. Raises LogUnavailable."""
Turn = Callable[[str], bool]
"""Whether it is this process that reads a source now; of several servers one does."""


def topics_of(settings: Callable[[], Settings], folder: Path) -> Open:
    """Opens topics on the brokers that the settings in force name; `folder` is that of the configuration."""

    def open_topic(source: LiveSource) -> Topic:
        from runners.cluster.kafka_outside import OutsideTopic

        assert source.topic is not None
        return OutsideTopic(source.topic.topic, source.topic.brokers or settings().kafka, folder)

    return open_topic


class Topics:
    """One thread for all topics."""

    def __init__(self, door: Door, open_topic: Open, is_mine: Turn = lambda source: True) -> None:
        self._door, self._open, self._is_mine = door, open_topic, is_mine
        self._stop = threading.Event()
        self._reading: dict[str, tuple[LiveSource, TopicReader, Watch]] = {}
        self._paused: dict[str, LiveSource] = {}
        self._unreachable: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="topics")

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End after the records at hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def paused(self) -> list[str]:
        """Sources of which too much was rejected."""
        return sorted(name for name, source in self._paused.items() if self._door.sources.get(name) is source)

    def _run(self) -> None:
        try:
            with suppress(NotNow):  # the site has ended
                while not self._stop.is_set():
                    if not self._turn():
                        self._stop.wait(LOOK_S)
        finally:
            for name in list(self._reading):
                self._leave(name)

    def _turn(self) -> bool:
        """Read every topic once; whether any could be read."""
        sources = dict(self._door.sources)
        for name, (source, _, _) in list(self._reading.items()):
            # After a reload a source is another object, with another mapping or none.
            if sources.get(name) is not source or not self._is_mine(name):
                self._leave(name)
        was_read = False
        for source in sources.values():
            if source.topic is None or self._paused.get(source.name) is source or not self._is_mine(source.name):
                continue
            try:
                self._read(source)
                was_read = True
                self._unreachable.discard(source.name)
            except LogUnavailable as error:
                self._leave(source.name)
                if source.name not in self._unreachable:
                    log.warning("topic cannot be read", source=source.name, error=str(error))
                    self._unreachable.add(source.name)
        return was_read

    def _read(self, source: LiveSource) -> None:
        if source.name not in self._reading:
            assert source.topic is not None
            topic = self._open(source)
            reader = TopicReader(source.name, topic, self._door.position, source.topic.form, source.topic.begin)
            self._reading[source.name] = (source, reader, Watch())
        _, reader, watch = self._reading[source.name]
        for piece in reader.pieces(POLL_S):
            accepted = put(self._door, source.name, piece.items, piece.cursor, self._stop)
            if accepted is None:
                reader.again(piece)
                return
            if watch.is_bad(len(piece.items), len(accepted.rejected)):
                log.warning("source paused: too much of it is rejected", source=source.name)
                self._paused[source.name] = source
                self._leave(source.name)
                return

    def _leave(self, name: str) -> None:
        if name in self._reading:
            self._reading.pop(name)[1].close()
