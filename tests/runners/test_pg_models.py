"""Models in a database: stored once under their sha256, checked when they are read."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, update

from alerts.database import Database
from alerts.schema import models
from alerts.store import Store
from pipeline.errors import CorruptData
from runners.cluster.pg_models import ModelTable
from runners.model_files import ModelFiles

HEAD = {"kind": "test"}


@pytest.fixture
def place(address: Path | str) -> Iterator[Database]:
    Store(address).close()
    with closing(Database(address)) as opened:
        yield opened


def test_the_same_model_is_stored_once_under_the_name_that_a_file_has(place: Database, tmp_path: Path) -> None:
    arrays = {"weights": np.arange(5.0)}
    names = {ModelTable(place).keep(HEAD, arrays), ModelTable(place).keep(HEAD, arrays)}
    assert names == {ModelFiles(tmp_path).keep(HEAD, arrays)}
    assert place.rows(select(func.count()).select_from(models))[0][0] == 1


def test_one_that_is_not_there_is_told(place: Database) -> None:
    with pytest.raises(CorruptData, match="restore it from a backup"):
        ModelTable(place).load("ab" * 32)


def test_one_that_was_changed_is_told(place: Database) -> None:
    name = ModelTable(place).keep(HEAD, {"weights": np.arange(5.0)})
    place.change(update(models).values(body=b"changed"))
    with pytest.raises(CorruptData, match="sha256"):
        ModelTable(place).load(name)
