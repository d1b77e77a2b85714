"""Reads what is dropped into the folders of file sources, and goes on where it was after a stop or a kill."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

import structlog

from connectors.file_drop import Dropped, finish, items, ready_files
from connectors.intake_http import NotNow
from pipeline.frame import MAX_ENTRIES
from runners.live.pull import Door, Watch, put
from runners.live.sources import LiveSource

log = structlog.get_logger("forewarn")
LOOK_S = 1.0


class FileDrops:
    """One thread for all folders. `is_mine`: whether it is this process that reads a source now."""

    def __init__(
        self, door: Door, look_s: float = LOOK_S, is_mine: Callable[[str], bool] = lambda source: True
    ) -> None:
        self._door, self._look_s, self._is_mine = door, look_s, is_mine
        self._stop = threading.Event()
        self._paused: dict[str, LiveSource] = {}
        self._thread = threading.Thread(target=self._run, name="files")

    def start(self) -> None:
        """Begin to look."""
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
        with suppress(NotNow):  # the engine has ended
            while not self._stop.is_set():
                self._look()
                self._stop.wait(self._look_s)

    def _look(self) -> None:
        sources: Mapping[str, LiveSource] = dict(self._door.sources)
        for source in sources.values():
            # After a reload it is another object: whoever mended the mapping wants it tried again.
            if source.folder is None or self._paused.get(source.name) is source:
                continue
            if self._is_mine(source.name):
                self._look_into(source, source.folder)

    def _look_into(self, source: LiveSource, folder: Path) -> None:
        try:
            for file in ready_files(folder):
                if self._stop.is_set() or not self._is_mine(source.name) or not self._read(source, file):
                    break
        except OSError as error:
            # Taken away while it was read, or not ours to move: looked at again the next time.
            log.warning("file cannot be read", source=source.name, folder=str(folder), error=error.strerror)

    def _read(self, source: LiveSource, file: Dropped) -> bool:
        """Read a file from where it was read to; False to leave it for later."""
        cursor = f"drop@{source.name}/{file.mark}"
        position = self._door.position(cursor)
        watch = Watch()
        waiting = islice(items(file, source.mapping.model), position, None)
        while part := list(islice(waiting, MAX_ENTRIES)):
            position += len(part)
            accepted = put(self._door, source.name, part, (cursor, position), self._stop)
            if accepted is None:
                return False
            if watch.is_bad(len(part), len(accepted.rejected)):
                log.warning("source paused: too much of it is rejected", source=source.name, file=file.path.name)
                self._paused[source.name] = source
                return False
        finish(file)
        self._door.forget(cursor)
        return True
