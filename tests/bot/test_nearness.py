"""Nearness to written examples: what patterns cannot list is found, and a damaged or foreign file is refused."""

import json

import numpy as np
import pytest

from bot.abuse import find_abuse
from bot.asking import asks_for_human
from bot.errors import SettingsInvalid
from bot.nearness import FILES, NEARNESS, NONE, Nearness, examples_hash, read_examples
from bot.settings import Settings
from bot.topics import find_topics
from knowledge.embed import FINGERPRINT, Embedder
from tests.cases import read_cases

SETTINGS = Settings()


@pytest.fixture(scope="module")
def near():
    embedder, model = Embedder(), Nearness.load(FINGERPRINT)
    return lambda text: model.near(embedder.embed_query(text))


def test_the_arrays_are_fitted_to_todays_examples():
    with np.load(NEARNESS, allow_pickle=False) as arrays:
        told = json.loads(arrays["told"].tobytes())
    assert told["examples"] == examples_hash(), "run `python -m evals tune nearness`"


def test_no_written_danger_is_a_test_case():
    examples = {text.lower() for texts in read_examples("crisis").values() for text in texts}
    cases = [case["text"].lower() for name in ("crisis", "crisis_held_out") for case in read_cases(name)]
    assert examples.isdisjoint(cases)


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_near_misses_for_its_kinds(name):
    examples = read_examples(name)
    assert len(examples[NONE]) >= 100
    assert all(len(texts) >= 15 for texts in examples.values())


@pytest.mark.parametrize(
    "text",
    [
        "can somebody give me a ring this evening after work",
        "I'd sooner tell all this to a voice than a keyboard",
        "anyone with a pulse there please",
        "I would rather not type my business to a machine",
        "ok, one of them then, please",
    ],
)
def test_requests_for_a_person_in_words_of_ones_own_are_found(near, text):
    assert asks_for_human(text, [(text, near(text)["asking"])], SETTINGS.asking_near_above)


@pytest.mark.parametrize(
    "text",
    [
        "can my son ring me for free",
        "no human needed thanks",
        "please do not transfer me to an agent",
        "the man who came was very kind",
        "are you a person?",
        "one of them is the black one",
    ],
)
def test_people_who_are_only_mentioned_are_not_asked_for(near, text):
    assert asks_for_human(text, [(text, near(text)["asking"])], SETTINGS.asking_near_above) is None


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("my gran typed her bank card into that link", "fraud"),
        ("I read the code out to the man who rang", "fraud"),
        ("my mother's fall pendant won't connect, the line is dead", "lifeline"),
        ("we lost him last sunday and the phone is in his name", "bereavement"),
        ("the app shows me a different customer's bills", "data_breach"),
    ],
)
def test_topics_for_people_are_found_in_words_of_ones_own(near, text, topic):
    found = find_topics(text, [(text, near(text)["sensitive"])], SETTINGS.sensitive_near_above)
    assert topic in [one.name for one in found]


@pytest.mark.parametrize("text", ["you dozy lump of tin", "are you thick or what", "god you are dense, aren't you"])
def test_insults_in_words_of_ones_own_are_abuse(near, text):
    assert find_abuse(text, [(text, near(text)["abuse"])], SETTINGS.abuse_near_above)


@pytest.mark.parametrize(
    "text",
    [
        "you people are useless",
        "this router is rubbish",
        "I'm an idiot, it was unplugged",
        "you've not answered me",
        "are you a robot then",
    ],
)
def test_anger_at_a_thing_or_at_oneself_is_no_abuse(near, text):
    assert find_abuse(text, [(text, near(text)["abuse"])], SETTINGS.abuse_near_above) is None


@pytest.mark.parametrize(
    "text", ["we're solicitors and need broadband in the office", "my bank's fraud team stopped the card, it was only me"]
)
def test_words_of_a_topic_in_an_ordinary_matter_are_not_the_topic(near, text):
    assert find_topics(text, [(text, near(text)["sensitive"])], SETTINGS.sensitive_near_above) == ()


@pytest.mark.parametrize(
    "text", ["his is out of contract", "till next august", "it keeps dropping in the evening", "you're nice for a robot"]
)
def test_ordinary_follow_ups_say_nothing_of_a_failure(near, text):
    assert near(text)["unhelped"].score < SETTINGS.unhelped_near_above


@pytest.mark.parametrize("text", ["tried that already", "no, still the same", "that isn't what I asked you"])
def test_what_did_not_help_is_understood(near, text):
    assert near(text)["unhelped"].score > SETTINGS.unhelped_near_above


def test_a_missing_damaged_or_foreign_file_is_refused_by_its_name(tmp_path):
    for content in (None, b"", b"PK nonsense", NEARNESS.read_bytes()[:2000]):
        path = tmp_path / "nearness.npz"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SettingsInvalid, match=r"nearness\.npz: cannot be used .*tune nearness"):
            Nearness.load(FINGERPRINT, path)
    with pytest.raises(SettingsInvalid, match="another embedder"):
        Nearness.load("another", NEARNESS)
