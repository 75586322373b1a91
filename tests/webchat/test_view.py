from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import ClientId, Conversation, ConversationId, CustomerId, Entry, EntryId, Holder, Kind, Speaker
from bot.webchat.view import rated_entry, show_conversation, show_entry

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CLIENT_ID = ClientId("0b0a6a3e-4f0c-4f5e-9d4c-6b7b0f3c2a11")


def entry(seq: int, speaker: Speaker, text: str = "Hello", **fields: Any) -> Entry:
    base = {"conversation": ConversationId("c"), "id": EntryId(f"e{seq}"), "kind": Kind.MESSAGE, "data": {}, "at": NOW}
    return Entry(**{**base, "seq": seq, "speaker": speaker, "text": text, **fields})


def test_a_customers_entry_has_the_id_of_the_bubble_that_the_page_shows_already() -> None:
    step = show_entry(entry(1, Speaker.CUSTOMER, client_id=CLIENT_ID), "Bot")
    assert step is not None
    assert (step["id"], step["type"]) == (CLIENT_ID, "user_message")


def test_a_customers_entry_without_a_client_id_has_its_own() -> None:
    step = show_entry(entry(1, Speaker.CUSTOMER), "Bot")
    assert step is not None
    assert step["id"] == "e1"


def test_a_reply_stands_in_a_finished_run_that_can_be_rated() -> None:
    run = show_entry(entry(2, Speaker.BOT, answers=1), "Bot")
    assert run is not None
    reply = run["steps"][0]
    assert (run["type"], run["name"], bool(run["end"])) == ("run", "on_message", True)
    assert (reply["type"], reply["parentId"], reply["name"]) == ("assistant_message", run["id"], "Bot")
    assert rated_entry(run["id"]) == "e2"


def test_an_agents_words_carry_the_agents_name_and_no_run() -> None:
    step = show_entry(entry(2, Speaker.AGENT, data={"agent": "alex", "author": "Alex"}), "Bot")
    assert step is not None
    assert (step["type"], step["name"]) == ("assistant_message", "Alex")


def test_a_notice_is_the_systems() -> None:
    step = show_entry(entry(2, Speaker.SYSTEM, kind=Kind.NOTICE), "Bot")
    assert step is not None
    assert step["type"] == "system_message"


@pytest.mark.parametrize("speaker", [Speaker.CUSTOMER, Speaker.BOT, Speaker.AGENT, Speaker.SYSTEM])
def test_nothing_of_the_trace_is_shown(speaker: Speaker) -> None:
    shown = str(show_entry(entry(2, speaker, data={"steps": ["secret"], "found": {"passages": ["secret"]}}), "Bot"))
    assert "secret" not in shown


def test_the_latest_thumb_of_each_reply_is_shown_and_one_taken_back_is_not() -> None:
    def thumb(seq: int, of: str, value: int | None) -> Entry:
        return entry(seq, Speaker.CUSTOMER, "", kind=Kind.FEEDBACK, data={"of": of, "value": value})

    entries = [
        entry(1, Speaker.BOT),
        entry(2, Speaker.BOT),
        entry(3, Speaker.BOT),
        *(thumb(4, "e1", 1), thumb(5, "e1", 0), thumb(6, "e2", 1), thumb(7, "e2", None)),
    ]
    conversation = Conversation(
        id=ConversationId("c"),
        customer=CustomerId("v"),
        holder=Holder.BOT,
        title="Hello",
        last_seq=7,
        started=NOW,
        updated=NOW,
    )
    steps = show_conversation(conversation, entries, "Bot")["steps"]
    assert [step.get("feedback", {}).get("value") for step in steps] == [0, None, None]


@pytest.mark.parametrize("name", ["", "e1", "reply-e1", "thinking"])
def test_only_a_run_can_be_rated(name: str) -> None:
    assert rated_entry(name) is None
