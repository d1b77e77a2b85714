"""What is learned comes from the labels: dealt out anew among the same matters, they leave scores that rank nothing."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alerts.store import Store
from config.load import load_settings
from config.mapped import settings_with
from connectors.mapping import Mapping
from models.checks import auc
from models.fitting.trainer import TargetSpec, Trainer
from runners.backtest import Task, backtest
from runners.wiring import fold_rules

DAY = 86_400_000_000
EXAMPLE = Path(__file__).parents[2] / "examples" / "uci_incidents" / "mapping.yaml"
DEADLINE, TWICE = 0, 1


class History:
    """Decisions, labels and lessons of a finished back-test, as its trainer got them."""

    def __init__(self, folder: Path) -> None:
        store = Store(folder / "store.db", readonly=True)
        self.blocks = list(store.decisions())
        self.lessons = store.lessons()
        self.labels = store.labels()
        store.close()
        self.rules = fold_rules(settings_with(load_settings(None), Mapping.load(EXAMPLE).model, path=str(EXAMPLE)))

    def dealt(self, seed: int) -> NDArray[Any]:
        """The labels with the outcomes of each target dealt out anew: as many failures, known at the same moments."""
        dice = np.random.default_rng(seed)
        out = self.labels.copy()
        for target in range(len(self.rules.targets)):
            own = np.flatnonzero(out["target"] == target)
            out["y"][own] = dice.permutation(out["y"][own])
        return out

    def aucs(self, labels: NDArray[Any]) -> list[float]:
        """How the versions that learned `labels` day by day rank first decisions to come: deadline, two hand-overs."""
        targets = self.rules.targets
        trainer = Trainer(self.rules.schema, [TargetSpec(t.name, t.hold / DAY, t.prior / 10_000) for t in targets])
        raw: dict[int, list[NDArray[np.int64]]] = {DEADLINE: [], TWICE: []}
        subjects: dict[int, list[bytes]] = {DEADLINE: [], TWICE: []}
        decided = known = 0
        for lesson in self.lessons:
            while decided < len(self.blocks) and self.blocks[decided][0] <= lesson.decisions:
                block = self.blocks[decided][1]
                decided += 1
                first, learn = np.flatnonzero(block.heads["number"] == 0), np.flatnonzero(block.learn)
                for target in (DEADLINE, TWICE):
                    if trainer.champion.trained[target]:
                        raw[target].append(trainer.champion.score(block.rows.take(first), target).raw)
                        subjects[target].extend(subject.tobytes() for subject in block.heads["subject"][first])
                trainer.decide(block.heads[learn], block.rows.take(learn))
            trainer.know(labels[known : lesson.labels])
            known = lesson.labels
            trainer.learn_until(lesson.until)
        return [
            _auc(labels[labels["target"] == target], np.concatenate(raw[target]), subjects[target])
            for target in (DEADLINE, TWICE)
        ]


def _auc(labels: NDArray[Any], raw: NDArray[np.int64], subjects: list[bytes]) -> float:
    told = {row["subject"].tobytes(): int(row["y"]) for row in labels}
    y = np.array([told.get(subject, 2) for subject in subjects], np.uint8)
    return auc(raw[y < 2], y[y < 2])


@pytest.fixture(scope="module")
def past(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> History:
    """Every fourth incident of the whole span, so that enough of them come after there is something to learn from."""
    folder = tmp_path_factory.mktemp("permuted")
    with gzip.open(real_data / "uci_incidents" / "incident_event_log_noperson.csv.gz", "rt", encoding="utf-8") as whole:
        header, *lines = whole
    fourth = folder / "incidents.csv"
    fourth.write_text(header + "".join(line for line in lines if int(line.split(",", 1)[0][3:]) % 4 == 0), "utf-8")
    backtest(Task(EXAMPLE, (fourth,), folder / "out", scores="first"))
    return History(folder / "out")


@pytest.mark.real
def test_labels_as_they_came_are_learned(past: History) -> None:
    assert min(past.aucs(past.labels)) > 0.6


@pytest.mark.real
@pytest.mark.parametrize("seed", [1, 2])
def test_labels_dealt_out_anew_teach_nothing(past: History, seed: int) -> None:
    assert all(0.47 < each < 0.53 for each in past.aucs(past.dealt(seed)))
