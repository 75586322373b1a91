"""Who asks what we know about them, who asks to be forgotten, and what they read."""

from datetime import UTC, datetime

import pytest

from bot.about_me import AboutMe, asks_about_me, known_lines, tell_forgotten, tell_known
from bot.domain import ConversationId, CustomerId, EntryId
from bot.profile import Known, Trait

ANN, VISITOR = CustomerId("ann"), CustomerId("visitor-1")


@pytest.mark.parametrize(
    "text",
    [
        "What do you know about me?",
        "what exactly have you stored about me",
        "Hi! what have you all remembered about me?",
        "What data do you have on me?",
        "which information do you hold about me",
        "what personal details have you saved about me?",
        "Do you remember me?",
        "do you know my name?",
        "Show me everything you know about me",
        "show me my data please",
        "tell me what you have noted about me",
        "do you have any information about me?",
    ],
)
def test_who_asks_what_is_known_is_shown_it(text):
    assert asks_about_me(text) is AboutMe.SHOW


@pytest.mark.parametrize(
    "text",
    [
        "Forget me",
        "forget me please.",
        "please forget everything you know about me",
        "forget everything about me",
        "Can you delete my data?",
        "Delete all my personal information now",
        "I want you to erase what you have stored about me",
        "ok. wipe all the data you have about me",
        "Stop remembering me",
        "don't remember anything about me",
        "Could you remove any information about me?",
        "Hello, please forget all about me and my preferences",
    ],
)
def test_who_asks_to_be_forgotten_is(text):
    assert asks_about_me(text) is AboutMe.FORGET


@pytest.mark.parametrize(
    "text",
    [
        "forget it",
        "I forgot my password",
        "don't forget me!",
        "please do not delete my data",
        "how can I delete my data?",
        "how do I delete my account",
        "where can I see my personal information?",
        "what do you know about my bill?",
        "what do you know about roaming",
        "do you remember the offer from May?",
        "delete my voicemail messages",
        "how long do you keep my data",
        "why do you store data about me",
        "I want to remove a SIM from my plan",
        "my data is used up, can you show me a data pass?",
        "how much data do I have left?",
        "clear the fault on my line",
        "you forgot me in the queue",
        "tell me about my bill",
        "remove the late fee from my bill",
        "has the technician forgotten me?",
        "will you delete my data when I leave?",
    ],
)
def test_any_other_message_is_left_to_the_rest_of_the_turn(text):
    assert asks_about_me(text) is None


def known(trait, value):
    at = datetime(2026, 3, 7, tzinfo=UTC)
    return Known(trait=trait, value=value, conversation=ConversationId("chat"), entry=EntryId("e"), at=at)


def test_what_is_known_is_told_with_its_date_and_how_to_have_it_forgotten():
    told = tell_known(ANN, [known(Trait.NAME, "Ann"), known(Trait.ISSUE, "late fee (answered)")])
    assert "- Your name: Ann (7 March 2026)" in told
    assert "- You asked: late fee \\(answered\\) (7 March 2026)" in told
    assert "forget me" in told
    assert known_lines([known(Trait.NAME, "Ann\nLee")]) == ["name: Ann Lee (2026-03-07)"]


def test_what_a_customer_once_wrote_cannot_become_a_link_or_a_picture():
    told = tell_known(
        ANN, [known(Trait.PREFERENCE, "![x](https://evil.example/a.png) www.evil.example <img src=x>\n# head")]
    )
    assert "![x](" not in told
    assert "<img" not in told.replace("\\<", "")
    assert "https://" not in told
    assert "\n#" not in told


def test_a_visitor_reads_that_nothing_is_known_and_who_has_nothing_noted_too():
    assert "not signed in" in tell_known(VISITOR, [])
    assert "not signed in" in tell_forgotten(VISITOR, 0)
    assert "noted nothing" in tell_known(ANN, [])
    assert "noted nothing" in tell_forgotten(ANN, 0)
    assert tell_forgotten(ANN, 1).startswith("Done: I have forgotten the 1 thing I")
    assert "the 3 things I" in tell_forgotten(ANN, 3)
