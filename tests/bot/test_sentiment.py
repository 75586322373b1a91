"""Moods: what TextBlob misses is repaired, and other languages are never scored."""

import subprocess
import sys

import pytest

from bot.breakdown import load_breakdown_model
from bot.errors import SettingsInvalid
from bot.mood_features import insistence
from bot.mood_model import load_mood_model
from bot.sentiment import MoodReader, Trend, read_trend


@pytest.fixture(scope="module")
def reader():
    return MoodReader(load_mood_model())


@pytest.mark.parametrize(
    "text",
    [
        "this is the third time I ask",
        "not happy",
        "sick of this",
        "Great, another delay. Just what I needed.",
        "I've been waiting for two weeks",
        "still not working",
        "I was charged twice",
        "wow, amazing service, only took you a month",
        "I will report you to the consumer agency",
        "HELLO?? ANYONE THERE??",
    ],
)
def test_complaints_are_negative_where_textblob_alone_says_otherwise(reader, text):
    assert reader.read(text).polarity < -0.1


@pytest.mark.parametrize(
    "text",
    [
        "I hate to bother you but could you check my invoice",
        "what is your refund policy for broken screens?",
        "how do I pay",
    ],
)
def test_courtesy_and_questions_are_not_negative(reader, text):
    mood = reader.read(text)
    assert mood.polarity >= 0
    assert mood.frustration < 0.3


@pytest.mark.parametrize("text", ["Great, thank you so much!", "perfect, just what I needed", "that worked, lovely"])
def test_thanks_are_positive_and_calm(reader, text):
    mood = reader.read(text)
    assert mood.polarity > 0
    assert mood.frustration < 0.2


def test_a_frustrated_message_scores_above_the_same_request_asked_calmly(reader):
    calm = reader.read("could you tell me when my refund arrives?")
    angry = reader.read("This is the THIRD time I ask where my refund is!! Two weeks and still nothing, unacceptable.")
    assert angry.frustration > 0.9
    assert calm.frustration < 0.3
    assert angry.signs["repeated"]


def test_asking_the_same_again_raises_frustration(reader):
    text = "where is my refund for the router"
    assert reader.read(text, ["where is the refund for my router?"]).frustration > 3 * reader.read(text).frustration


@pytest.mark.parametrize(
    "text",
    [
        "Das ist eine Frechheit, ich bin wütend!",
        "C'est inadmissible, je suis furieux",
        "Это ужасно, вы мошенники!",
        "最悪です",
    ],
)
def test_other_languages_are_never_scored(reader, text):
    mood = reader.read(text)
    assert mood.language != "en"
    assert (mood.polarity, mood.frustration, dict(mood.features)) == (None, None, {})


@pytest.mark.parametrize(
    "text", ["", "😀", "😡😡😡", "12345", "!!!", "a", "x" * 4000, "ok " * 1300, "> quoted\n" * 300, "\n"]
)
def test_strange_messages_have_sane_values(reader, text):
    mood = reader.read(text, [text] * 50)
    assert -1 <= mood.polarity <= 1
    assert 0 <= mood.frustration <= 1


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ([], Trend.STABLE),
        ([0.9], Trend.STABLE),
        ([0.1, 0.9], Trend.STABLE),
        ([0.1, 0.4, 0.8], Trend.DECLINING),
        ([0.8, 0.5, 0.1], Trend.IMPROVING),
        ([0.3, 0.35, 0.3, 0.32], Trend.STABLE),
        ([0.9, None, 0.5, None, 0.1], Trend.IMPROVING),
        ([0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1], Trend.STABLE),
        ([0.2, 0.9, 0.2, 0.9, 0.2], Trend.STABLE),
    ],
)
def test_the_trend_is_read_from_the_last_messages(values, trend):
    assert read_trend(values) is trend


def test_short_words_alone_are_no_repetition():
    assert insistence("yes please", ["yes please"]) == 0
    assert all(insistence(chosen, [chosen]) == 0 for chosen in ("1", "12", "the second one", "Tuesday morning please"))
    assert insistence("router red light", ["Router: red light!"]) == 1
    assert insistence("router red light", ["Router: red light!"] * 50) == 2


def test_a_damaged_model_is_named(tmp_path):
    (tmp_path / "mood.json").write_text('{"origin": 3}')
    with pytest.raises(SettingsInvalid, match=r"mood\.json: cannot be used"):
        load_mood_model(tmp_path / "mood.json")
    with pytest.raises(SettingsInvalid, match=r"none\.json"):
        load_breakdown_model(tmp_path / "none.json")


@pytest.mark.parametrize("reply", ["", "Hello", "A red light means that the line is down.", "?" * 3000])
def test_any_reply_has_a_probability_of_breaking_down(reply):
    model = load_breakdown_model()
    assert 0 <= model.breakdown(reply, ["What does the red light mean?"], ["Hello", reply]) <= 1
    assert 0 <= model.breakdown(reply, [], []) <= 1


def test_a_reader_starts_without_nltk_pandas_scipy_or_scikit_learn():
    script = (
        "import sys; import bot.classify, bot.sentiment; from bot.mood_features import textblob_polarity; "
        "assert textblob_polarity('great service') == 0.8; "
        "print([name for name in ('nltk', 'pandas', 'scipy', 'sklearn', 'textblob') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
