"""What a customer's page shows of people: their words as text, their names, and nothing that is the staff's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot import phrases
from bot.desk.cases import Case
from bot.domain import ConversationId, CustomerId, Entry, EntryId, Kind, Speaker
from bot.webchat.people import People, show_people
from bot.webchat.view import read_thumbs, show_entry

CHAT, ANA = ConversationId("chat"), CustomerId("ana")


def entry(seq: int, speaker: Speaker, kind: Kind, text: str = "", **data: Any) -> Entry:
    return Entry(
        conversation=CHAT,
        seq=seq,
        id=EntryId(f"e{seq}"),
        speaker=speaker,
        kind=kind,
        text=text,
        data=data,
        at=datetime(2026, 11, 20, tzinfo=UTC),
    )


def agent_says(text: str, **data: Any) -> dict[str, Any]:
    step = show_entry(entry(1, Speaker.AGENT, Kind.MESSAGE, text, author="Zoe", agent="zoe", **data), "Assistant")
    assert step is not None
    return step


@pytest.mark.parametrize("kind", [Kind.NOTE, Kind.EVENT, Kind.FEEDBACK])
@pytest.mark.parametrize("speaker", list(Speaker))
def test_notes_events_and_ratings_never_reach_a_customers_page(kind, speaker):
    assert show_entry(entry(1, speaker, kind, "between us"), "Assistant") is None


def test_a_persons_message_bears_their_name_and_not_their_id():
    step = agent_says("Hello")
    assert step["name"] == "Zoe"
    assert "zoe" not in str(step)


@pytest.mark.parametrize(
    "text",
    ["**bold**", "![x](https://evil.example/a.png)", "# big", "<b>x</b>", "[a](javascript:alert(1))", ":::note", "`x`"],
)
def test_a_persons_words_are_shown_as_they_were_typed(text):
    shown = agent_says(text)["output"]
    assert shown != text
    assert shown.replace("\\", "") == text
    assert all(shown[place - 1] == "\\" for place, sign in enumerate(shown) if sign in "*![]<#`:(")


def test_a_suggested_reply_keeps_its_citations_and_no_picture():
    cited = [{"number": 1, "title": "Fees", "heading": "", "url": "/help/fees#p1"}]
    shown = agent_says("The fee is £7.50. [1] ![x](https://evil.example/a.png)", citations=cited)["output"]
    assert "[1](/help/fees#p1)" in shown
    assert "![" not in shown


def test_a_rating_is_no_thumb():
    rating = entry(5, Speaker.CUSTOMER, Kind.FEEDBACK, "kind", of="e4", value=None, rating=5, episode=2)
    assert read_thumbs([rating]) == {}


async def test_the_page_is_told_who_has_the_chat_and_then_what_to_rate():
    told: list[dict[str, Any]] = []

    async def send(name: str, data: Any) -> None:
        told.append(data)

    people = People(Case(id=CHAT, customer=ANA), "Assistant", send)
    await people.begin([entry(1, Speaker.CUSTOMER, Kind.MESSAGE, "a human please")])
    assert told == []
    await people.add(entry(2, Speaker.SYSTEM, Kind.NOTICE, "wait", holder="queue", agent=None))
    await people.add(entry(3, Speaker.CUSTOMER, Kind.MESSAGE, "hello?"))
    await people.add(entry(4, Speaker.SYSTEM, Kind.NOTICE, "Zoe joins", holder="agent", agent="zoe", author="Zoe"))
    await people.add(entry(5, Speaker.SYSTEM, Kind.NOTICE, "bye", holder="closed", agent=None, outcome="solved"))
    await people.add(entry(6, Speaker.CUSTOMER, Kind.FEEDBACK, "", rating=5, episode=2))
    assert [(one["holder"], one["name"], one["rate"]) for one in told] == [
        ("queue", "", None),
        ("agent", "Zoe", None),
        ("closed", "Zoe", 2),
        ("closed", "", None),
    ]
    assert all("outcome" not in one and "reason" not in one for one in told)


def test_a_wait_at_a_closed_desk_is_told_as_such_until_somebody_comes():
    case = Case(id=CHAT, customer=ANA)
    told = []
    for one in (
        entry(1, Speaker.SYSTEM, Kind.NOTICE, "wait", holder="queue", agent=None),
        entry(2, Speaker.SYSTEM, Kind.NOTICE, "we are back tomorrow", notice="wait", closed=True),
        entry(3, Speaker.CUSTOMER, Kind.MESSAGE, "fine"),
        entry(4, Speaker.SYSTEM, Kind.NOTICE, "Zoe joins", holder="agent", agent="zoe", author="Zoe"),
    ):
        case.add(one)
        told.append(show_people(case)["closed"])
    assert told == [False, True, True, False]


async def test_a_wait_that_no_person_ended_is_not_rated():
    case = Case(id=CHAT, customer=ANA)
    case.add(entry(1, Speaker.SYSTEM, Kind.NOTICE, "wait", holder="queue", agent=None))
    case.add(entry(2, Speaker.SYSTEM, Kind.NOTICE, "back", holder="bot", agent=None))
    assert show_people(case)["rate"] is None


async def test_a_chat_with_the_assistant_may_be_rated_once_it_has_answered_and_is_over_after_thanks():
    told: list[dict[str, Any]] = []

    async def send(name: str, data: Any) -> None:
        told.append(data)

    people = People(Case(id=CHAT, customer=ANA), "Assistant", send)
    await people.begin([entry(1, Speaker.CUSTOMER, Kind.MESSAGE, "hello")])
    await people.add(entry(2, Speaker.BOT, Kind.MESSAGE, phrases.GREETING, outcome="greeted"))
    await people.add(entry(3, Speaker.CUSTOMER, Kind.MESSAGE, "what is the late fee?"))
    assert told == []
    await people.add(entry(4, Speaker.BOT, Kind.MESSAGE, "£7.50", outcome="answered"))
    await people.add(entry(5, Speaker.CUSTOMER, Kind.MESSAGE, "thanks"))
    await people.add(entry(6, Speaker.BOT, Kind.MESSAGE, phrases.THANKS, outcome="greeted"))
    await people.add(entry(7, Speaker.CUSTOMER, Kind.MESSAGE, "and for business?"))
    await people.add(entry(8, Speaker.CUSTOMER, Kind.FEEDBACK, "", rating=4, episode=1, agent=None))
    assert [(one["holder"], one["name"], one["rate"], one["over"]) for one in told] == [
        ("bot", "", 1, False),
        ("bot", "", 1, True),
        ("bot", "", 1, False),
        ("bot", "", None, False),
    ]


def test_a_time_with_the_assistant_ends_unrated_when_people_take_the_chat():
    case = Case(id=CHAT, customer=ANA)
    case.add(entry(1, Speaker.CUSTOMER, Kind.MESSAGE, "what is the late fee?"))
    case.add(entry(2, Speaker.BOT, Kind.MESSAGE, "£7.50", outcome="answered"))
    case.add(entry(3, Speaker.SYSTEM, Kind.NOTICE, "wait", holder="queue", agent=None))
    case.add(entry(4, Speaker.CUSTOMER, Kind.MESSAGE, "hello?"))
    assert show_people(case)["rate"] is None
