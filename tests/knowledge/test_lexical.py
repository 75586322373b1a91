import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import Lexicon, words

TEXTS = ["The router light is red", "Pay your bill; bills are monthly", "", "the of and", "Red bill"]


def test_words_are_plain_singular_and_telling() -> None:
    assert words("How do I pay my BILLS? It’s £5, isn't it — policies") == ["pay", "bill", "5", "isnt", "policy"]


def test_a_score_is_what_lucene_would_give() -> None:
    lengths = [len(words(text)) for text in TEXTS]
    idf = math.log(1 + (5 - 2 + 0.5) / (2 + 0.5))  # "bill" stands in two of five texts, twice in the second
    expected = idf * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * lengths[1] / (sum(lengths) / 5)))
    assert Lexicon.build(TEXTS).scores({"bill": 1})[1] == pytest.approx(expected, rel=1e-5)


def test_weights_multiply_and_words_add_up() -> None:
    lexicon = Lexicon.build(TEXTS)
    both = lexicon.scores({"red": 0.5, "bill": 2})
    assert np.allclose(both, 0.5 * lexicon.scores({"red": 1}) + 2 * lexicon.scores({"bill": 1}))


def test_unknown_words_score_nothing_and_are_the_rarest() -> None:
    lexicon = Lexicon.build(TEXTS)
    assert not lexicon.scores({"zebra": 1}).any()
    assert lexicon.idf("zebra") > lexicon.idf("router") > lexicon.idf("bill")


def test_a_saved_lexicon_scores_the_same(tmp_path: Path) -> None:
    built = Lexicon.build(TEXTS)
    built.save(tmp_path / "bm25")
    loaded = Lexicon.load(tmp_path / "bm25")
    assert loaded.rows == 5
    assert np.array_equal(loaded.scores({"red": 1, "bill": 1}), built.scores({"red": 1, "bill": 1}))


@given(st.lists(st.text(), max_size=5), st.text())
def test_any_texts_can_be_indexed_and_asked(texts: list[str], question: str) -> None:
    scores = Lexicon.build(texts).scores(Counter(words(question)))
    assert scores.shape == (len(texts),)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
