"""Several questions in one message: taken apart where each stands for itself, left whole where it does not."""

import pytest

from bot.several import split_questions


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        (
            "4 things: do I need to give notice, can I keep my number, and what does it cost?",
            ("do I need to give notice", "can I keep my number", "what does it cost?"),
        ),
        ("How much is it? And when does it start?", ("How much is it?", "when does it start?")),
        ("1. how do I cancel it\n2. where do I send the box", ("how do I cancel it", "where do I send the box")),
        ("how much is a sim and is it the same abroad", ("how much is a sim", "is it the same abroad")),
    ],
)
def test_each_question_of_a_message_is_one_to_search_for(text, questions):
    assert split_questions(text).questions == questions


@pytest.mark.parametrize(
    "text",
    [
        "how do I cancel my broadband",
        "my son, who is 17, is at home. Can he let the engineer in?",
        "The wifi is slow upstairs and my lad cannot play his games",
        "why?",
        "",
    ],
)
def test_a_message_with_one_question_or_none_is_not_taken_apart(text):
    assert len(split_questions(text).questions) < 2


def test_what_stands_beside_the_questions_says_what_they_are_about():
    assert split_questions("Moving on the 14th: do I need notice, can I take the hub?").about == "Moving on the 14th"


def test_a_long_list_is_cut():
    assert len(split_questions("? ".join(f"what is thing number {n}" for n in range(20)) + "?").questions) == 4
