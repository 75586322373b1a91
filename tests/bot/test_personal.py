"""Personal data is masked; order numbers, prices and dates stay."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.personal import Personal, mask, masked_notice
from tests.bot.personal_cases import personal_cases

CASES = personal_cases()


def test_the_generated_list_is_large_enough():
    assert len(CASES) >= 500
    assert sum(case.kind is None for case in CASES) >= 200


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES if case.kind}))
def test_at_least_99_percent_of_each_kind_are_masked(kind):
    cases = [case for case in CASES if case.kind == kind]
    missed = [case.text for case in cases if case.value in mask(case.text).text or kind not in mask(case.text).kinds]
    assert len(missed) <= 0.01 * len(cases), missed


def test_at_most_two_percent_of_order_numbers_prices_and_dates_are_masked():
    cases = [case for case in CASES if case.kind is None]
    wrong = [case.text for case in cases if mask(case.text).text != case.text]
    assert len(wrong) <= 0.02 * len(cases), wrong


@pytest.mark.parametrize(
    "text",
    [
        "my order LF-204815 cost £29.99",
        "invoice 20261104",
        "on 12/05/2026 at 14:30",
        "version 2.14.3",
        "I have 3 lines and 2 SIMs",
        "my password is not working",
        "my pin is wrong",
        "order 4111 1111 1111 1112",
        "IMEI 352099001761481",
        "about 1,000,000 users",
        "purchase 00004587345",
        "router HG8245H",
        "192.168.1.1",
        "between 9 and 12",
        "error 500 at 10.15",
        "look at bbc.com",
        "",
    ],
)
def test_what_the_task_needs_stays(text):
    assert mask(text).text == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("card 4111-1111-1111-1111 12/27", "card [card number] 12/27"),
        ("４１１１ １１１１ １１１１ １１１１", "[card number]"),
        ("gb29nwbk60161331926819 please", "[IBAN] please"),
        ("write to anna.b@web.de.", "write to [e-mail address]."),
        ("my password is hunter2!", "my password is [password]"),
        ("passwort: geheim", "passwort: [password]"),
        ("the code you sent: one-time code 482913", "the code you sent: one-time code [password]"),
        ("sort code 12-34-56, account number 12345678", "sort code [bank account], account number [bank account]"),
        ("call 07700 900123 or +49 170 1234567", "call [phone number] or [phone number]"),
        ("my SSN is 123-45-6789", "my SSN is [identity number]"),
        ("passport number 925076473", "passport number [identity number]"),
        ("key sk-abcdefghijklmnopqrstuvwx", "key [password]"),
        ("my\u00a0number is 020\u20117946\u20110958", "my\u00a0number is [phone number]"),
    ],
)
def test_each_kind_leaves_its_name(text, masked):
    assert mask(text).text == masked


def test_masking_what_is_masked_changes_nothing():
    for case in CASES:
        once = mask(case.text).text
        assert mask(once).text == once


@given(st.text(max_size=200))
def test_any_text_can_be_masked_and_spans_lie_in_order(text):
    found = mask(text).found
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_a_national_number_is_read_as_the_countrys():
    assert mask("612 345 678", "ES").kinds == (Personal.PHONE,)
    assert mask("612 345 678", "GB").kinds == ()


def test_the_customer_is_told_what_was_hidden():
    assert masked_notice(()) == ""
    assert "a card number" in masked_notice((Personal.CARD,))
    assert "a card number, an IBAN and an e-mail address" in masked_notice((Personal.CARD, Personal.IBAN, Personal.EMAIL))


def test_all_kinds_occur_in_the_generated_list():
    assert Counter(case.kind for case in CASES if case.kind).keys() == {str(k) for k in Personal} - {"bank account"}
