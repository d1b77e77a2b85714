"""A small made-up back-test folder: matters with two offices, an outcome, and the warnings they gave."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console.reports.scores import Scores, read_scores

START = datetime(2016, 3, 1, tzinfo=UTC)
HEADER = "subject,kind,target,at,score,probability,label,label_known_at,office,category,share"


def moment(days: float) -> str:
    """The time of so many days after the start, as scores.csv writes it."""
    return (START + timedelta(seconds=round(days * 86_400))).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class BackTest:
    """A back-test folder being filled; `rows` and `warnings` become its files."""

    folder: Path
    rows: list[str] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def row(
        self,
        subject: str,
        day: float,
        score: float,
        label: int | None = None,
        known: float | None = None,
        *,
        kind: str = "risk",
        target: str = "late",
        office: str = "North",
        category: str = "drain",
        share: str = "0",
    ) -> None:
        """One line of scores.csv; the probability is the logistic of the score."""
        chance = 1 / (1 + np.exp(-score))
        end = ("", "") if label is None else (str(label), moment(day + 1 if known is None else known))
        cells = (kind, target, moment(day), f"{score!r}", f"{chance:.9f}", *end, office, category, share)
        self.rows.append(",".join((subject, *cells)))

    def warning(self, name: str, day: float, level: str | None, before: str | None = None, **extra: Any) -> None:
        """One line of warnings.jsonl about the subject of the same name."""
        told = {
            "warning": name,
            "at": moment(day),
            "subject": name,
            "kind": "risk",
            "target": "late",
            "office": "North",
        }
        self.warnings.append({**told, "from": before, "to": level, **extra})

    def write(self, note: dict[str, Any] | None = None) -> Path:
        """Writes the three files."""
        self.folder.mkdir(exist_ok=True)
        lines(self.folder / "scores.csv", [HEADER, *self.rows])
        lines(self.folder / "warnings.jsonl", [json.dumps(told) for told in self.warnings])
        (self.folder / "run.json").write_text(json.dumps(note or {}))
        return self.folder

    def scores(self) -> Scores:
        """The rows as they are read back."""
        return read_scores(self.write(), cached=False)


def lines(path: Path, texts: Iterable[str]) -> None:
    """Writes lines of text."""
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")


@pytest.fixture
def back_test(tmp_path: Path) -> BackTest:
    """An empty back-test folder."""
    return BackTest(tmp_path / "run")


@pytest.fixture
def city(tmp_path: Path) -> Callable[..., Path]:
    """A maker of filled folders: 600 matters over 20 weeks, three rows each, a score that knows something."""

    def fill(name: str = "city", seed: int = 7, noise: float = 1.0) -> Path:
        truth, chance = np.random.default_rng(1), np.random.default_rng(seed)
        made = BackTest(tmp_path / name)
        late = {"North": -1.6, "South": -0.6}
        for number in range(600):
            day = number * 0.23
            office = "North" if truth.random() < 0.5 else "South"
            logit = late[office] + float(truth.normal())
            label = int(truth.random() < 1 / (1 + np.exp(-logit)))
            subject = f"M{number:04d}"
            for share in (0.0, 0.5, 1.0):
                score = logit + noise * float(chance.normal()) * 0.5 + share * (label - 0.3)
                end = None if day > 130 else label
                made.row(subject, day + 4 * share, score, end, day + 6 + label, office=office, share=str(share))
            if score > 0:
                made.warning(subject, day + 4, "yellow" if score < 1 else "orange", office=office)
        made.rows.sort(key=lambda row: row.split(",")[3])
        made.warnings.sort(key=lambda told: str(told["at"]))
        note = {
            "targets": [{"name": "late", "en": "deadline missed", "zh": "逾期"}],
            "levels": {"budgets": {"yellow": 1.0, "orange": 0.5}},
            "input": ["/somewhere/else/matters.csv"],
        }
        return made.write(note)

    return fill
