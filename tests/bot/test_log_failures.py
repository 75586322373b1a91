"""Databases that are locked, full, read-only, damaged, gone or of another version: a clear error, and nothing lost."""

import asyncio
import os
import sqlite3
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from bot.domain import ConversationId, CustomerId, Draft, Entry, Kind, Speaker
from bot.errors import LogCorrupt, LogUnavailable, SettingsInvalid
from bot.sql.log import SqlLog, open_log

CHAT, ANA = ConversationId("chat"), CustomerId("ana")
NOBODY = 65534
WAITED_SECONDS = 30
"""Three and what a slow machine adds; without a limit it would be for ever."""


def said(text: str) -> Draft:
    return Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text)


async def begin(folder: Path, url: str | None = None) -> tuple[SqlLog, Entry]:
    """A log that has one entry."""
    log = open_log(url, folder)
    await log.open(CHAT, ANA)
    return log, await log.append(said("before"))


async def check_goes_on(log: SqlLog, before: list[Entry]) -> None:
    """The log holds what it held, and works."""
    assert list(await log.after(CHAT)) == before
    after = await log.append(said("after"))
    assert after.seq == len(before) + 1
    assert list(await log.after(CHAT)) == [*before, after]
    assert list(await log.unanswered()) == [*before, after]
    await log.close()


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Another process that holds the file."""
    with closing(sqlite3.connect(folder / "frontdesk.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def as_somebody_without_rights() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_a_locked_file_is_told_within_three_seconds_to_everyone_who_waits(tmp_path):
    log, before = await begin(tmp_path)
    with lock(tmp_path):
        since = time.monotonic()
        first = asyncio.gather(log.append(said("lost")), log.append(said("lost too")), return_exceptions=True)
        await asyncio.sleep(1)
        behind = asyncio.gather(log.append(said("lost behind")), return_exceptions=True)
        assert list(await log.after(CHAT)) == [before], "reading goes on"
        failures = [*await first, *await behind]
        assert time.monotonic() - since < WAITED_SECONDS
    for failure in failures:
        assert isinstance(failure, LogUnavailable)
        assert str(tmp_path / "frontdesk.db") in str(failure)
        assert "locked by another process" in str(failure)
    await check_goes_on(log, [before])


def test_a_file_that_is_locked_at_the_start_is_told_within_three_seconds(tmp_path):
    open_log(None, tmp_path)
    with lock(tmp_path):
        since = time.monotonic()
        with pytest.raises(LogUnavailable, match="locked by another process"):
            open_log(None, tmp_path)
        assert time.monotonic() - since < WAITED_SECONDS


async def test_a_short_lock_is_waited_out(tmp_path):
    log, _ = await begin(tmp_path)
    with lock(tmp_path):
        appending = asyncio.create_task(log.append(said("patient")))
        done, _ = await asyncio.wait([appending], timeout=0.3)
        assert not done
    assert (await appending).seq == 2
    await log.close()


async def test_a_full_disk_refuses_and_goes_on_when_there_is_room(tmp_path):
    with small_disk(tmp_path) as folder:
        log, before = await begin(folder)
        filler = folder / "filler"
        fill(filler)
        stored = [before]
        with pytest.raises(LogUnavailable, match=r"frontdesk\.db cannot grow because the disk is full; free some space"):
            await append_without_end(log, stored)
        filler.unlink()
        await check_goes_on(log, stored)


def fill(path: Path) -> None:
    """Leave no room on the disk."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096) == 4096:
            pass


async def append_without_end(log: SqlLog, stored: list[Entry]) -> None:
    """The files of the log may have some room left inside."""
    while True:
        stored.append(await log.append(said("y" * 3000)))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 2 MB, where this process may mount one."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here (needs root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def test_a_file_at_its_greatest_size_refuses_and_goes_on_when_it_may_grow(tmp_path):
    log, before = await begin(tmp_path)
    pages = [40]
    event.listen(log._database._writing, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages[0]}"))
    log._database.close()
    with pytest.raises(LogUnavailable, match="disk is full"):
        await asyncio.gather(log.append(said("z" * 500_000)), log.append(said("short")))
    pages[0] = 1_000_000
    log._database.close()
    await check_goes_on(log, [before])


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(LogUnavailable, match=r"file/data/frontdesk\.db cannot be opened \(Not a directory\); set DATA_DIR"):
        open_log(None, tmp_path / "file" / "data")


def test_a_folder_without_the_right_to_write_is_named(open_folder):
    open_folder.chmod(0o555)
    with as_somebody_without_rights(), pytest.raises(LogUnavailable, match=r"frontdesk\.db cannot be opened \(Permission"):
        open_log(None, open_folder)


def test_a_file_without_the_right_to_write_is_named(open_folder):
    asyncio.run(close(open_log(None, open_folder)))
    (open_folder / "frontdesk.db").chmod(0o444)
    open_folder.chmod(0o555)
    with as_somebody_without_rights(), pytest.raises(LogUnavailable, match=r"frontdesk\.db is read-only; let this process"):
        open_log(None, open_folder)


async def close(log: SqlLog) -> None:
    await log.close()


async def test_a_log_that_loses_its_rights_keeps_what_it_has(open_folder):
    log, before = await begin(open_folder)
    log._database.close()  # its next connections are new ones
    os.chmod(open_folder / "frontdesk.db", 0o444)  # noqa: PTH101
    with as_somebody_without_rights(), pytest.raises(LogUnavailable, match=r"frontdesk\.db is read-only"):
        await log.append(said("lost"))
    os.chmod(open_folder / "frontdesk.db", 0o644)  # noqa: PTH101
    await check_goes_on(log, [before])


def overwrite(path: Path) -> None:
    path.write_bytes(b"This is a shopping list and no database. " * 200)


def halve(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [overwrite, halve])
async def test_a_damaged_file_is_named_and_left_alone(tmp_path, damage: Callable[[Path], None]):
    log, _ = await begin(tmp_path)
    await asyncio.gather(*(log.append(said(f"{n} " * 100)) for n in range(200)))
    await log.close()
    path = tmp_path / "frontdesk.db"
    damage(path)
    content = path.read_bytes()
    with pytest.raises(LogCorrupt, match=r"frontdesk\.db is damaged or not a database; move it away and restore a backup"):
        open_log(None, tmp_path)
    assert path.read_bytes() == content


async def test_damage_inside_the_file_is_told_when_it_is_met(tmp_path):
    log, _ = await begin(tmp_path)
    await asyncio.gather(*(log.append(said(f"{n} " * 100)) for n in range(200)))
    await log.close()
    path = tmp_path / "frontdesk.db"
    whole = path.read_bytes()
    damaged = 4096 * 20  # the end, where what was appended last lies
    path.write_bytes(whole[:-damaged] + b"\xff" * damaged)
    log = open_log(None, tmp_path)
    with pytest.raises(LogCorrupt, match="restore a backup"):
        await log.after(CHAT)
    await log.close()


def test_the_file_of_another_version_is_refused(tmp_path):
    asyncio.run(close(open_log(None, tmp_path)))
    with closing(sqlite3.connect(tmp_path / "frontdesk.db")) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LogUnavailable, match="shape of another version"):
        open_log(None, tmp_path)


def test_a_server_that_is_away_is_named_without_its_password(tmp_path):
    password = "-".join(["very", "secret"])
    since = time.monotonic()
    with pytest.raises(LogUnavailable) as failure:
        open_log(f"postgresql://ana:{password}@127.0.0.1:1/frontdesk?application_name=x", tmp_path)
    assert time.monotonic() - since < WAITED_SECONDS
    assert "PostgreSQL at 127.0.0.1:1, database 'frontdesk', cannot be reached" in str(failure.value)
    assert password not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize(
    "url",
    ["mysql://ana:s3cret@db/x", "postgresql+asyncpg://ana:s3cret@db/x", "ana:s3cret", "postgresql://ana:s3cret@db:port/x"],
)
def test_an_address_that_is_not_postgresqls_is_refused_without_repeating_it(tmp_path, url):
    with pytest.raises(SettingsInvalid, match="DATABASE_URL: must look like postgresql://") as failure:
        open_log(url, tmp_path)
    assert "s3cret" not in str(failure.value)


@pytest.mark.postgres
async def test_connections_that_the_server_ended_are_made_anew(tmp_path, postgres_schema):
    log, before = await begin(tmp_path, f"{postgres_schema}&application_name=to-be-ended")
    with psycopg.connect(postgres_schema) as other:
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'to-be-ended'"
        assert other.execute(query).fetchall()
    await check_goes_on(log, [before])


@pytest.mark.postgres
async def test_a_conversation_that_somebody_locks_in_the_server_is_told_within_three_seconds(tmp_path, postgres_schema):
    log, before = await begin(tmp_path, postgres_schema)
    with psycopg.connect(postgres_schema) as other:
        other.execute("SELECT * FROM conversations FOR UPDATE")
        since = time.monotonic()
        with pytest.raises(LogUnavailable, match="SQLSTATE 55P03"):
            await log.append(said("lost"))
        assert time.monotonic() - since < WAITED_SECONDS
    await check_goes_on(log, [before])


async def test_a_log_is_closed_only_when_the_queries_under_way_have_given_back_their_connections(tmp_path):
    log, before = await begin(tmp_path)
    taken: list[object] = []
    held, go_on = threading.Event(), threading.Event()

    def hold(connection: object, *_: object) -> None:
        taken.append(connection)
        held.set()
        go_on.wait(10)

    event.listen(log._database._writing, "checkout", hold)
    event.listen(log._database._writing, "checkin", lambda connection, *_: taken.remove(connection))
    reading = asyncio.create_task(log.after(before.conversation))
    await asyncio.to_thread(held.wait, 10)
    disposed: list[list[object]] = []
    event.listen(log._database._writing, "engine_disposed", lambda _: (disposed.append(list(taken)), go_on.set()))
    reading.cancel()  # nobody waits for the answer any more, and yet the thread holds a connection
    asyncio.get_running_loop().call_later(0.2, go_on.set)
    await log.close()
    assert disposed == [[]]
