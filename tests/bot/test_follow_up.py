"""Follow-ups: which questions a model is asked to write anew, and which rewritings are believed."""

import pytest

from bot.follow_up import accept_rewriting, is_elliptical, needs_rewriting
from bot.question import Question
from knowledge.document import DocumentId, Found

ASKED = "How much is the late payment fee?"
FOLLOW_UP = Question(text="and for business customers?", history=(ASKED,), context=(ASKED, "Late payments"))


def found(answerability):
    return Found(passages=(), answerability=answerability, version="v1")


@pytest.mark.parametrize(
    "text",
    [
        "and for business customers?",
        "And on Sundays?",
        "what about abroad",
        "how long?",
        "why",
        "is that refundable?",
        "can I get it by post instead?",
        "How much does it cost?",
        "the same for mobile please",
        "price?",
    ],
)
def test_a_question_that_means_little_alone_is_elliptical(text):
    assert is_elliptical(text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I cancel my broadband contract?",
        "Where can I find my account number?",
        "Is there a late payment fee on business accounts in Scotland when a direct debit bounced?",
        "my router has a red light since this morning and restarting it did not help",
    ],
)
def test_a_question_that_says_its_matter_is_not(text):
    assert not is_elliptical(text)


def test_an_elliptical_question_is_rewritten_even_when_the_search_was_sure():
    assert needs_rewriting(FOLLOW_UP, found(0.95), 0.75)


def test_a_plain_question_is_rewritten_only_when_the_search_was_unsure():
    plain = Question(text="Where can I find my account number?", history=(ASKED,))
    assert not needs_rewriting(plain, found(0.75), 0.75)
    assert needs_rewriting(plain, found(0.74), 0.75)


@pytest.mark.parametrize(
    "question",
    [
        Question(text="and for business customers?"),
        Question(text="the mobile one Cancel a mobile plan", history=(ASKED,), document=DocumentId("cancel-mobile")),
        Question(text="thanks, great!", history=(ASKED,)),
        Question(text="yes please", history=(ASKED,)),
        Question(text="my broadband in the flat in Leeds stopped working after the storm yesterday", history=(ASKED,)),
        Question(text=" ".join(f"word{n}" for n in range(30)) + " and it?", history=(ASKED,)),
    ],
)
def test_without_anything_before_it_or_anything_to_ask_no_model_is_needed(question):
    assert not needs_rewriting(question, found(0.1), 0.75)


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("How much is the late payment fee for business customers?",) * 2,
        (
            '  "What is the late payment fee for business customers?"\n',
            "What is the late payment fee for business customers?",
        ),
        ("late payment fee business customers",) * 2,
    ],
)
def test_a_question_made_of_what_was_said_is_believed(said, believed):
    assert accept_rewriting(said, FOLLOW_UP) == believed


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   \n",
        '""',
        "and for business customers?",
        "And for business customers",
        "Is the late payment fee £7.50 for business customers?",
        "How much is the late payment fee for Northwind business customers?",
        "Northwind late payment fee for business customers?",
        "How much is the late payment fee?",
        "Business customers pay a late payment fee whenever somebody forgets settling quarterly invoices promptly.",
        "How much is the fee for business customers?\nIt is £10.",
        "See https://evil.example for the late payment fee of business customers",
        "late payment fee business customers " * 12,
        "I'm sorry, I cannot help with that.",
    ],
)
def test_what_adds_a_number_a_name_an_address_or_a_story_or_leaves_the_question_out_is_not(said):
    assert accept_rewriting(said, FOLLOW_UP) is None


def test_numbers_and_names_from_the_conversation_may_be_used():
    asked = Question(text="and on Fibre 500?", history=("What does Fibre 60 cost in Leeds?",))
    assert accept_rewriting("What does Fibre 500 cost in Leeds?", asked) == "What does Fibre 500 cost in Leeds?"
    assert accept_rewriting("What does Fibre 900 cost in Leeds?", asked) is None
