"""What messages say that is worth remembering."""

import time

import pytest

from bot.errors import SettingsInvalid
from bot.facts import FactFile, FactReader, FactRule, load_facts

READER = load_facts()


def named(text):
    return {(found.name, found.value) for found in READER.facts(text)}


def own(text):
    return {(found.name, found.value) for found in READER.facts(text) if found.is_own}


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("my order number is LF-204815 thanks", {("order", "LF-204815")}),
        ("order lf204815 has not arrived", {("order", "lf204815")}),
        ("Order no. 77123 please", {("order", "77123")}),
        ("invoice number: LKB-12345678 is too high", {("invoice", "LKB-12345678")}),
        ("I have LKM12345678 and LKB-00000001", {("invoice", "LKM12345678"), ("invoice", "LKB-00000001")}),
        ("fault FR-123456 and complaint CR-654321", {("fault", "FR-123456"), ("complaint", "CR-654321")}),
        ("any news on ticket T-1042?", {("ticket", "T-1042")}),
        ("My account number is 123456789, postcode sw1a 1aa", {("account", "123456789"), ("postcode", "sw1a 1aa")}),
        ("it shows error code E-204", {("error", "E-204")}),
        ("does the Hub 2 work with SIM Unlimited?", {("device", "Hub 2"), ("plan", "SIM Unlimited")}),
        ("My router is in the cellar behind a steel door.", {("said", "My router is in the cellar behind a steel door")}),
        ("I live on the third floor", {("said", "I live on the third floor")}),
        ("I’d rather not get phone calls", {("preference", "I'd rather not get phone calls")}),
        ("what does the late fee cost?", set()),
        ("my bill is wrong and my problem is not solved", set()),
        ("I have 3 orders and 20 invoices", set()),
        ("call me back please", set()),
        ("in order 4 things happened", set()),
        ("It happened on 12 11 2026 at 09:30", set()),
    ],
)
def test_what_a_message_says_is_found_and_nothing_else(text, facts):
    assert named(text) == facts


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("I'm on Full Fibre 300 with a Hub 3", {("plan", "Full Fibre 300")}),
        ("my current plan is Essential 40", {("plan", "Essential 40")}),
        ("we have the SIM Unlimited", {("plan", "SIM Unlimited")}),
        ("I use an iPhone 15 Pro", {("device", "iPhone 15 Pro")}),
        ("our old Hub 2 blinks red", {("device", "Hub 2")}),
        ("My name is Anna-Lena van Dyk, hello", {("name", "Anna-Lena van Dyk")}),
        ("Please call me Ben", {("name", "Ben")}),
        ("my name is not on the bill", set()),
        ("please only text me after 5pm", {("preference", "please only text me after 5pm")}),
        ("does Full Fibre 900 include a Hub 3?", set()),
        ("how much is SIM 25?", set()),
        ("my neighbour has Full Fibre 900", set()),
    ],
)
def test_what_is_the_customers_own_is_told_from_what_they_only_name(text, facts):
    assert {fact for fact in own(text) if fact[0] != "said"} == facts


def test_what_was_tried_and_what_was_promised_is_kept_in_the_words_it_was_said_in():
    assert READER.tried("Hi. I've already restarted the hub twice, and I checked the cables! Nothing.") == [
        "I've already restarted the hub twice, and I checked the cables"
    ]
    assert READER.tried("how do I restart the hub?") == []
    assert READER.promised("Sorry about that. We will call you back by Friday. You'll get a credit of £5.") == [
        "We will call you back by Friday",
        "You'll get a credit of £5",
    ]


@pytest.mark.parametrize("text", ["it still doesn't work", "that did not help", "same problem again", "Still not working!!"])
def test_a_customer_who_was_not_helped_is_understood(text):
    assert READER.is_unhelped(text)
    assert not READER.is_helped(text)


@pytest.mark.parametrize("text", ["thanks, that worked", "Great, thank you!", "ok thanks", "it works now", "sorted"])
def test_a_customer_who_was_helped_is_understood(text):
    assert READER.is_helped(text)
    assert not READER.is_unhelped(text)


@pytest.mark.parametrize("text", ["thanks, and how do I pay?", "how do I pay?", "greatly annoyed by this"])
def test_a_question_is_not_a_thank_you(text):
    assert not READER.is_helped(text)


@pytest.mark.parametrize(
    "text", ["a" * 4000, "my my " * 700, "I have the " * 400, "1 " * 2000, "order number is " * 250, "my aa is aa " * 330]
)
def test_no_message_takes_long_to_read(text):
    began = time.process_time()
    READER.facts(text), READER.tried(text), READER.promised(text), READER.is_unhelped(text)
    assert time.process_time() - began < 1.0  # some milliseconds; a pattern that runs away takes minutes


def file(**more):
    fields = {"tried": "a", "promised": "a", "unhelped": "a", "helped": "a", "rules": ()}
    return FactFile(**{**fields, **more})


@pytest.mark.parametrize(
    ("pattern", "told"), [("(?P<value>a.*)", "gap without an end"), ("(", "cannot be compiled"), ("{what}", "what")]
)
def test_a_pattern_that_cannot_be_used_is_named_with_its_file(pattern, told):
    with pytest.raises(SettingsInvalid, match=rf"^facts\.yaml: .*{told}"):
        FactReader(file(rules=(FactRule(name="order", find=(pattern,)),)), "facts.yaml")
