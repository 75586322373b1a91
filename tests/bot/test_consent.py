"""The answer to "Shall I bring in a colleague?"."""

import pytest

from bot.consent import read_consent


@pytest.mark.parametrize(
    "text", ["yes", "Yes please!", "ok", "sure, go ahead", "please do", "yeah that would be great", "👍", "why not", "YES"]
)
def test_a_yes_is_understood(text):
    assert read_consent(text) is True


@pytest.mark.parametrize(
    "text", ["no", "No thanks.", "not now", "nope, I'm fine", "rather not", "👎", "never mind", "no need, thanks"]
)
def test_a_no_is_understood(text):
    assert read_consent(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes I did restart the router but the light is still red",
        "how long would that take?",
        "no signal",
        "ok google",
        "maybe",
        "please reset my router",
        "no internet since Monday",
        "😀",
        "fine print?",
    ],
)
def test_anything_else_is_no_answer(text):
    assert read_consent(text) is None
