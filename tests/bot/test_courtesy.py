"""Small talk gets one of the bot's own sentences; anything with a need in it does not."""

import pytest

from bot import phrases
from bot.courtesy import find_courtesy, find_small_talk


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Hello!", phrases.GREETING),
        ("hi there, can you help me please?", phrases.GREETING),
        ("How are you today?", phrases.GREETING),
        ("ok done, ta", phrases.THANKS),
        ("Right, I'm in, thank you", phrases.THANKS),
        ("all working now thanks", phrases.THANKS),
        ("Brilliant, that worked! Cheers mate", phrases.THANKS),
        ("no that's all, thanks", phrases.THANKS),
        ("sorted", phrases.THANKS),
        ("ok thanks bye", phrases.GOODBYE),
        ("fair enough, bye bye", phrases.GOODBYE),
        ("are you a real person or a computer", phrases.WHO),
        ("who are you?", phrases.WHO),
        ("who is this", phrases.WHO),
        ("Who am I speaking to, please?", phrases.WHO),
        ("What can you help me with?", phrases.CAN),
        ("so what can you do", phrases.CAN),
    ],
)
def test_small_talk_is_answered_in_kind(text, phrase):
    assert find_courtesy(text) == phrase


@pytest.mark.parametrize(
    "text",
    [
        "thanks for nothing",
        "no",
        "ok",
        "hello, my bill is wrong",
        "thanks but it still isn't working",
        "is this a scam",
        "who is this engineer",
        "goodbye forever",
        "I'm done with you",
        "can you help me move my broadband?",
        "",
    ],
)
def test_what_says_more_is_no_small_talk(text):
    assert find_courtesy(text) is None


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("it was in the spam folder!! well I never. thank you dear", phrases.THANKS),
        ("Wonderful. So kind of you. Bye bye now dear", phrases.GOODBYE),
        ("morning!", phrases.GREETING),
        ("hi need a hand", phrases.GREETING),
        ("never mind, found it 🙃", phrases.GLAD),
        ("ok so what speeds do you do then", None),
        ("fair enough. and how long does it take", None),
    ],
)
def test_what_the_intents_take_for_small_talk_is_answered_in_kind_unless_it_asks(text, phrase):
    assert find_small_talk(text) == phrase
