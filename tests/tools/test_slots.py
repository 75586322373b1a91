"""What an errand reads from words."""

from datetime import date

import pytest

from bot.tools.slots import choose, read_bill, read_day, read_hour, read_postcode, read_ticket, read_visit

FRIDAY = date(2026, 11, 20)
LINES = ["Broadband at 1 Mill Lane (Superfast 80, £29 a month)", "Mobile 07700 900001 (SIM 5, £8 a month)"]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("Tuesday", date(2026, 11, 24)),
        ("next tues please", date(2026, 11, 24)),
        ("friday", date(2026, 11, 27)),
        ("tomorrow morning", date(2026, 11, 21)),
        ("24 November", date(2026, 11, 24)),
        ("the 24th of nov", date(2026, 11, 24)),
        ("November 24th", date(2026, 11, 24)),
        ("24/11", date(2026, 11, 24)),
        ("2026-11-24", date(2026, 11, 24)),
        ("3 January", date(2027, 1, 3)),
        ("31 November", None),
        ("any day", None),
        ("my month was sunny", None),
    ],
)
def test_a_day_is_read_from_today_on(said, day):
    assert read_day(said, FRIDAY) == day


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("in the morning", 8),
        ("afternoon", 12),
        ("evening", 17),
        ("9am", 9),
        ("12pm", 12),
        ("12am", 0),
        ("5pm to 8pm", 17),
        ("9 to 12", 9),
        ("12 to 5pm", 12),
        ("at 3", 15),
        ("24 November", None),
        ("number 2", None),
    ],
)
def test_an_hour_is_read(said, hour):
    assert read_hour(said) == hour


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("1", 0),
        ("the second one", 1),
        ("number 2 please", 1),
        ("the last", 1),
        ("the mobile one", 1),
        ("Mill Lane", 0),
        ("3", None),
        ("0", None),
        ("both", None),
        ("a month", None),
        ("", None),
    ],
)
def test_a_choice_is_read_by_place_or_by_words_of_its_own(said, place):
    assert choose(said, LINES) == place


def test_numbers_are_read_in_their_forms():
    assert read_postcode("my postcode is lf42ab thanks") == "LF4 2AB"
    assert read_postcode("I am at 12 Mill Lane") == ""
    assert read_ticket("about t10423?") == "T-10423"
    assert read_ticket("what about ticket number 10423") == "T-10423"
    assert read_ticket("my order LF-204815") == ""
    assert read_visit("fv-20001") == "FV-20001"
    assert read_bill("lkb20000110") == "LKB-20000110"
