"""The stores that the conversation log is tested on: the fake, SQLite, and a PostgreSQL server that is found or started."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from bot.domain import ConversationId, Holder
from bot.log import ConversationLog
from bot.log_memory import MemoryLog
from bot.sql.log import open_log

NO_POSTGRES = "no PostgreSQL: set FRONTDESK_TEST_POSTGRES_URL, or install the server (Debian: apt-get install postgresql)"
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Store:
    """One place where a log can be kept."""

    open: Callable[[], ConversationLog]
    """Another log on the same data, as another process would have it; the fake is always the same one."""
    hold: Callable[[ConversationId, Holder], None]
    """Let somebody hold a conversation, behind the log's back."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server on which schemas may be made."""
    if given := os.environ.get("FRONTDESK_TEST_POSTGRES_URL"):
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not programs:
        pytest.skip(NO_POSTGRES)
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-pg-", dir="/tmp"))  # short: it also holds the socket
    user = None
    if os.getuid() == 0:  # the server refuses to run as root
        user = "postgres"
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs[-1].with_name(program)), "-D", str(folder / "data"), *arguments]
        with (folder / "start.log").open("ab") as output:
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=output, stderr=output)

    run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
    run("pg_ctl", "start", "-w", "-o", f"-F -c listen_addresses='' -c unix_socket_directories='{folder}'")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture
def postgres_schema(postgres_url: str) -> Iterator[str]:
    """The address of an empty schema of its own."""
    schema = f"test_{uuid4().hex}"
    url = make_url(postgres_url).update_query_dict({"options": f"-csearch_path={schema}"})
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield url.render_as_string(hide_password=False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


def memory_store() -> Store:
    log = MemoryLog()

    def hold(conversation: ConversationId, holder: Holder) -> None:
        log._conversations[conversation] = replace(log._conversations[conversation], holder=holder)

    return Store(open=lambda: log, hold=hold)


def sqlite_store(folder: Path) -> Store:
    def hold(conversation: ConversationId, holder: Holder) -> None:
        with sqlite3.connect(folder / "frontdesk.db") as connection:
            connection.execute("UPDATE conversations SET holder = ? WHERE id = ?", (holder, conversation))
        connection.close()

    return Store(open=lambda: open_log(None, folder, poll_seconds=POLL_SECONDS), hold=hold)


def postgres_store(url: str, folder: Path) -> Store:
    def hold(conversation: ConversationId, holder: Holder) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE conversations SET holder = %s WHERE id = %s", (str(holder), conversation))

    return Store(open=lambda: open_log(url, folder, poll_seconds=POLL_SECONDS), hold=hold)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of store in turn."""
    if request.param == "memory":
        return memory_store()
    if request.param == "sqlite":
        return sqlite_store(tmp_path)
    return postgres_store(request.getfixturevalue("postgres_schema"), tmp_path)


@pytest.fixture
async def log(store: Store) -> AsyncIterator[ConversationLog]:
    """A log on the store."""
    log = store.open()
    yield log
    await log.close()
