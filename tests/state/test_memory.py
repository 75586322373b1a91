"""Session memory over real servers and a real log: kept, sealed, rebuilt, and never in the way of a turn."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bot.bus import place_of
from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.errors import LogUnavailable
from bot.log_memory import MemoryLog
from bot.memory import CachedMemory, NoMemory
from bot.memory_data import MemoryData
from bot.recollection import recollect
from bot.seal import Seal
from bot.settings import Settings
from bot.sql.log import SqlLog, open_log
from bot.state import State, open_state
from bot.valkey.cells import ServerCells
from bot.valkey.server import ANSWER_SECONDS, PREFIX, Server
from tests.state.servers import PATIENCE_SECONDS, RealServer, until, until_well
from tests.state.talk import ANN, CHAT, FACT, append_turn, entry

OLD, NEW = b"o" * 32, b"n" * 32
SETTINGS = Settings(_env_file=None, max_conversation_history=600)
PLACE = PREFIX + place_of("memory", CHAT)


class CountingLog(MemoryLog):
    """A log that counts what is read from it, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.is_away = False

    async def after(self, conversation, seq=0, limit=1000):
        self.reads += 1
        if self.is_away:
            raise LogUnavailable("away")
        return await super().after(conversation, seq, limit)


@pytest.fixture
def log():
    return CountingLog()


@pytest.fixture
async def sql(tmp_path) -> AsyncIterator[SqlLog]:
    log = open_log(None, tmp_path)
    yield log
    await log.close()


def memory_on(server, log, *keys, **more):
    return CachedMemory(ServerCells(server), Seal(keys or [OLD]), log, SETTINGS, **more)


async def talk(log, memory, turns, first=1):
    """So many turns, remembered as the bot does it."""
    for number in range(first, first + turns):
        asked, reply = await append_turn(log, number)
        recalled = await memory.recall(asked, ())
        await memory.remember(recalled, [asked, reply])


def next_question(log):
    return entry(len(log._entries[CHAT]) + 1, "and now?")


async def test_what_is_remembered_is_recalled_by_every_process_without_reading_the_log(server, running, log):
    await talk(log, memory_on(server, log), 20)
    other = Server(running.url, "another process's", patience_seconds=PATIENCE_SECONDS)
    log.reads = 0
    recalled = await memory_on(other, log).recall(next_question(log), ())
    assert recalled.seq == 40
    assert ("order", "LF-204815") in [(fact.name, fact.value) for fact in recalled.facts]
    assert log.reads == 0
    await other.close()


async def test_after_two_hundred_turns_the_prompt_is_within_budget_and_the_fact_of_turn_three_is_there(server, sql):
    memory = memory_on(server, sql)
    await talk(sql, memory, 200)
    asked = entry(401, "and now?")
    recalled = await memory.recall(asked, ())
    recollection = recollect(recalled, asked, SETTINGS.max_conversation_history)
    assert "order: LF-204815" in recollection.summary
    assert recollection.tokens <= SETTINGS.max_conversation_history


@pytest.mark.parametrize("loss", ["flushed", "gone", "garbage", "of another version"])
async def test_memory_that_is_lost_is_rebuilt_from_the_log_as_it_was(running, server, log, caplog, loss):
    memory = memory_on(server, log)
    await talk(log, memory, 30)
    asked = next_question(log)
    before = await memory.recall(asked, ())
    with running.client() as client:
        if loss == "flushed":
            running.flush()
        elif loss == "gone":
            assert client.delete(PLACE) == 1
        elif loss == "garbage":
            client.set(PLACE, b"\x01 no sealed value")
        else:
            client.set(PREFIX + place_of("memory", CHAT), Seal([OLD]).close(b'{"seq": "?"}', place_of("memory", CHAT), CHAT))
    assert await memory.recall(asked, ()) == before
    assert ("rebuilt" in caplog.text) == (loss in ("garbage", "of another version"))


async def test_a_value_changed_in_one_bit_or_moved_to_another_conversation_is_rejected_and_rebuilt(
    running, server, log, caplog
):
    memory = memory_on(server, log)
    await talk(log, memory, 5)
    await log.open(ConversationId("other"), CustomerId("ben"))
    await log.append(Draft(conversation=ConversationId("other"), speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="hi"))
    asked = entry(2, "whose order is it?")
    asked = type(asked)(
        **{name: getattr(asked, name) for name in asked.__slots__} | {"conversation": ConversationId("other")}
    )
    with running.client() as client:
        stolen = client.get(PLACE)
        client.set(PREFIX + place_of("memory", "other"), stolen)
        client.set(PLACE, stolen[:-1] + bytes([stolen[-1] ^ 1]))
    moved = await memory.recall(asked, ())
    assert (moved.conversation, moved.seq, moved.facts) == ("other", 1, ())
    changed = await memory.recall(next_question(log), ())
    assert changed.seq == 10
    assert caplog.text.count("its memory is rebuilt: it was changed, or sealed for another place") == 2
    assert "LF-204815" not in caplog.text


async def test_keys_rotate_while_conversations_go_on_without_reading_the_log_again(server, log):
    await talk(log, memory_on(server, log, OLD), 5)
    log.reads = 0
    rotating = memory_on(server, log, NEW, OLD)
    for number in range(6, 26):
        await talk(log, rotating, 1, first=number)
    assert (await memory_on(server, log, NEW).recall(next_question(log), ())).seq == 50
    assert log.reads == 0


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_no_file_of_the_server_shows_what_was_said(kind, request, log):
    request.getfixturevalue(kind)  # skips where it is not installed
    with RealServer(kind) as running:
        server = Server(running.url, "Redis", patience_seconds=PATIENCE_SECONDS)
        await talk(log, memory_on(server, log), 10)
        with running.client() as client:
            client.save()
            assert client.exists(PLACE)
        await server.close()
        kept = running.files()
    assert len(kept) > 2000
    for canary in (b"LF-204815", FACT.encode(), b"wrong house", b"order", CHAT.encode() * 2, b"roaming", b"answer"):
        assert canary not in kept


async def test_a_memory_ends_after_the_time_of_the_settings_and_every_turn_renews_it(running, server, log):
    await talk(log, memory_on(server, log), 1)
    with running.client() as client:
        assert 0 < client.ttl(PLACE) <= SETTINGS.session_timeout
        client.expire(PLACE, 5)
        await talk(log, memory_on(server, log), 1, first=2)
        assert client.ttl(PLACE) > 5


@pytest.mark.parametrize("fault", ["refused", "hung"])
async def test_a_server_that_is_away_costs_a_turn_little_and_its_memory_nothing(log, fault):
    with RealServer("valkey") as running:
        server = Server(running.url, "Redis")
        memory = memory_on(server, log)
        await talk(log, memory, 10)
        running.kill() if fault == "refused" else running.hang()
        asked, reply = await append_turn(log, 11)
        began = time.monotonic()
        recalled = await memory.recall(asked, ())
        recalled = await memory.remember(recalled, [asked, reply])
        assert time.monotonic() - began < ANSWER_SECONDS + 5  # the wait once; the rest is a slow machine's
        assert recalled.seq == 22
        assert ("order", "LF-204815") in [(fact.name, fact.value) for fact in recalled.facts]
        running.start() if fault == "refused" else running.go_on()
        await until_well(server)
        assert (await memory.recall(next_question(log), ())).seq == 22
        await server.close()


async def test_a_log_that_is_away_too_leaves_what_is_at_hand(server, log):
    asked, reply = await append_turn(log, 1)
    second, _ = await append_turn(log, 2)
    log.is_away = True
    recalled = await memory_on(server, log).recall(second, [reply])
    assert [said.seq for said in recalled.said] == [2]
    assert (await memory_on(server, log).recall(second, [asked, reply])).seq == 2


async def test_entries_at_hand_spare_reading_the_log(server, log):
    memory = memory_on(server, log)
    asked, reply = await append_turn(log, 1)
    recalled = await memory.recall(asked, ())
    await memory.remember(recalled, [asked, reply])
    second, _ = await append_turn(log, 2)
    log.reads = 0
    assert (await memory.recall(second, [asked, reply])).seq == 2
    assert log.reads == 0


async def test_what_others_said_meanwhile_is_read_from_the_log(server, log):
    memory = memory_on(server, log)
    await talk(log, memory, 1)
    for number in (2, 3, 4):
        await append_turn(log, number)  # by a process that could not remember
    recalled = await memory.recall(next_question(log), ())
    assert recalled.seq == 8
    assert recalled.facts


async def test_an_older_memory_that_overwrites_a_newer_one_does_no_harm(server, log):
    memory = memory_on(server, log)
    await talk(log, memory, 1)
    old = await memory.recall(next_question(log), ())
    await talk(log, memory, 5, first=2)
    await memory.remember(old, ())
    assert (await memory.recall(next_question(log), ())).seq == 12


async def test_what_is_forgotten_is_gone_from_the_server(running, server, log):
    memory = memory_on(server, log)
    await talk(log, memory, 1)
    assert await memory.forget(CHAT)
    with running.client() as client:
        assert not client.exists(PLACE)


@pytest.fixture
async def embedded(tmp_path) -> AsyncIterator[State]:
    """The state of a folder: its own server, with its append-only file."""
    state = await open_state(Settings(_env_file=None, data_dir=tmp_path), patience_seconds=PATIENCE_SECONDS)
    yield state
    await state.close()


async def test_no_file_keeps_an_erased_customers_memory_not_even_sealed(embedded, log, tmp_path):
    memory, cells = CachedMemory(embedded.cells, Seal([OLD]), log, SETTINGS), embedded.cells
    sealed = []
    for number in (1, 2, 3):  # each replaces the one before, which the append-only file keeps
        await talk(log, memory, 1, first=number)
        sealed.append(await cells.get(place_of("memory", CHAT)))
    await cells.put("another's", b"kept", 3600)
    await until_true(lambda: all(value in bytes_below(tmp_path) for value in sealed))
    assert FACT.encode() not in bytes_below(tmp_path)
    assert await MemoryData(memory, log).erase(ANN) == {"memories": 1, "left": 0}
    await until_true(lambda: not any(value in bytes_below(tmp_path) for value in sealed))  # the old file goes in a thread
    assert place_of("memory", CHAT).encode() not in bytes_below(tmp_path)
    assert await cells.get("another's") == b"kept"


async def test_the_dump_of_a_redis_after_an_erasure_has_nothing_of_it(redis, log):
    with RealServer("redis", "--appendonly", "no", "--rdbcompression", "no") as running:
        server = Server(running.url, "Redis", patience_seconds=PATIENCE_SECONDS)
        memory = memory_on(server, log)
        await talk(log, memory, 3)
        with running.client() as client:
            client.save()
            sealed = client.get(PLACE)
            assert sealed in running.files()
            await MemoryData(memory, log).erase(ANN)
            client.save()
        await server.close()
        kept = running.files()
    for canary in (sealed, FACT.encode(), PLACE.encode(), CHAT.encode() * 2):
        assert canary not in kept


def bytes_below(folder: Path) -> bytes:
    """Every byte that the files have now; one that goes meanwhile has none."""
    found = b""
    for file in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):
            found += file.read_bytes() if file.is_file() else b""
    return found


async def until_true(look: Callable[[], bool]) -> None:
    async def looks() -> bool:
        return look()

    await until(looks)


async def test_without_any_cells_a_memory_is_of_what_is_at_hand():
    memory = NoMemory(SETTINGS)
    recalled = await memory.recall(entry(8, "?"), [entry(6, "my order LF-204815"), entry(7, "thanks", Speaker.BOT, 6)])
    assert [said.seq for said in recalled.said] == [6, 7]
    assert await memory.forget(CHAT)


async def test_fifty_conversations_at_once_recall_while_the_server_hangs_in_the_time_of_one(log):
    with RealServer("valkey") as running:
        server = Server(running.url, "Redis")
        memory = memory_on(server, log)
        asked, _ = await append_turn(log, 1)
        await memory.recall(asked, ())
        running.hang()
        began = time.monotonic()
        await asyncio.gather(*(memory.recall(asked, ()) for _ in range(50)))
        assert time.monotonic() - began < 50 * ANSWER_SECONDS / 2  # one wait for all, not fifty
        running.go_on()
        await server.close()


async def test_the_memories_of_a_customer_are_erased_and_those_on_a_server_that_is_away_are_told(running, server, log):
    memory = memory_on(server, log)
    await talk(log, memory, 1)
    data = MemoryData(memory, log)
    assert await data.erase(CustomerId("ben")) == {"memories": 0, "left": 0}
    assert await data.erase(ANN) == {"memories": 1, "left": 0}
    with running.client() as client:
        assert not client.exists(PLACE)
    running.hang()
    try:
        assert await data.erase(ANN) == {"memories": 0, "left": 1}
    finally:
        running.go_on()
