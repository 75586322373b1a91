"""How often the errands' rules fire on questions that are for the articles; the figures stand in docs/decisions/0031."""

import json

import pytest

from bot.settings import ROOT
from bot.tools.routes import route
from tests.tools.talk import NOW, guess

TRANSCRIPTS = ROOT / "evals" / "transcripts"


def messages(*names: str) -> list[str]:
    rows = [json.loads(row) for name in names for row in (TRANSCRIPTS / f"{name}.jsonl").read_text("utf-8").splitlines()]
    return [turn["customer"] for row in rows for turn in row["turns"]]


@pytest.mark.parametrize(
    ("names", "count", "fired"),
    [
        (("larkfield-questions-dev", "larkfield-questions-more-dev"), 180, 4),
        (("larkfield-questions-test",), 60, 1),
    ],
)
def test_questions_for_the_articles_are_left_to_them(names, count, fired):
    said = messages(*names)
    assert len(said) == count
    assert sum(route(guess(), one, None, NOW.date()) is not None for one in said) == fired
