"""What people did to the warnings of matters since the last look, from the store of a running demonstration."""

from collections.abc import Iterator
from pathlib import Path

import orjson
from sqlalchemy import func, select

from alerts.schema import transitions
from alerts.store import Store
from connectors.simulator.reaction import SHARE
from runners.log_sqlite import Logs


class Actions:
    """Follows a store from its present end."""

    def __init__(self, data: Path) -> None:
        self._data = data
        store = Store(data / "store.db", readonly=True)
        with store.engine.connect() as connection:
            self._last = int(connection.execute(select(func.max(transitions.c.id))).scalar() or 0)
        store.close()

    def fresh(self) -> Iterator[tuple[str, str, int]]:
        """Matter, what was done (a cause of the reaction), when (µs UTC)."""
        store = Store(self._data / "store.db", readonly=True)
        logs = Logs(self._data / "log.db", readonly=True)
        try:
            query = select(transitions.c.id, transitions.c.body).where(transitions.c.id > self._last)
            with store.engine.connect() as connection:
                for number, body in connection.execute(query.order_by(transitions.c.id)):
                    self._last = number
                    change = orjson.loads(body)
                    if change["cause"] in SHARE and change["kind"] == "matter":
                        found = logs.matter(bytes.fromhex(change["subject"]))
                        if found is not None:
                            yield found[1].partition("/")[2], change["cause"], change["at"]
        finally:
            logs.close()
            store.close()
