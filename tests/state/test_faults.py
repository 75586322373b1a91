"""Conversations that go on while their server is refused, hangs or is flushed: each message answered once and in order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bus import place_of
from bot.domain import ConversationId, Speaker
from bot.log import ConversationLog
from bot.sql.log import open_log
from bot.valkey.server import PREFIX
from tests.state.servers import RealServer, until_well
from tests.state.small_bot import ORDER, SmallBot

CHATS, TURNS = 12, 30


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[ConversationLog]:
    log = open_log(None, tmp_path)
    yield log
    await log.close()


async def break_down(running: RealServer, fault: str, process: SmallBot) -> None:
    """The server is away for a while, twice, and back at the end."""
    for _ in range(2):
        if fault == "flushed":
            for _ in range(10):
                running.flush()
                await asyncio.sleep(0.02)
            continue
        running.kill() if fault == "refused" else running.hang()
        await asyncio.sleep(0.6)  # the fault's length, not a synchronisation
        await asyncio.to_thread(running.start) if fault == "refused" else running.go_on()
        await until_well(process.server)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@pytest.mark.parametrize("fault", ["refused", "hung", "flushed"])
async def test_every_message_is_answered_once_in_order_and_from_memory_whatever_the_server_does(request, log, kind, fault):
    request.getfixturevalue(kind)  # skips where it is not installed
    with RealServer(kind) as running:
        process = SmallBot(log, running.url)
        await process.server.start()

        async def chat(name: ConversationId) -> None:
            for number in range(TURNS):
                asked = f"My order number is {ORDER}" if number == 2 else f"question {number} of {name} " + "and more " * 10
                await process.say(name, asked)

        chats = [ConversationId(f"chat {number}") for number in range(CHATS)]
        breaking = asyncio.create_task(break_down(running, fault, process))
        await asyncio.gather(*map(chat, chats))
        await breaking
        for name in chats:
            await process.say(name, "and at last")
            entries = await log.after(name)
            asked = [entry for entry in entries if entry.speaker is Speaker.CUSTOMER]
            replies = [entry for entry in entries if entry.answers is not None]
            assert [reply.answers for reply in replies] == [entry.seq for entry in asked]
            assert len(replies) == TURNS + 1
            assert [reply.text.endswith("True") for reply in replies] == [number > 2 for number in range(TURNS + 1)]
        with running.client() as client:
            assert client.exists(PREFIX + place_of("memory", chats[0]))  # it is used again
        await process.close()
