"""The parts that CONTRIBUTING.md adds as examples keep what every part promises; so do the sinks that are there."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from alerts.deliver import Receipt, Sink
from alerts.sinks import SINKS, Means
from alerts.sinks.kafka import Message, Way
from models.additive import Additive
from models.checks import PROMISES, Subject
from models.registry import SCORERS
from runners.live.sources import plan

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
INTAKE = (ROOT / "examples" / "intake" / "site.yaml").read_text(encoding="utf-8")


def shown(name: str) -> str:
    """The block that the page shows under a file's name."""
    found = re.search(rf"^`{re.escape(name)}`:\n\n```\w+\n(.*?)^```", PAGE, re.M | re.S)
    assert found is not None, f"the page shows no {name}"
    return found.group(1)


def written(name: str, what: str) -> Any:
    """What a file of the page defines under a name."""
    made: dict[str, Any] = {"__name__": Path(name).stem}
    exec(compile(shown(name), name, "exec"), made)
    return made[what]


# a source -------------------------------------------------------------------------------------------------------------


def test_a_source_is_a_mapping_and_a_line(tmp_path: Path) -> None:
    (tmp_path / "parks.yaml").write_text(shown("parks.yaml"), encoding="utf-8")
    line = re.search(r"^  - \{name: parks,.*$", PAGE, re.M)
    assert line is not None
    site = tmp_path / "site.yaml"
    site.write_text(f"{INTAKE.partition('sources:')[0]}sources:\n{line.group()}\n", encoding="utf-8")
    assert plan(site).sources(bytes(32))["parks"].folder == tmp_path / "drops"


# a model --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_model_of_the_page_keeps_its_promise(
    promise: Callable[[Subject], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = written("models/naive_bayes.py", "NaiveBayes")
    monkeypatch.setitem(SCORERS, "naive_bayes", lambda cells, arrays: Additive.from_arrays(arrays))
    promise(Subject("naive_bayes", lambda cells, prior, seed: learner(cells, prior)))


# sinks ----------------------------------------------------------------------------------------------------------------


class Mailbox:
    """A topic with a reader who drops what it has seen: what is left of it lies in a file."""

    def __init__(self, data: Path) -> None:
        self._path = data / "topic.jsonl"

    def send(self, topic: str, messages: Sequence[Message]) -> Receipt:
        """Append what has another id."""
        try:
            seen = self._path.read_bytes() if self._path.is_file() else b""
            with self._path.open("ab") as file:
                for message in messages:
                    if dict(message.headers)["ce_id"] not in seen:
                        file.write(dict(message.headers)["ce_id"] + b" " + message.value + b"\n")
        except OSError as error:
            return Receipt(False, str(error))
        return Receipt(True)


def _makers() -> dict[str, Callable[[Means], Sink | None]]:
    letters = written("alerts/sinks/letters.py", "Letters")
    return {**SINKS, "letters": lambda means: letters(means.data)}


def _sink(name: str, data: Path) -> Sink:
    made = _makers()[name](Means(data, Way(Mailbox(data), "city.warnings", "/forewarn/town")))
    assert made is not None
    return made


def _kept(data: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()]


ONE = {"at": 1, "items": [{"warning": "ab", "action": "remind"}]}


@pytest.mark.parametrize("name", _makers())
def test_a_sink_says_that_it_told(name: str, tmp_path: Path) -> None:
    sink = _sink(name, tmp_path)
    assert sink.name == name
    assert sink.deliver("one", ONE).ok
    assert b"".join(_kept(tmp_path)).count(b'"warning":"ab","action":"remind"') == 1


@pytest.mark.parametrize("name", _makers())
def test_a_sink_tells_the_same_key_once_even_when_it_is_made_anew(name: str, tmp_path: Path) -> None:
    _sink(name, tmp_path).deliver("one", ONE)
    before = _kept(tmp_path)
    assert _sink(name, tmp_path).deliver("one", ONE).ok
    assert _kept(tmp_path) == before


@pytest.mark.parametrize("name", _makers())
def test_a_sink_that_cannot_tell_says_so_and_raises_nothing(name: str, tmp_path: Path) -> None:
    assert not _sink(name, tmp_path / "nowhere").deliver("one", ONE).ok
