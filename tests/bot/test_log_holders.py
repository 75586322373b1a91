"""Who holds a conversation, in every log: passed on with an entry, by one at a time, and the bot only while it has it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text

from bot.domain import AgentId, ConversationId, CustomerId, Draft, Entry, Held, Holder, Kind, Speaker
from bot.errors import HolderChanged, MessageUnreadable
from bot.log import ConversationLog
from bot.sql.database import MIGRATIONS
from bot.sql.log import open_log

CHAT, ANA = ConversationId("chat"), CustomerId("ana")
BOT, QUEUE = Held(holder=Holder.BOT), Held(holder=Holder.QUEUE)
ZOE = Held(holder=Holder.AGENT, agent=AgentId("zoe"))
MAX = Held(holder=Holder.AGENT, agent=AgentId("max"))


def draft(text: str = "", speaker: Speaker = Speaker.SYSTEM, kind: Kind = Kind.NOTICE, **fields: Any) -> Draft:
    return Draft(conversation=CHAT, speaker=speaker, kind=kind, text=text, **fields)


def asks(text: str) -> Draft:
    return draft(text, Speaker.CUSTOMER, Kind.MESSAGE)


@pytest.fixture
async def chat(log: ConversationLog) -> ConversationLog:
    await log.open(CHAT, ANA)
    return log


async def test_an_entry_passes_the_conversation_on_and_says_so(chat):
    passed = await chat.append(draft("A colleague takes over.", data={"notice": "handover"}, moves_to=QUEUE))
    assert passed.data == {"notice": "handover", "holder": "queue", "agent": None}
    assert (await chat.after(CHAT))[-1] == passed
    assert (await chat.conversation(CHAT)).held == QUEUE
    await chat.append(draft("Zoe joins.", moves_to=ZOE, only_if=QUEUE))
    assert (await chat.conversation(CHAT)).held == ZOE


async def test_an_entry_for_another_holder_is_refused_and_changes_nothing(chat):
    await chat.append(draft(moves_to=ZOE))
    before = await chat.after(CHAT)
    for other in (BOT, QUEUE, MAX, Held(holder=Holder.AGENT)):
        with pytest.raises(HolderChanged):
            await chat.append(draft("late", only_if=other, moves_to=BOT))
    assert await chat.after(CHAT) == before
    assert (await chat.conversation(CHAT)).held == ZOE


async def test_of_two_who_claim_at_once_one_wins(chat):
    await chat.append(draft(moves_to=QUEUE))
    claims = [draft(only_if=QUEUE, moves_to=one) for one in (ZOE, MAX)]
    outcomes = await asyncio.gather(*map(chat.append, claims), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Entry", "HolderChanged"]
    won = next(outcome for outcome in outcomes if isinstance(outcome, Entry))
    assert (await chat.conversation(CHAT)).agent == won.data["agent"]


async def test_what_people_dealt_with_does_not_wait_for_the_bot_again(chat):
    await chat.append(asks("one"))
    await chat.append(draft(moves_to=QUEUE))
    await chat.append(asks("two"))
    assert not await chat.unanswered()
    await chat.append(draft(moves_to=BOT))
    assert not await chat.unanswered()
    three = await chat.append(asks("three"))
    assert await chat.unanswered() == [three]


async def test_the_message_that_brings_a_conversation_back_to_the_bot_waits_for_it(chat):
    await chat.append(draft(moves_to=Held(holder=Holder.CLOSED)))
    back = await chat.append(draft("I have one more", Speaker.CUSTOMER, Kind.MESSAGE, moves_to=BOT))
    assert await chat.unanswered() == [back]


async def test_what_people_hold_is_listed_by_who_waits_longest(chat):
    other = ConversationId("other")
    await chat.open(other, ANA)
    await chat.append(draft(moves_to=QUEUE))
    await chat.append(Draft(conversation=other, speaker=Speaker.SYSTEM, kind=Kind.EVENT, text="", moves_to=QUEUE))
    assert [one.id for one in await chat.held(Holder.QUEUE)] == [CHAT, other]
    await chat.append(draft(only_if=QUEUE, moves_to=ZOE))
    assert [one.id for one in await chat.held(Holder.QUEUE)] == [other]
    assert [one.held for one in await chat.held(Holder.AGENT)] == [ZOE]


async def test_an_agent_whose_id_cannot_be_stored_holds_nothing(chat):
    with pytest.raises(MessageUnreadable):
        await chat.append(draft(moves_to=Held(holder=Holder.AGENT, agent=AgentId("a\x00"))))


async def test_a_database_from_before_people_keeps_its_entries_and_what_waits(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path / 'frontdesk.db'}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        at = "2026-01-01 00:00:00.000000"
        connection.execute(text("INSERT INTO conversations VALUES ('chat', 'ana', 'bot', 't', 1, :at, :at)"), {"at": at})
        row = "'chat', 1, 'id', 'customer', 'message', 'hello', '{}', :at, 'client', NULL"
        connection.execute(text(f"INSERT INTO entries VALUES ({row})"), {"at": at})
        connection.execute(text("INSERT INTO waiting VALUES ('chat', 1)"))
    engine.dispose()
    log = open_log(None, tmp_path)
    assert [entry.text for entry in await log.unanswered()] == ["hello"]
    await log.append(draft("for staff", kind=Kind.NOTE))
    await log.close()
    with closing(sqlite3.connect(tmp_path / "frontdesk.db")) as connection:
        made = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE tbl_name = 'entries'")}
        assert {"entries_by_id", "one_entry_per_client_id", "one_answer_per_entry", "replies_by_time"} <= made
        assert {"entries_refuse_UPDATE", "entries_refuse_DELETE"} <= made
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
