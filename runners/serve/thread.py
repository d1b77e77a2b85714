"""Threads of a server: one that breaks off by itself ends the server, loudly, for whoever started it to start again."""

import threading
from collections.abc import Callable

Failed = Callable[[BaseException], None]


def thread(name: str, work: Callable[[], None], failed: Failed) -> threading.Thread:
    """A thread that tells what it broke off with."""

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed(error)
            raise

    return threading.Thread(target=run, name=name)
