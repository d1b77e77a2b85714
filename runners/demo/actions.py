"""What people did to the warnings of matters since the last look, from the store of a running demonstration."""

from collections.abc import Iterator
from pathlib import Path

from connectors.simulator.reaction import SHARE
from runners.explain.first_reasons import last_transition, transitions_behind
from runners.log_sqlite import Logs


class Actions:
    """Follows a store from its present end."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._last = last_transition(data)

    def fresh(self) -> Iterator[tuple[str, str, int]]:
        """Matter, what was done (a cause of the reaction), when (µs UTC)."""
        acted = []
        for number, change in transitions_behind(self._data, self._last):
            self._last = number
            if change["cause"] in SHARE and change["kind"] == "matter":
                acted.append(change)
        if not acted:
            return
        with Logs(self._data / "log.db", readonly=True) as logs:
            for change in acted:
                found = logs.matter(bytes.fromhex(change["subject"]))
                if found is not None:
                    yield found[1].partition("/")[2], change["cause"], change["at"]
