"""Word of another process's entries: who follows a conversation sees them at once, and none is missed or told twice."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.sql.log import SqlLog, open_log
from bot.valkey.bus import ServerBus
from bot.valkey.server import Server
from tests.state.servers import PATIENCE_SECONDS

CHAT, ANN = ConversationId("chat"), CustomerId("ann")
NEVER = 3600.0
"""So seldom do these logs look by themselves for what others wrote."""


async def say(log: SqlLog, text: str) -> int:
    await log.open(CHAT, ANN)
    entry = await log.append(Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text))
    return entry.seq


@pytest.mark.parametrize("word", ["named", "missed"])
async def test_who_follows_reads_what_another_process_appended_when_told(tmp_path: Path, word: str):
    mine, theirs = open_log(None, tmp_path, NEVER), open_log(None, tmp_path, NEVER)
    await say(mine, "one")
    async with asyncio.timeout(60), aclosing(mine.follow(CHAT)) as entries:
        assert (await anext(entries)).text == "one"
        seqs = [await say(theirs, text) for text in ("two", "three")]
        mine.hear(ConversationId("other"), 99)
        mine.hear(CHAT if word == "named" else None, seqs[-1])
        mine.hear(CHAT, seqs[0])  # late, and no news
        assert [(await anext(entries)).text for _ in seqs] == ["two", "three"]
        await say(mine, "four")
        assert (await anext(entries)).text == "four"
    await mine.close()
    await theirs.close()


async def test_the_bus_carries_the_word_between_processes(running, server, tmp_path):
    other = Server(running.url, "another process's", patience_seconds=PATIENCE_SECONDS)
    bus, their_bus = ServerBus(server), ServerBus(other)
    mine, theirs = open_log(None, tmp_path, NEVER), open_log(None, tmp_path, NEVER)

    async def listen() -> None:
        async for wake in bus.listen():
            mine.hear(wake.conversation, wake.seq)

    listening = asyncio.create_task(listen())
    await say(mine, "0")
    async with asyncio.timeout(60), aclosing(mine.follow(CHAT)) as entries:
        await anext(entries)
        for number in range(1, 20):
            await their_bus.wake(CHAT, await say(theirs, str(number)))
            assert (await anext(entries)).text == str(number)
    await bus.close()
    await listening
    await their_bus.close()
    await other.close()
    for log in (mine, theirs):
        await log.close()
