"""Records: what is erased is gone to the byte, what is exported is one person's, and a token is spent once."""

import os
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bot.audit import CallRecord, Ruling
from bot.domain import ClientId, ConversationId, CustomerId, Draft, EntryId, Held, Holder, Kind, Speaker
from bot.errors import ConversationUnknown
from bot.profile import Known, Trait
from bot.records import Wanted
from bot.sql.audit import SqlAudit
from bot.sql.erasure import BY_COLUMN, KEPT_ROWS
from bot.sql.log import SqlLog, open_log
from bot.sql.store import open_store
from bot.sql.tickets import SqlTickets
from bot.tickets import NewTicket, of_account

ANNA, BEN = CustomerId("anna-4711"), CustomerId("ben")
CANARY = "canary-7f3a"
CHANGES = (
    "text = 'other'",
    "text = ''",
    "text = '', data = '{\"erased\": true}'",
    "text = '', data = '{\"erased\": true}', client_id = NULL, speaker = 'bot'",
    "text = '', data = '{\"erased\": true}', client_id = NULL, seq = 2",
    "text = '', data = '{\"erased\": true}', client_id = NULL, at = '2020-01-01'",
)
"""What nobody may change in an entry that is not emptied whole."""


@pytest.fixture
async def file_log(tmp_path: Path) -> AsyncIterator[SqlLog]:
    opened = open_log(None, tmp_path)
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlLog]:
    url = request.getfixturevalue("postgres_schema") if request.param == "postgresql" else None
    opened = open_log(url, tmp_path)
    yield opened
    await opened.close()


async def say(log: SqlLog, conversation: str, customer: CustomerId, text: str, client_id: str | None = None) -> int:
    await log.open(ConversationId(conversation), customer)
    entry = await log.append(
        Draft(
            conversation=ConversationId(conversation),
            speaker=Speaker.CUSTOMER,
            kind=Kind.MESSAGE,
            text=text,
            data={"of": text},
            client_id=ClientId(client_id) if client_id else None,
        )
    )
    return entry.seq


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def test_no_byte_of_an_erased_customer_stays_and_nobody_elses_goes(file_log: SqlLog, tmp_path: Path) -> None:
    for number in range(300):
        await say(file_log, f"a{number % 7}", ANNA, f"{CANARY} {number} " + "x" * (number * 13 % 900), f"{CANARY}-{number}")
        await say(file_log, f"b{number % 5}", BEN, f"kept-text {number} " + "y" * (number * 17 % 900))
    assert CANARY.encode() in bytes_of(tmp_path)
    told = await file_log.records.erase(ANNA)
    assert told == {"conversations": 7, "entries": 300}
    left = bytes_of(tmp_path)
    assert CANARY.encode() not in left
    assert ANNA.encode() not in left
    assert left.count(b"kept-text") >= 300
    assert [len(await file_log.after(ConversationId(f"b{n}"))) for n in range(5)] == [60] * 5
    assert await file_log.records.erase(ANNA) == {"conversations": 0, "entries": 0}


async def test_an_erased_conversation_keeps_its_numbering_and_takes_nothing_more(log: SqlLog) -> None:
    await say(log, "a", ANNA, "first")
    await say(log, "a", ANNA, "second")
    await log.records.erase(ANNA)
    entries = await log.after(ConversationId("a"))
    assert [(e.seq, e.text, e.data, e.client_id) for e in entries] == [
        (1, "", {"erased": True}, None),
        (2, "", {"erased": True}, None),
    ]
    with pytest.raises(ConversationUnknown):
        await log.append(Draft(conversation=ConversationId("a"), speaker=Speaker.BOT, kind=Kind.MESSAGE, text="late"))
    assert await log.unanswered() == []
    assert await log.conversations(ANNA) == []


async def test_any_change_of_an_entry_but_an_erasure_is_still_refused(file_log: SqlLog, tmp_path: Path) -> None:
    await say(file_log, "a", ANNA, "words", "c1")
    with sqlite3.connect(tmp_path / "frontdesk.db") as raw:
        for change in CHANGES:
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(f"UPDATE entries SET {change}")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute("DELETE FROM entries")
    raw.close()


@pytest.mark.postgres
async def test_postgresql_refuses_the_same_changes(postgres_schema: str, tmp_path: Path) -> None:
    log = open_log(postgres_schema, tmp_path)
    await say(log, "a", ANNA, "words", "c1")
    await log.close()
    with psycopg.connect(postgres_schema, autocommit=True) as raw:
        for change in (
            *(f"UPDATE entries SET {change}" for change in CHANGES),
            "DELETE FROM entries",
            "TRUNCATE entries CASCADE",
        ):
            with pytest.raises(psycopg.Error, match="append-only"):
                raw.execute(change)


@pytest.mark.postgres
async def test_no_byte_of_an_erased_customer_stays_in_postgresqls_tables(postgres_schema: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_schema) as asking:
        [(folder,)] = asking.execute("SHOW data_directory").fetchall()
    if not os.access(folder, os.R_OK):
        pytest.skip("the server's files cannot be read here")
    log = open_log(postgres_schema, tmp_path)
    for number in range(200):
        await say(log, f"a{number % 7}", ANNA, f"{CANARY} {number} " + "x" * (number * 13 % 900), f"{CANARY}-{number}")
        await say(log, f"b{number % 5}", BEN, f"kept-text {number} " + "y" * (number * 17 % 900))
    checkpoint(postgres_schema)
    assert CANARY.encode() in bytes_of(Path(folder) / "base")
    assert await log.records.erase(ANNA) == {"conversations": 7, "entries": 200}
    await log.close()
    checkpoint(postgres_schema)
    left = bytes_of(Path(folder) / "base")
    assert CANARY.encode() not in left
    assert ANNA.encode() not in left
    assert left.count(b"kept-text") >= 200


def checkpoint(url: str) -> None:
    """Have the server write what it holds in memory."""
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("CHECKPOINT")


async def test_an_export_holds_all_of_one_customer_and_nothing_of_another(log: SqlLog) -> None:
    await say(log, "a", ANNA, "mine one")
    await say(log, "a2", ANNA, "mine two")
    await say(log, "b", BEN, "theirs")
    told = await log.records.export(ANNA)
    texts = [entry["text"] for conversation in told["conversations"] for entry in conversation["entries"]]
    assert sorted(texts) == ["mine one", "mine two"]
    assert "theirs" not in str(told)


async def test_every_table_of_the_database_that_names_a_customer_or_a_conversation_is_covered(
    file_log: SqlLog, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "frontdesk.db") as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {name: {row[1] for row in raw.execute(f"PRAGMA table_info({name})")} for name in tables}
    raw.close()
    named = {name for name, has in columns.items() if {"customer", "conversation"} & has}
    assert named == {table.name for table in (*BY_COLUMN, *KEPT_ROWS)}


async def test_conversations_are_found_by_words_customer_and_holder_page_by_page(log: SqlLog) -> None:
    for number in range(5):
        await say(log, f"a{number}", ANNA, f"My ROUTER number {number}%")
    await say(log, "b", BEN, "bill")
    assert [c.id for c in await log.records.search(Wanted(customer=BEN))] == ["b"]
    assert [c.id for c in await log.records.search(Wanted(text="router NUMBER 3%"))] == ["a3"]
    assert await log.records.search(Wanted(text="%")) != []
    assert await log.records.search(Wanted(text="_")) == []
    seen: list[str] = []
    before = None
    while page := await log.records.search(Wanted(customer=ANNA, limit=2, before=before)):
        seen += [conversation.id for conversation in page]
        before = page[-1].updated, page[-1].id
    assert seen == ["a4", "a3", "a2", "a1", "a0"]
    moved = Draft(
        conversation=ConversationId("b"),
        speaker=Speaker.SYSTEM,
        kind=Kind.EVENT,
        text="",
        moves_to=Held(holder=Holder.QUEUE),
    )
    await log.append(moved)
    assert [c.id for c in await log.records.search(Wanted(holder=Holder.QUEUE))] == ["b"]


async def test_a_visitors_conversations_are_claimed_by_the_customer(log: SqlLog) -> None:
    await say(log, "a", CustomerId("visitor-1"), "before signing in")
    assert await log.records.claim(CustomerId("visitor-1"), ANNA) == 1
    assert [c.id for c in await log.conversations(ANNA)] == ["a"]
    assert await log.conversations(CustomerId("visitor-1")) == []


async def test_what_tools_did_for_a_customer_is_exported_erased_and_claimed_with_their_conversations(
    file_log: SqlLog, tmp_path: Path
) -> None:
    store = open_store(None, tmp_path)
    tickets, audit, profiles = SqlTickets(store), SqlAudit(store), file_log.profiles(30)
    visitor = CustomerId("visitor-1")
    await say(file_log, "a", visitor, "open a ticket")
    theirs = [(visitor, "a", "before they signed in"), (of_account(ANNA), "elsewhere", "opened at the desk")]
    for who, chat, about in theirs:
        wanted = NewTicket(customer=who, conversation=ConversationId(chat), subject=about, key=about, text=CANARY + about)
        await tickets.open(wanted)
    await tickets.open(NewTicket(customer=of_account(BEN), conversation=ConversationId("b"), subject="kept-text", key="b"))
    await audit.record(made_call(CANARY))
    await file_log.records.claim(visitor, ANNA)
    assert len(await tickets.of(of_account(ANNA))) == 2
    told = await file_log.records.export(ANNA)
    assert len(told["tickets"]) == len(told["ticket_notes"]) == 2
    assert [row["arguments"] for row in told["tool_calls"]] == [CANARY]

    await file_log.records.erase(ANNA)
    left = bytes_of(tmp_path)
    assert CANARY.encode() not in left
    assert b"kept-text" in left
    at = datetime.now(UTC)
    late = Known(trait=Trait.PLAN, value=CANARY, conversation=ConversationId("a"), entry=EntryId("e"), at=at)
    await profiles.learn(ANNA, [late])  # by a turn that was still on its way
    assert await profiles.profile(ANNA) == []
    await store.close()


def made_call(arguments: str) -> CallRecord:
    return CallRecord(
        tool="create_ticket",
        arguments=arguments,
        customer=CustomerId("visitor-1"),
        account=None,
        conversation=ConversationId("a"),
        seq=1,
        role="customer",
        asker="routes",
        ruling=Ruling.DONE,
        at=datetime.now(UTC),
        took_ms=1.0,
    )


async def test_a_token_is_spent_once_until_it_would_have_run_out(log: SqlLog) -> None:
    soon, gone = datetime.now(UTC) + timedelta(minutes=5), datetime.now(UTC) - timedelta(seconds=1)
    assert await log.records.spend("jti:1", soon)
    assert not await log.records.spend("jti:1", soon)
    assert await log.records.spend("session:x", soon)
    assert await log.records.spend("session:old", gone)
    assert await log.records.spent("session:", datetime(2020, 1, 1, tzinfo=UTC)) == ["session:x"]
    assert await log.records.spend("session:old", soon), "what has run out is forgotten"
