"""Reads what is dropped into the folders of file sources, and goes on where it was after a stop or a kill."""

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

import structlog

from connectors.file_drop import Dropped, Item, finish, items, ready_files
from connectors.intake_http import Accepted, NotNow
from pipeline.frame import MAX_ENTRIES
from runners.live_gate import LiveGate
from runners.live_sources import LiveSource
from runners.live_work import Outcome

log = structlog.get_logger("forewarn")
LOOK_S = 1.0
WATCHED = 1_000
BAD_SHARE = 0.2
"""Of the last records: beyond it the source is paused until its configuration is read anew."""


class FileDrops:
    """One thread for all folders."""

    def __init__(self, gate: LiveGate, look_s: float = LOOK_S) -> None:
        self._gate, self._look_s = gate, look_s
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
        return sorted(name for name, source in self._paused.items() if self._gate.sources.get(name) is source)

    def _run(self) -> None:
        with suppress(NotNow):  # the engine has ended
            while not self._stop.is_set():
                self._look()
                self._stop.wait(self._look_s)

    def _look(self) -> None:
        sources: Mapping[str, LiveSource] = dict(self._gate.sources)
        for source in sources.values():
            # After a reload it is another object: whoever mended the mapping wants it tried again.
            if source.folder is not None and self._paused.get(source.name) is not source:
                self._look_into(source, source.folder)

    def _look_into(self, source: LiveSource, folder: Path) -> None:
        try:
            for file in ready_files(folder):
                if self._stop.is_set() or not self._read(source, file):
                    break
        except OSError as error:
            # Taken away while it was read, or not ours to move: looked at again the next time.
            log.warning("file cannot be read", source=source.name, folder=str(folder), error=error.strerror)

    def _read(self, source: LiveSource, file: Dropped) -> bool:
        """Read a file from where it was read to; False to leave it for later."""
        cursor = f"drop@{source.name}/{file.mark}"
        engine = self._gate.engine
        position = int(engine.call(lambda: engine.site.logs.position(cursor)).result())
        recent: deque[int] = deque(maxlen=WATCHED // MAX_ENTRIES + 1)
        waiting = islice(items(file, source.mapping.model), position, None)
        while part := list(islice(waiting, MAX_ENTRIES)):
            position += len(part)
            accepted = self._put(source, part, (cursor, position))
            if accepted is None:
                return False
            recent.append(len(accepted.rejected))
            if len(part) >= WATCHED and sum(recent) > BAD_SHARE * WATCHED * len(recent):
                log.warning("source paused: too much of it is rejected", source=source.name, file=file.path.name)
                self._paused[source.name] = source
                return False
        finish(file)
        engine.call(lambda: engine.site.logs.forget_cursor(cursor)).result()
        return True

    def _put(self, source: LiveSource, part: list[Item], cursor: tuple[str, int]) -> Accepted | None:
        """Hand a piece to the gate until it is durable; None when the site stops."""
        records, indexes, refused = [], [], []
        for index, item in enumerate(part):
            if isinstance(item, bytes):
                records.append(item)
                indexes.append(index)
            else:
                refused.append((index, item[0], item[1]))
        while not self._stop.is_set():
            done = threading.Event()
            outcome: list[Outcome] = []

            def told(came: Outcome, into: list[Outcome] = outcome, event: threading.Event = done) -> None:
                into.append(came)
                event.set()

            post = self._gate.post(source.name, records, told, indexes=indexes)
            post.cursor = cursor
            try:
                self._gate.put(post, refused)
            except NotNow as full:
                self._stop.wait(full.retry_after_s)
                continue
            done.wait()
            if isinstance(outcome[0], Accepted):
                return outcome[0]
            self._stop.wait(1.0)
        return None
