"""Asking for a human is told from mentioning one."""

import pytest

from bot.asking import asks_for_human
from tests.cases import read_cases

CASES = read_cases("asking")


def test_the_list_is_large_half_near_misses_and_without_repeats():
    assert len(CASES) >= 300
    assert abs(sum(case["label"] for case in CASES) / len(CASES) - 0.5) < 0.02
    assert len({case["text"].lower() for case in CASES}) == len(CASES)


def test_precision_and_recall_on_the_list_are_at_least_95_percent():
    said = [asks_for_human(case["text"]) is not None for case in CASES]
    hits = sum(one and case["label"] for one, case in zip(said, CASES, strict=True))
    assert hits / sum(said) >= 0.95
    assert hits / sum(case["label"] for case in CASES) >= 0.95


@pytest.mark.parametrize("text", ["How do I contact an agent later?", "I manage a team of agents", "cancel my order"])
def test_a_mention_is_not_a_request(text):
    assert asks_for_human(text) is None


@pytest.mark.parametrize(
    "text", ["HUMAN!!!", "i want to speek to a humen", "can i tlak to an agnet", "a g e n t please", "agenttt"]
)
def test_shouts_slips_and_stretched_words_are_understood(text):
    assert asks_for_human(text)


def test_the_customers_words_are_the_evidence():
    found = asks_for_human("My bill is wrong again. Put me through to an adviser, please!")
    assert found is not None
    assert found.rule == "put_me_through"
    assert "put me through to an adviser" in found.words


def test_a_quoted_thread_does_not_ask_for_its_writer():
    assert (
        asks_for_human("> I want to speak to a human\n> please\n\nThat was my mail last week. What is my balance?") is None
    )


@pytest.mark.parametrize("text", ["", "😀😀", "12345", "?", "\n\n"])
def test_a_message_without_words_asks_for_nothing(text):
    assert asks_for_human(text) is None
