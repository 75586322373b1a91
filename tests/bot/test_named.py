"""Names of which one holds the other."""

import pytest

from bot.named import of_another_name

TITLES = (
    "Gold Rewards Card: rates and fees",
    "Business Gold Rewards Card: annual fee",
    "Business Gold Rewards Card – lounges",
    "Silver Rewards Card: rates and fees",
    "Credit card: rates and fees",
    "How to pay a bill",
    "Card: lost or stolen",
)
SILVER = {"Silver Rewards Card: rates and fees"}
BUSINESS = {"Business Gold Rewards Card: annual fee", "Business Gold Rewards Card – lounges"}


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("What is the annual fee of the gold rewards card?", BUSINESS | SILVER),
        ("What is the annual fee of the Business Gold Rewards Card?", SILVER),
        ("is the gold rewards card for a business free?", SILVER),
        ("Is the gold rewards card or the silver one better?", BUSINESS),
        ("What does the gold card cost?", set()),
        ("I lost my card", set()),
        ("", set()),
    ],
)
def test_the_longer_name_is_left_out_when_the_shorter_is_said_in_full(question, left_out):
    assert of_another_name(question, TITLES) == left_out


def test_where_only_the_longer_name_is_known_it_stays():
    assert of_another_name("What is the annual fee of the gold rewards card?", TITLES[1:3]) == set()
