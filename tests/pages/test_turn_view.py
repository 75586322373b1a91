"""The page's view of a turn: lenient with what older versions kept, and strict about personal data."""

from datetime import UTC, datetime

import pytest

from bot.domain import ConversationId, Entry, EntryId, Kind, Speaker
from bot.pages.rendering import TEMPLATES
from bot.pages.turn_view import TurnViews
from tests.bot.prompted import OneArticle

MAIL = "ann.smith@example.org"


def reply(data, text="Hello"):
    return Entry(
        conversation=ConversationId("c"),
        seq=2,
        id=EntryId("0a"),
        speaker=Speaker.BOT,
        kind=Kind.MESSAGE,
        text=text,
        data=data,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        answers=1,
    )


FULL = {
    "outcome": "answered",
    "citations": [{"number": 1, "title": "T", "heading": "", "passage": "late#0", "support": 0.8}],
    "turn": {
        "question": f"q {MAIL}",
        "answerability": 0.5,
        "knowledge": "v1",
        "passages": [["late#0", 0.9], ["gone#3", 0.1]],
        "dropped": [f"dropped {MAIL}"],
        "steps": [["retrieve", 0.0, 1.0, f"note {MAIL}"], ["write", 1.0, 9.0, ""]],
        "writing": {
            "usage": [{"provider": "p", "model": "m", "prompt_tokens": None, "completion_tokens": None}],
            "attempts": [{"provider": "o", "model": "m", "error": "down", "detail": f"detail {MAIL}", "began_ms": None}],
            "findings": [f"finding {MAIL}"],
            "prompts": {"voice": "123456789012"},
            "prompt": f"prompt {MAIL}",
            "first_shown_ms": None,
            "took_ms": 3.0,
        },
        "reading": {"words": f"later {MAIL}"},
    },
}


@pytest.mark.parametrize("data", [{}, {"outcome": "failed", "notice": "failed"}, {"turn": None}, {"turn": {}}, FULL])
async def test_every_shape_of_data_makes_a_page(data):
    view = await TurnViews(OneArticle(), masked=True).of_entry(reply(data))
    shown = {"company": "L", "masked": True, "entry": reply(data), "asked": "?", "view": view, "problem": "", "words": None}
    assert "<h1>?</h1>" in TEMPLATES.get_template("turn.html").render(**shown, now=None)


@pytest.mark.parametrize("masked", [True, False])
async def test_personal_data_is_hidden_in_every_part_unless_the_setting_says_otherwise(masked):
    view = await TurnViews(OneArticle(), masked=masked).of_entry(reply(FULL, text=f"reply {MAIL}"))
    assert str(view).count(MAIL) == (0 if masked else 8)


async def test_a_passage_that_is_no_longer_in_the_articles_keeps_its_name_and_score():
    view = await TurnViews(OneArticle(), masked=True).of_entry(reply(FULL))
    assert [(one.id, one.score, bool(one.text)) for one in view.passages] == [("late#0", 0.9, True), ("gone#3", 0.1, False)]


async def test_the_waterfall_spans_the_turn():
    view = await TurnViews(OneArticle(), masked=True).of_entry(reply(FULL))
    assert [(bar.began, bar.width) for bar in view.bars] == [(0, 100), (100, 900)]
    assert view.took_ms == 10.0
