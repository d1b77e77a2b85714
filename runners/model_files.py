"""Published models as files: plain arrays stored once under their sha256, for as long as an entry names them."""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from models.champion import Champion
from pipeline.columns import pack, unpack
from pipeline.errors import CorruptData

IN_MEMORY = 4


class Loaded(dict[str, Champion]):
    """Champions by sha256, the newest few."""

    def add(self, name: str, champion: Champion) -> Champion:
        """Take one in, and let go of the oldest where there are too many."""
        while len(self) >= IN_MEMORY:
            del self[next(iter(self))]
        self[name] = champion
        return champion


class ModelFiles:
    """A folder of models; `champions` holds those that were loaded, by sha256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.champions = Loaded()

    def keep(self, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
        """Store a model durably; its sha256."""
        body = pack(head, arrays)
        name = sha256(body).hexdigest()
        path = self.folder / f"{name}.fwc"
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            with fresh.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        return name

    def load(self, name: str) -> Champion:
        """The champion of this sha256; at most four stay in memory. Raises CorruptData."""
        champion = self.champions.get(name)
        if champion is None:
            path = self.folder / f"{name}.fwc"
            if not path.is_file():
                raise CorruptData(f"{path} is missing, but the log names it; restore it from a backup")
            champion = self.champions.add(name, champion_of(name, path.read_bytes(), str(path)))
        return champion


def champion_of(name: str, body: bytes, place: str) -> Champion:
    """The champion that was stored at `place` under its sha256. Raises CorruptData."""
    if sha256(body).hexdigest() != name:
        raise CorruptData(f"{place} does not have the sha256 in its name; restore it from a backup")
    head, arrays = unpack(body)
    return Champion.from_arrays(arrays, head)
