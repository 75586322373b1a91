"""The output guard: no promise, link, advice or personal data that no source holds."""

import pytest

from bot.promises import Allowed, Breach, check_words

SOURCE = (
    "Refunds to a card take up to five working days. We refund you within 14 days of receiving it. "
    "The call comes from 01632 960150."
)


def breaches(sentence, **allowed):
    return {finding.breach for finding in check_words(sentence, Allowed(**allowed))}


@pytest.mark.parametrize(
    ("sentence", "breach"),
    [
        ("We will refund you tomorrow.", Breach.PROMISE),
        ("You'll get £50 compensation.", Breach.PROMISE),
        ("I guarantee that it works by Friday.", Breach.PROMISE),
        ("An engineer will come tomorrow morning.", Breach.PROMISE),
        ("Your broadband will be fixed within two hours.", Breach.PROMISE),
        ("I have cancelled your contract.", Breach.CLAIMED_ACTION),
        ("Your refund has been approved.", Breach.CLAIMED_ACTION),
        ("You should sue them.", Breach.LEGAL_ADVICE),
        ("Legally, they must pay you.", Breach.LEGAL_ADVICE),
        ("Take two tablets a day.", Breach.MEDICAL_ADVICE),
        ("That sounds like you have depression.", Breach.MEDICAL_ADVICE),
    ],
)
def test_what_no_source_says_may_not_be_said(sentence, breach):
    assert breach in breaches(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Refunds to a card take up to five working days.",
        "We refund you within 14 days of receiving it.",
        "You can ask for a refund.",
        "To cancel, choose Account > Plans.",
        "If you have cancelled your order, send it back.",
        "Shall I bring in a colleague?",
    ],
)
def test_what_a_source_says_and_what_is_no_promise_may(sentence):
    assert breaches(sentence, sources=[SOURCE]) == set()


def test_a_promise_with_another_number_than_the_source_is_none_of_its():
    said = "We will refund you within 14 days."
    assert breaches(said, sources=["We will refund you within 14 days."]) == set()
    assert breaches(said, sources=["We will refund you within 30 days."]) == {Breach.PROMISE}


@pytest.mark.parametrize(
    "sentence",
    [
        "See https://evil.example/a",
        "[help](https://evil.example)",
        "[x](javascript:alert(1))",
        "![i](//evil.example/p.png)",
        "Go to evil-shop.com now",
        "[a](data:text/html,x)",
        "https://larkfield.example.evil.com",
        "https://a:b@larkfield.example",
        "[x](/\\evil.example)",
    ],
)
def test_a_link_to_an_unregistered_place_may_not_be_shown(sentence):
    assert Breach.LINK in breaches(sentence, hosts=frozenset({"larkfield.example"}))


@pytest.mark.parametrize(
    "sentence",
    ["See https://larkfield.example/a", "[help](/help/refunds#p2)", "at www.larkfield.example", "version 2.14.3", "9.30am"],
)
def test_registered_links_and_our_own_pages_may(sentence):
    assert breaches(sentence, hosts=frozenset({"larkfield.example"})) == set()


def test_other_peoples_data_may_not_be_shown_and_the_customers_own_may():
    sentence = "We write to jo@web.de."
    assert breaches(sentence) == {Breach.PERSONAL_DATA}
    assert breaches(sentence, customer_said=["my mail is jo@web.de"]) == set()
    assert breaches("The call comes from 01632 960150.", sources=[SOURCE]) == set()
    assert breaches("Your card is 4111 1111 1111 1111.", customer_said=["4111 1111 1111 1111"]) == {Breach.PERSONAL_DATA}


def test_a_finding_never_repeats_the_personal_data():
    (finding,) = check_words("We write to jo@web.de.", Allowed())
    assert "jo@" not in finding.words
