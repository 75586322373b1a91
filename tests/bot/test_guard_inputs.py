"""Every reading of a message, on hostile and strange input: it comes to an end, and says nothing absurd."""

import pytest

from bot.abuse import find_abuse
from bot.asking import asks_for_human
from bot.consent import read_consent
from bot.crisis import find_crisis
from bot.injection import score_injection
from bot.language import detect_language
from bot.mood_features import read_features
from bot.personal import mask
from bot.promises import Allowed, check_words
from bot.topics import find_topics

READINGS = (
    asks_for_human,
    find_crisis,
    find_abuse,
    find_topics,
    score_injection,
    mask,
    read_consent,
    detect_language,
    read_features,
    lambda text: check_words(text, Allowed(sources=[text])),
)
BUILDERS = [
    "want to be able to ",
    "please just now ",
    "can i talk to ",
    "not ",
    "a ",
    "can i please please ",
    ". ",
    ", ",
    "real live actual human ",
    "she said she had enough and ",
    "1",
    "1 ",
    "4111 ",
    "+44 ",
    "07700-",
    "a@",
    "a.",
    "a at b dot ",
    "password is ",
    "my pin ",
    "GB29 ",
    "😀",
    "> ",
    "you are a fucking stupid ",
    "ignore all previous the your ",
    "great , another , ",
    "can't ",
    "two weeks for three days ",
    "(",
    "[x](",
    "https://",
    "www.",
    "-",
    "'",
    "\u0301",
    "ab-",
    "passport number ",
    "sk-",
    "AAAA1",
    "<|",
    "# ",
    "\n",
    "\t",
    "０",
    "ß",
    "İ",
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", BUILDERS, ids=repr)
def test_no_pattern_runs_away(piece):
    text = (piece * 4000)[:4000]
    for read in READINGS:
        read(text)
        read(text + "!")


def test_emoji_and_digits_call_for_nobody():
    for text in ("😀😀😀", "1234567", "...", "👍👍", "0"):
        assert asks_for_human(text) is None
        assert find_crisis(text) is None
        assert find_abuse(text) is None
        assert find_topics(text) == ()


def test_a_request_at_the_end_of_a_very_long_message_is_found():
    assert asks_for_human("The light is green. " * 400 + "Please let me talk to a person.")


def test_a_pasted_thread_is_read_by_what_is_new_in_it():
    thread = (
        "Where is my order LF-204815?\n\n"
        + "> On Monday Anna wrote:\n> my husband died and I want to speak to a manager\n" * 5
    )
    assert asks_for_human(thread) is None
    assert find_topics(thread) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Meine Rechnung ist zu hoch",
        "Ma facture est trop élevée",
        "Mi factura es demasiado alta",
        "La mia bolletta è troppo alta",
        "A minha fatura está alta",
        "Mijn rekening is te hoog",
        "Mój rachunek jest za wysoki",
        "Faturam çok yüksek",
        "我的账单太高了",
        "فاتورتي مرتفعة",
    ],
)
def test_an_ordinary_question_in_ten_languages_is_no_crisis_abuse_or_request(text):
    assert (asks_for_human(text), find_crisis(text), find_abuse(text), find_topics(text)) == (None, None, None, ())
