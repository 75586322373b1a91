"""What the database itself holds to, whoever writes to it."""

import asyncio
import sqlite3
import stat
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.domain import ClientId, ConversationId, CustomerId, Draft, Kind, Speaker
from bot.errors import LogUnavailable
from bot.sql import batch, reader
from bot.sql.log import SqlLog, open_log
from bot.sql.tables import entries, metadata

CHAT, ANA = ConversationId("chat"), CustomerId("ana")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlLog]:
    """A log with one conversation of one entry, in each real store."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_schema")
    log = open_log(url, tmp_path)
    await log.open(CHAT, ANA)
    await log.append(Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="hello"))
    yield log
    await log.close()


@pytest.fixture
def connection(log: SqlLog) -> Iterator[Connection]:
    """Somebody else's connection to the same tables."""
    with log._database._writing.connect() as connection:
        yield connection


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET text = 'forged'",
        "DELETE FROM entries",
        "UPDATE entries SET seq = 7",
        "DELETE FROM conversations",
    ],
)
async def test_the_database_refuses_to_change_what_was_said(log, connection, change):
    with pytest.raises(DBAPIError), connection.begin():
        connection.execute(text(change))
    assert [entry.text for entry in await log.after(CHAT)] == ["hello"]


def test_sqlite_refuses_to_replace_and_postgresql_to_truncate_what_was_said(connection):
    is_file = connection.dialect.name == "sqlite"
    change = "REPLACE INTO entries SELECT * FROM entries" if is_file else "TRUNCATE entries, waiting"
    with pytest.raises(DBAPIError, match="entries are append-only"), connection.begin():
        connection.execute(text(change))


@pytest.mark.parametrize(
    "forged",
    [
        {"speaker": "admin"},
        {"speaker": "BOT"},
        {"kind": "system"},
        {"seq": 0},
        {"seq": 1},
        {"seq": 2, "answers": 2},
        {"conversation": "unknown"},
        {"text": None},
        {"id": "the same"},
    ],
)
def test_the_database_refuses_what_no_entry_can_be(log, connection, forged):
    row: dict[str, Any] = {
        **{"conversation": "chat", "seq": 2, "id": "new", "speaker": "bot", "kind": "message", "text": "x", "data": "{}"},
        **{"at": "2026-01-01 00:00:00", "client_id": None, "answers": None, **forged},
    }
    columns = "conversation, seq, id, speaker, kind, text, data, at, client_id, answers"
    if forged.get("id"):
        row["id"] = connection.execute(text("SELECT id FROM entries")).scalar_one()
        connection.rollback()
    values = ", ".join(f":{name}" for name in columns.split(", "))
    if connection.dialect.name == "postgresql":
        values = values.replace(":data", "CAST(:data AS jsonb)").replace(":at", "CAST(:at AS timestamptz)")
    with pytest.raises(IntegrityError), connection.begin():
        connection.execute(text(f"INSERT INTO entries ({columns}) VALUES ({values})"), row)


def test_the_migrations_build_what_the_tables_describe(connection):
    assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    for table in metadata.sorted_tables:
        described = {check.name for check in table.constraints if isinstance(check, CheckConstraint)}
        assert {check["name"] for check in inspect(connection).get_check_constraints(table.name)} == described


async def test_a_log_opens_again_on_what_it_left(log, tmp_path):
    before = await log.after(CHAT)
    url = log._database._writing.url
    again = open_log(None if url.drivername == "sqlite" else url.render_as_string(hide_password=False), tmp_path)
    assert await again.after(CHAT) == before
    await again.close()


async def test_many_appends_at_once_are_few_transactions(log):
    commits: list[Connection] = []
    event.listen(log._database._writing, "commit", commits.append)
    drafts = [Draft(conversation=CHAT, speaker=Speaker.BOT, kind=Kind.MESSAGE, text=str(n)) for n in range(500)]
    await asyncio.gather(*map(log.append, drafts))
    assert 2 <= len(commits) <= 4


def refuse_unwanted(log: SqlLog, failure: str) -> None:
    """Let the database refuse every batch with the word in it, and quote it as drivers do."""

    def refuse(_connection: Connection, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO entries") and "unwanted" in str(parameters):
            raise getattr(sqlite3 if isinstance(cursor, sqlite3.Cursor) else psycopg, failure)(f"failing row: {parameters}")

    event.listen(log._database._writing, "before_cursor_execute", refuse)


def replies(text: str) -> Draft:
    return Draft(conversation=CHAT, speaker=Speaker.BOT, kind=Kind.MESSAGE, text=text)


async def test_a_draft_that_only_the_database_refuses_spoils_no_other(log):
    refuse_unwanted(log, "DataError")
    drafts = [replies(words) for words in ("good", "unwanted", "better")]
    outcomes = await asyncio.gather(*map(log.append, drafts), return_exceptions=True)
    assert [getattr(outcome, "text", type(outcome).__name__) for outcome in outcomes] == [
        "good",
        "MessageUnreadable",
        "better",
    ]
    assert [entry.seq for entry in await log.after(CHAT)] == [1, 2, 3]


async def test_a_failure_does_not_quote_what_was_said(log):
    refuse_unwanted(log, "OperationalError")
    words = "-".join(["unwanted", "words"])  # a traceback also quotes the lines of this file
    with pytest.raises(LogUnavailable) as failure:
        await log.append(replies(words))
    assert words not in "".join(traceback.format_exception(failure.value))


async def test_sqlite_writes_through_to_the_disk_and_keeps_the_file_to_its_owner(tmp_path):
    log = open_log(None, tmp_path / "new" / "folder")
    with log._database.read() as connection:
        pragmas = ["journal_mode", "synchronous", "foreign_keys"]
        found = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for pragma in pragmas]
    assert found == ["wal", 2, 1], "2 is FULL"
    path = tmp_path / "new" / "folder" / "frontdesk.db"
    for file in (path, path.with_name("frontdesk.db-wal"), path.with_name("frontdesk.db-shm")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await log.close()


async def test_no_question_to_sqlite_reads_a_whole_table_of_entries_or_conversations(tmp_path):
    log = open_log(None, tmp_path)
    asked: list[tuple[str, Any]] = []
    event.listen(log._database._writing, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    event.listen(log._database._reading, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    await log.open(CHAT, ANA)
    draft = Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="x", client_id=ClientId("c"))
    entry = await log.append(draft)
    await asyncio.gather(*(log.append(Draft(**{**fields(draft), "client_id": ClientId(f"c{n}")})) for n in range(5)))
    await log.append(Draft(conversation=CHAT, speaker=Speaker.BOT, kind=Kind.MESSAGE, text="y", answers=1))
    await asyncio.gather(log.after(CHAT), log.before(CHAT, 5, 2), log.entry(entry.id), log.conversations(ANA))
    await asyncio.gather(log.unanswered(), log.unanswered(CHAT), log._reader.last_seqs([CHAT]))
    await log.close()
    questions = {statement: values for statement, values in asked if not statement.startswith(("PRAGMA", "BEGIN", "INSERT"))}
    assert len(questions) >= 12
    with closing(sqlite3.connect(tmp_path / "frontdesk.db")) as connection:
        for statement, values in questions.items():
            first = values[0] if isinstance(values, list) else values
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", first)]
            assert not [step for step in steps if step.startswith(("SCAN entries", "SCAN conversations"))], (
                statement,
                steps,
            )


def fields(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in ("conversation", "speaker", "kind", "text")}


def test_statements_are_made_once_for_a_size():
    assert batch.one_of_pairs(entries.c.answers, 8) is batch.one_of_pairs(entries.c.answers, 8)
    assert reader.CHUNK < 999, "SQLite's old limit of values in one statement"
