"""When a lesson is due, and what becomes of an answer that cannot be written down at once."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from alerts.store import Lesson
from config.learning import Learning
from config.settings import Settings
from models.rows import LABEL
from pipeline.calendar import HOUR_US
from pipeline.errors import StoreUnavailable
from pipeline.rules import FoldRules
from runners.teacher import ASK_AGAIN_US, Teacher
from runners.trainer import Held
from runners.wiring import fold_rules

SETTINGS = Settings.model_validate({"targets": ({"name": "breach", "rule": "breach"},)})
LIMIT_S = 30.0


class School:
    """Marks as a test sets them; the first `away` answers find no database."""

    def __init__(self, place: Path, *, labels: int = 0, away: int = 0, last: Lesson | None = None) -> None:
        self.place, self.labels, self.away = place, labels, away
        self.given: list[Lesson] = [] if last is None else [last]
        self.answers: list[str] = []
        self.published: list[int] = []
        self.woken = threading.Event()

    def last(self) -> Lesson | None:
        """The newest lesson."""
        return self.given[-1] if self.given else None

    def marks(self) -> tuple[int, int]:
        """As many decisions as labels."""
        return self.labels, self.labels

    def fresh(self, after: int, until: int) -> int:
        """Ids have no holes here."""
        return until - after

    def ask(self, until: int, marks: tuple[int, int]) -> Lesson:
        """Remember it."""
        self.given.append(Lesson(len(self.given) + 1, until, *marks, None))
        return self.given[-1]

    def answer(self, lesson: Lesson, sha256: str) -> None:
        """Remember it, once the database is there."""
        if self.away:
            self.away -= 1
            raise StoreUnavailable("gone")
        self.answers.append(sha256)

    def publish(self, lesson: Lesson) -> None:
        """Remember it."""
        self.published.append(lesson.id)

    def wake(self) -> None:
        """An answer has come."""
        self.woken.set()


def teacher(school: School, **learning: int) -> Teacher:
    settings = SETTINGS.model_copy(update={"learning": Learning.model_validate({"min_labels": 50, **learning})})
    rules: FoldRules = fold_rules(settings)
    return Teacher(school, lambda: (settings, rules), time.monotonic)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data directory with an empty store."""
    from alerts.store import Store

    Store(tmp_path / "store.db").close()
    return tmp_path


def test_with_too_few_labels_it_looks_again_later(place: Path) -> None:
    school = School(place, labels=49)
    made = teacher(school)
    made.look(HOUR_US)
    school.labels = 50
    made.look(HOUR_US + ASK_AGAIN_US - 1)
    assert school.given == []
    made.look(HOUR_US + ASK_AGAIN_US)
    made.close()
    assert [lesson.until for lesson in school.given] == [HOUR_US + ASK_AGAIN_US]


def test_the_next_lesson_is_so_many_hours_of_log_time_later(place: Path) -> None:
    school = School(place, labels=500, last=Lesson(1, HOUR_US, 1, 1, ""))
    made = teacher(school, publish_every_hours=6)
    made.look(7 * HOUR_US - 1)
    assert len(school.given) == 1
    made.look(7 * HOUR_US)
    made.close()
    assert len(school.given) == 2


def test_an_answer_that_cannot_be_written_down_is_kept_until_it_can(place: Path) -> None:
    school = School(place, labels=50, away=2)
    made = teacher(school)
    limit = time.monotonic() + LIMIT_S
    while not school.answers and time.monotonic() < limit:
        made.look(HOUR_US)
        school.woken.wait(0.05)
    made.close()
    assert school.answers == [""], "the store is empty: nothing was worth a version"
    assert (school.away, len(school.given)) == (0, 1)


def test_a_model_that_was_answered_before_a_stop_is_published_again(place: Path) -> None:
    school = School(place, last=Lesson(4, HOUR_US, 1, 1, "ab" * 32))
    teacher(school)
    assert school.published == [4]


def labels(*known_at: int) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    rows = np.zeros(len(known_at), LABEL)
    rows["known_at"] = known_at
    rows["subject"] = np.frombuffer(b"".join(bytes([255 - n % 256] * 16) for n in range(len(known_at))), "V16")
    return rows


def test_labels_of_a_partition_that_is_ahead_wait_for_the_others() -> None:
    held = Held()
    assert held.until(10, labels(5, 20, 10))["known_at"].tolist() == [5, 10]
    assert held.until(15, labels(12))["known_at"].tolist() == [12]
    assert held.until(20, labels())["known_at"].tolist() == [20]


def test_labels_are_learned_in_the_order_of_time_and_subject() -> None:
    found = Held().until(10, labels(7, 3, 7))
    assert found["known_at"].tolist() == [3, 7, 7]
    assert found["subject"][1].tobytes() < found["subject"][2].tobytes()
