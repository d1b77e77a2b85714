"""Delayed quality: scores meet their labels, and the two figures are what their definitions say."""

from math import log

import numpy as np
import pytest

from models.rows import DECISION, Rows
from pipeline.effects import DecisionBlock, Effects
from runners.live.quality import Quality


def scored(probabilities: list[int], number: int = 0) -> Effects:
    """One decision per matter, by number, of one target (1/10,000)."""
    n = len(probabilities)
    heads = np.zeros(n, DECISION)
    heads["subject"] = np.array([subject(place) for place in range(n)], "V16")
    heads["number"] = number
    block = DecisionBlock(
        heads=heads, rows=Rows(np.zeros((n, 1), np.uint32), np.zeros((n, 1), np.float32)),
        raw=np.zeros((n, 1), np.int64), probability=np.array([probabilities], np.uint16).T,
        office=np.zeros(n, np.int64), category=np.zeros(n, np.int64), share=np.zeros(n, np.float32),
        learn=np.ones(n, np.bool_),
    )  # fmt: skip
    return Effects(decisions=[block])


def subject(place: int) -> bytes:
    return b"%016d" % place


def labelled(failed: list[int]) -> Effects:
    return Effects(labels=[(subject(place), 0, each, 0) for place, each in enumerate(failed)])


def test_log_loss_is_that_of_what_was_said_at_registration() -> None:
    quality = Quality()
    quality.folded([scored([8_000])], 1, 0)
    quality.folded([scored([100], number=1)], 1, 0)
    quality.folded([labelled([1])], 1, 0)
    loss, _, weight = quality.figures()[0]
    assert loss == pytest.approx(-log(0.8))
    assert weight == 1


def test_what_comes_as_often_as_it_was_said_has_no_calibration_error() -> None:
    quality = Quality()
    quality.folded([scored([2_500] * 400)], 400, 0)
    quality.folded([labelled([1, 0, 0, 0] * 100)], 400, 0)
    assert quality.figures()[0][1] == pytest.approx(0, abs=0.01)


def test_what_never_comes_though_it_was_said_is_the_error() -> None:
    quality = Quality()
    quality.folded([scored([2_500] * 100)], 100, 0)
    quality.folded([labelled([0] * 100)], 100, 0)
    assert quality.figures()[0][1] == pytest.approx(0.25)


def test_a_label_without_a_score_says_nothing() -> None:
    quality = Quality()
    quality.folded([labelled([1, 0])], 2, 0)
    assert quality.figures() == {}
