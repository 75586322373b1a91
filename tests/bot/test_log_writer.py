"""The writer's promises when the database is slow, silent or fails, with a commit that the test holds in its hand."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bot.domain import ConversationId, Draft, Entry, EntryId, Kind, Speaker
from bot.errors import LogUnavailable
from bot.sql.draft import enter
from bot.sql.ledger import Append, Job, Outcome
from bot.sql.writer import BATCH, Writer

CHAT = ConversationId("chat")


def job(text: str) -> Append:
    draft = Draft(conversation=CHAT, speaker=Speaker.BOT, kind=Kind.MESSAGE, text=text)
    return Append(draft=draft, id=EntryId(text))


class Disk:
    """A commit that waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.attempts = 0
        self.batches: list[list[str]] = []
        self.failure: Exception | None = None

    def commit(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        self.attempts += 1
        self.begun.set()
        self.go.wait()
        if self.failure:
            raise self.failure
        self.batches.append([job.draft.text for job in jobs if isinstance(job, Append)])
        return [enter(job.draft, job.id, 1, datetime.now(UTC)) for job in jobs if isinstance(job, Append)]


@pytest.fixture
def disk() -> Disk:
    return Disk()


async def test_what_comes_during_a_commit_goes_into_the_next(disk):
    seen: list[Entry] = []
    writer = Writer(disk.commit, seen.append, patience_seconds=5)
    first = asyncio.create_task(writer.write(job("first")))
    await asyncio.to_thread(disk.begun.wait)
    rest = [asyncio.create_task(writer.write(job(str(n)))) for n in range(BATCH + 10)]
    await asyncio.sleep(0)
    disk.go.set()
    await asyncio.gather(first, *rest)
    assert [len(batch) for batch in disk.batches] == [1, BATCH, 10]
    assert [entry.text for entry in seen] == ["first", *map(str, range(BATCH + 10))]
    await writer.close()


async def test_a_silent_database_is_given_up_and_what_had_not_begun_is_not_written_later(disk):
    writer = Writer(disk.commit, lambda _: None, patience_seconds=0.1)
    first = asyncio.create_task(writer.write(job("under way")))
    await asyncio.to_thread(disk.begun.wait)
    for task in (first, asyncio.create_task(writer.write(job("behind")))):
        with pytest.raises(LogUnavailable, match=r"did not answer within 0\.1 s"):
            await task
    disk.go.set()
    assert (await writer.write(job("later"))).text == "later"
    assert disk.batches == [["under way"], ["later"]]
    await writer.close()


async def test_a_failed_commit_is_told_to_those_behind_it_too_and_the_next_is_tried(disk):
    disk.failure = LogUnavailable("locked")
    writer = Writer(disk.commit, lambda _: None, patience_seconds=5)
    first = asyncio.create_task(writer.write(job("first")))
    await asyncio.to_thread(disk.begun.wait)
    behind = asyncio.create_task(writer.write(job("behind")))
    await asyncio.sleep(0)
    disk.go.set()
    for task in (first, behind):
        with pytest.raises(LogUnavailable, match="locked"):
            await task
    assert disk.attempts == 1, "nobody behind waits for a failure of their own"
    disk.failure = None
    assert (await writer.write(job("later"))).text == "later"
    await writer.close()


async def test_a_caller_who_leaves_during_the_commit_keeps_nobody_waiting(disk):
    writer = Writer(disk.commit, lambda _: None, patience_seconds=5)
    leaving, staying = (asyncio.create_task(writer.write(job(text))) for text in ("leaves", "stays"))
    await asyncio.sleep(0)
    await asyncio.to_thread(disk.begun.wait)
    leaving.cancel()
    await asyncio.sleep(0)
    disk.go.set()
    assert (await staying).text == "stays"
    assert disk.batches == [["leaves", "stays"]]
    await writer.close()


async def test_a_mistake_in_the_commit_reaches_the_caller_and_leaves_the_writer_alive(disk):
    disk.go.set()
    disk.failure = ZeroDivisionError("our own mistake")
    writer = Writer(disk.commit, lambda _: None, patience_seconds=5)
    with pytest.raises(ZeroDivisionError):
        await writer.write(job("first"))
    disk.failure = None
    assert (await writer.write(job("second"))).text == "second"
    await writer.close()


async def test_closing_writes_what_is_queued_first(disk):
    writer = Writer(disk.commit, lambda _: None, patience_seconds=5)
    queued = [asyncio.create_task(writer.write(job(str(n)))) for n in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    disk.go.set()
    await asyncio.gather(*queued, closing)
    assert disk.batches == [["0", "1", "2"]]
    with pytest.raises(LogUnavailable, match="closed"):
        await writer.write(job("late"))
