"""Many followers at little cost, and through outages; the database is a pair of functions that the test holds."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from bot.domain import ConversationId, Draft, Entry, EntryId, Kind, Speaker
from bot.errors import LogUnavailable
from bot.sql.draft import enter
from bot.sql.followers import HELD, Followers

CHAT = ConversationId("chat")


def entry(seq: int, conversation: ConversationId = CHAT) -> Entry:
    draft = Draft(conversation=conversation, speaker=Speaker.BOT, kind=Kind.MESSAGE, text=str(seq))
    return enter(draft, EntryId(str(seq)), seq, datetime.now(UTC))


class Database:
    """Entries, and a count of what was asked."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reads = 0
        self.looks: list[int] = []
        self.looked = asyncio.Condition()
        self.is_away = False

    async def after(self, conversation: ConversationId, seq: int, limit: int) -> Sequence[Entry]:
        self.reads += 1
        if self.is_away:
            raise LogUnavailable("away")
        await asyncio.sleep(0)
        return [entry for entry in self.entries if entry.conversation == conversation and entry.seq > seq][:limit]

    async def last_seqs(self, ids: Sequence[ConversationId]) -> Mapping[ConversationId, int]:
        async with self.looked:
            self.looks.append(len(ids))
            self.looked.notify_all()
        if self.is_away:
            raise LogUnavailable("away")
        return {id: max((entry.seq for entry in self.entries if entry.conversation == id), default=0) for id in ids}

    async def wait_for_looks(self, count: int) -> None:
        target = len(self.looks) + count
        async with asyncio.timeout(60), self.looked:
            await self.looked.wait_for(lambda: len(self.looks) >= target)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def followers(database: Database) -> Followers:
    return Followers(database.after, database.last_seqs, poll_seconds=0.02)


async def test_a_thousand_who_wait_cost_one_look_for_all_of_them(database, followers):
    waiting = [asyncio.create_task(anext(followers.follow(ConversationId(str(n)), 0), None)) for n in range(1000)]
    await database.wait_for_looks(2)
    reads = database.reads
    await database.wait_for_looks(5)
    assert reads == database.reads == 1000, "each read once at its start, and none since"
    assert set(database.looks) == {1000}
    followers.close()
    assert await asyncio.gather(*waiting) == [None] * 1000


async def test_nobody_looks_while_nobody_follows(database, followers):
    entries = followers.follow(CHAT, 0)
    database.entries.append(entry(1))
    assert (await anext(entries)).seq == 1
    look = followers._look
    await entries.aclose()
    await asyncio.wait_for(look, 60)
    assert followers._followers == {}


async def test_entries_of_this_process_come_without_asking_the_database(database, followers):
    entries = followers.follow(CHAT, 0)
    database.entries.append(entry(1))
    assert (await anext(entries)).seq == 1
    for seq in range(2, 11):
        database.entries.append(entry(seq))
        followers.tell(entry(seq))
    assert [(await anext(entries)).seq for _ in range(9)] == list(range(2, 11))
    assert database.reads == 1
    followers.close()


async def test_entries_of_other_processes_are_seen_at_the_next_look(database, followers):
    entries = followers.follow(CHAT, 0)
    waiting = asyncio.create_task(anext(entries))
    await database.wait_for_looks(1)
    database.entries.append(entry(1))
    assert (await asyncio.wait_for(waiting, 60)).seq == 1
    followers.close()


async def test_what_others_wrote_between_two_of_ours_is_read_before_ours_is_shown(database, followers):
    entries = followers.follow(CHAT, 0)
    database.entries.append(entry(1))
    assert (await anext(entries)).seq == 1
    database.entries += [entry(2), entry(3)]
    followers.tell(entry(3))
    assert [(await anext(entries)).seq for _ in range(2)] == [2, 3]
    followers.close()


async def test_a_reader_who_stops_reading_is_held_few_entries_and_reads_the_rest_later(database, followers):
    entries = followers.follow(CHAT, 0)
    database.entries.append(entry(1))
    assert (await anext(entries)).seq == 1
    for seq in range(2, 10 * HELD):
        database.entries.append(entry(seq))
        followers.tell(database.entries[-1])
    (follower,) = followers._followers[CHAT]
    assert len(follower._told) == HELD
    assert [(await anext(entries)).seq for _ in range(2, 10 * HELD)] == list(range(2, 10 * HELD))
    followers.close()


async def test_an_outage_is_told_at_the_start_and_waited_out_later(database, followers):
    database.is_away = True
    with pytest.raises(LogUnavailable):
        await anext(followers.follow(CHAT, 0))
    database.is_away = False
    database.entries.append(entry(1))
    entries = followers.follow(CHAT, 0)
    assert (await anext(entries)).seq == 1
    database.is_away = True
    database.entries += [entry(2), entry(3)]
    followers.tell(entry(3))  # the second is another process's and must be read
    waiting = asyncio.create_task(anext(entries))
    await database.wait_for_looks(2)
    assert not waiting.done()
    database.is_away = False
    assert [(await asyncio.wait_for(waiting, 60)).seq, (await anext(entries)).seq] == [2, 3]
    followers.close()
