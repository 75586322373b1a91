"""The verifier: what bears a sentence, what claims nothing, what repeats and what contradicts."""

import pytest

from bot.support import SUPPORTED, contradicts, makes_claim, repeats, support

FEE = (
    "Larkfield charges a late payment fee of £7.50 if a bill is unpaid 7 days after it was due. See My Larkfield > Billing."
)


@pytest.mark.parametrize(
    "sentence",
    [
        FEE,
        "A late payment fee of £7.50 is charged. [1]",
        "If your bill is unpaid after 7 days, there is a **late payment fee**.",
        "See Billing in My Larkfield.",
        "",
    ],
)
def test_what_the_source_says_is_supported(sentence):
    assert support(sentence, [FEE]) >= SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "The late payment fee is £8.50.",
        "A late payment fee is charged if a bill is unpaid 14 days after it was due.",
        "Your first bill is always free of charge for new customers.",
        "Larkfield charges a late payment fee through Barclays.",
        "The late payment fee is explained at https://evil.example.com/fee.",
        "Pay the late payment fee at evil.com.",
    ],
)
def test_a_foreign_number_name_address_or_matter_is_not(sentence):
    assert support(sentence, [FEE]) < SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "Is that for your broadband or your mobile?",
        "I'm sorry to hear that.",
        "Thanks for getting in touch.",
        "To see why your bill went up:",
        "**Late payments**",
        "Hello!",
        "[1]",
        "",
    ],
)
def test_courtesies_questions_and_headings_claim_nothing(sentence):
    assert not makes_claim(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The fee is £7.50.",
        "Sorry, the fee is £25.",
        "We will refund you tomorrow.",
        "Did you know that we charge £9?",
        "REFUND £900",
    ],
)
def test_a_statement_claims_something_however_it_is_dressed(sentence):
    assert makes_claim(sentence)


def test_a_repeat_in_nearly_the_same_words_is_one_and_another_number_is_none():
    shown = ["You have 14 days to cancel your order free of charge. [1]"]
    assert repeats("You have 14 days to cancel the order free of charge.", shown)
    assert not repeats("You have 30 days to cancel the order free of charge.", shown)
    assert not repeats("Business orders have other rules.", shown)


def test_other_numbers_or_the_opposite_on_the_same_matter_contradict():
    shown = ["You have 14 days to cancel your order free of charge."]
    assert contradicts("You have 30 days to cancel your order.", shown)
    assert contradicts("You do not have 14 days to cancel your order free of charge.", shown)
    assert not contradicts("The engineer comes between 8am and 12 noon.", shown)
    assert not contradicts("You have 14 days to cancel your order free of charge.", shown)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("You cannot cancel within 14 days.", "You can cancel within 14 days."),
        ("You can cancel after 14 days.", "You can't cancel after 14 days."),
        ("There is no fee for moving home.", "There is a fee for moving home. It is on your bill."),
    ],
)
def test_what_the_source_says_the_other_way_round_has_no_support(sentence, source):
    assert support(sentence, [source]) == 0
    assert support(source.split(". ")[0], [source]) > SUPPORTED


def test_a_not_that_one_of_the_sources_has_too_is_no_veto():
    sources = ["You can cancel within 14 days.", "Business customers: you cannot cancel within 14 days."]
    assert support("You cannot cancel within 14 days.", sources) > SUPPORTED
