"""Keyed n-grams: stable, distinct, sorted, one text at a time or many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ngrams import BUCKETS, MAX_CHARS, Grams

G = Grams(b"key of the edge")


def test_the_buckets_are_these_on_every_machine() -> None:
    assert Grams(b"k").indices("漏水").tolist() == [11180, 40276, 153357, 207276, 240317]


def test_another_key_gives_other_buckets() -> None:
    text = "楼道没人打扫，垃圾堆在单元门口"
    shared = np.intersect1d(G.indices(text), Grams(b"another").indices(text))
    assert len(shared) <= 1


def test_bigrams_and_trigrams_of_the_padded_text_without_repeats() -> None:
    assert len(G.indices("abcd")) == 5 + 4
    assert len(G.indices("a")) == 2 + 1
    assert len(G.indices("")) == 0
    assert len(G.indices("啊" * 50)) == 3 + 3


def test_case_and_width_do_not_count() -> None:
    assert G.indices("ABC小区１号").tolist() == G.indices("ａｂｃ小区1号").tolist()


def test_order_of_the_words_is_not_kept() -> None:
    found = G.indices("路灯不亮井盖破损")
    assert (np.diff(found.astype(np.int64)) > 0).all()


@given(st.lists(st.text(max_size=40), max_size=30))
def test_many_at_once_are_each_alone(texts: list[str]) -> None:
    flat, ends = G.indices_many(texts)
    assert flat.dtype == np.uint32
    assert len(ends) == len(texts)
    start = 0
    for text, end in zip(texts, ends.tolist(), strict=True):
        assert flat[start:end].tolist() == G.indices(text).tolist()
        start = end
    assert start == len(flat)
    assert (flat < BUCKETS).all()


def test_batches_beyond_the_cache_join_without_a_seam() -> None:
    texts = [f"{number}号路灯不亮" * 40 for number in range(2000)]
    flat, ends = G.indices_many(texts)
    for index in (0, 1, 700, 1311, 1999):
        start = ends[index - 1] if index else 0
        assert flat[start : ends[index]].tolist() == G.indices(texts[index]).tolist()


def test_a_long_text_counts_up_to_its_limit() -> None:
    head = "".join(chr(0x4E00 + number) for number in range(MAX_CHARS))
    assert G.indices(head + "尾巴").tolist() == G.indices(head).tolist()


def test_texts_alike_share_most_buckets() -> None:
    one, other = G.indices("小区门口路灯不亮已经三天"), G.indices("小区门口路灯不亮已经四天")
    stranger = G.indices("拖欠工资一直没有发放到账")
    assert len(np.intersect1d(one, other)) > 0.6 * len(one)
    assert len(np.intersect1d(one, stranger)) <= 1


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "😀😀路", "\ud800"])
def test_odd_characters_are_only_characters(text: str) -> None:
    assert len(G.indices(text)) > 0
