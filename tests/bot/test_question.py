"""Reading a question with what was said before it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain import ConversationId, Entry, EntryId, Kind, Outcome, Speaker
from bot.question import read_question

CHOICES = [
    {"document": "cancel-broadband", "title": "Cancel your broadband"},
    {"document": "cancel-mobile", "title": "Cancel a mobile plan"},
]


def conversation(*lines):
    return [
        Entry(
            conversation=ConversationId("chat"),
            seq=seq,
            id=EntryId(str(seq)),
            speaker=speaker,
            kind=Kind.MESSAGE,
            text=text,
            data=data,
            at=datetime.now(UTC),
        )
        for seq, (speaker, text, data) in enumerate(lines, start=1)
    ]


ASKED_BACK = [
    (Speaker.CUSTOMER, "how do I cancel", {}),
    (Speaker.BOT, "Which one?", {"outcome": Outcome.ASKED_BACK, "choices": CHOICES}),
]


def read(*lines):
    *earlier, asked = conversation(*lines)
    return read_question(asked, earlier)


def test_the_history_is_what_the_customer_said_before_and_nothing_the_bot_said():
    question = read((Speaker.CUSTOMER, "a", {}), (Speaker.BOT, "b", {}), (Speaker.CUSTOMER, "c", {}))
    assert (question.text, question.history, question.document) == ("c", ("a",), None)


@pytest.mark.parametrize(
    "reply", ["broadband", "the broadband one please", "1", "the first one", "Broadband!", "cancel my broadband"]
)
def test_a_short_reply_to_a_question_back_chooses_the_article_and_searches_the_first_question(reply):
    question = read(*ASKED_BACK, (Speaker.CUSTOMER, reply, {}))
    assert question.document == "cancel-broadband"
    assert question.text == "how do I cancel Cancel your broadband"


@pytest.mark.parametrize("reply", ["2", "second", "mobile plan", "the last one", "it's the mobile"])
def test_the_other_choice_can_be_named_too(reply):
    assert read(*ASKED_BACK, (Speaker.CUSTOMER, reply, {})).document == "cancel-mobile"


@pytest.mark.parametrize(
    "reply",
    [
        "neither",
        "what is your opening time",
        "cancel",
        "yes",
        "my bill is too high and I want to know how broadband prices have changed over the last years",
    ],
)
def test_a_reply_that_names_no_one_choice_is_a_question_of_its_own(reply):
    question = read(*ASKED_BACK, (Speaker.CUSTOMER, reply, {}))
    assert question.document is None
    assert question.text == reply


def test_a_question_back_is_open_only_until_the_bots_next_message():
    question = read(*ASKED_BACK, (Speaker.CUSTOMER, "hm", {}), (Speaker.BOT, "…", {}), (Speaker.CUSTOMER, "broadband", {}))
    assert question.document is None


def test_what_was_said_before_counts_as_it_was_understood():
    *earlier, asked = conversation(
        (Speaker.CUSTOMER, "2", {}), (Speaker.BOT, "…", {}), (Speaker.CUSTOMER, "and for business?", {})
    )
    earlier[1] = replace(earlier[1], answers=1, data={"turn": {"question": "how do I cancel Cancel a mobile plan"}})
    assert read_question(asked, earlier).history == ("how do I cancel Cancel a mobile plan",)
