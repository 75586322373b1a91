"""Typing errors are set right for the search, ordinary words are left alone."""

import pytest

from knowledge.spelling import Spelling
from tests.knowledge.articles import embedder

KNOWN = ["refund", "router", "broadband", "evening", "password", "appointment", "engineer", "cancel", "bill", "wi", "fi"]


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling(KNOWN, embedder().is_common)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("wen do i get my refnd", "when do i get my refund"),
        ("my ruoter", "my router"),
        ("cancle my apointmnt pls", "cancel my appointment please"),
        ("reset my pasword", "reset my password"),
        ("Brodband down!", "broadband down!"),
    ],
)
def test_slips_are_set_right_towards_the_articles_words(spelling: Spelling, written: str, meant: str) -> None:
    assert spelling.correct(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "will it rain in Leeds",
        "I don't think it's the router's fault",
        "whats wrong, dont know",
        "my wifes phone rang twice",
        "LF-204815 FR310277 cat5e",
        "naïve café",
        "",
    ],
)
def test_what_is_no_slip_stays_as_it_was(spelling: Spelling, text: str) -> None:
    assert spelling.correct(text) == text


def test_one_letter_differences_between_short_words_are_left_alone(spelling: Spelling) -> None:
    assert spelling.correct("bil wi fy") == "bil wi fy"


def test_the_end_of_a_number_is_no_word(spelling):
    assert spelling.correct("i get paid on the 28th") == "i get paid on the 28th"
