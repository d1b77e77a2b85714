"""Published models in PostgreSQL: plain arrays stored once under their sha256, for every worker and trainer."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import select

from alerts.database import Database
from alerts.keeping import insert_of
from alerts.schema import models
from models.champion import Champion
from pipeline.columns import pack
from pipeline.errors import CorruptData
from runners.model_files import Loaded, champion_of


class ModelTable:
    """A table of models with the interface of `ModelFiles`. Every method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.champions = Loaded()

    def keep(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
        """Store a model durably; its sha256."""
        body = pack(head, arrays)
        name = sha256(body).hexdigest()
        kept = insert_of(self._database.engine.dialect)(models).values(sha256=name, body=body)
        with self._database.transaction(apart=True) as connection:
            connection.execute(kept.on_conflict_do_nothing(index_elements=["sha256"]))
        return name

    def load(self, name: str) -> Champion:
        """The champion of this sha256; at most four stay in memory. Raises CorruptData."""
        champion = self.champions.get(name)
        if champion is None:
            row = self._database.one(select(models.c.body).where(models.c.sha256 == name))
            if row is None:
                raise CorruptData(
                    f"model {name} is not in the database, but the log names it; restore it from a backup"
                )
            champion = self.champions.add(name, champion_of(name, bytes(row[0]), f"model {name}"))
        return champion
