"""What changed between two replies, word by word."""

import pytest

from bot.pages.word_diff import MOST_WORDS, compare_words


def changed(side):
    return [run.text for run in side if run.changed]


def whole(side):
    return "".join(run.text for run in side)


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ("The fee is £7.50. [1]", "The fee is £8.00. [1]", ["£7.50"], ["£8.00"]),
        ("Pay now.", "Pay now. Thank you.", [], [" Thank you."]),
        ("Same.", "Same.", [], []),
        ("", "New", [], ["New"]),
        ("", "", [], []),
        ("Zahlen Sie später", "Zahlen Sie früher", ["später"], ["früher"]),
    ],
)
def test_the_words_that_differ_are_marked_and_no_others(before, after, gone, come):
    old, new = compare_words(before, after)
    assert (changed(old), changed(new)) == (gone, come)
    assert (whole(old), whole(new)) == (before, after)


@pytest.mark.parametrize("text", ["a\n\n- b_c *d* [1]\t😀 …", "£$€.,:'’-", "\n", "…'-word-' 'x"])
def test_no_sign_of_a_text_is_lost(text):
    old, new = compare_words(text, f"{text} more")
    assert (whole(old), whole(new)) == (text, f"{text} more")


def test_very_long_texts_are_shown_as_changed_whole():
    old, new = compare_words("a " * MOST_WORDS, "b " * MOST_WORDS)
    assert len(old) == len(new) == 1
