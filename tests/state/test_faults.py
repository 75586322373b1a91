"""Conversations that go on while their server is refused, hangs or is flushed: each message answered once and in order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.bus import place_of
from bot.domain import ConversationId, CustomerId, Draft, Entry, Kind, Outcome, Speaker
from bot.log import ConversationLog
from bot.memory import CachedMemory
from bot.recollection import recollect
from bot.seal import Seal
from bot.settings import Settings
from bot.sql.log import open_log
from bot.turns import InOrder
from bot.valkey.bus import ServerBus
from bot.valkey.cells import ServerCells
from bot.valkey.server import PREFIX, Server
from tests.state.servers import RealServer, until_well

CHATS, TURNS = 12, 30
ORDER = "My order number is LF-204815"
SETTINGS = Settings(_env_file=None, max_conversation_history=400)


class Process:
    """A small bot: accepts, answers in order, remembers; what one process of the product is to the server and the log."""

    def __init__(self, log: ConversationLog, url: str) -> None:
        self.log = log
        self.server = Server(url, "Redis")
        self.bus = ServerBus(self.server)
        self.memory = CachedMemory(ServerCells(self.server), Seal([b"k" * 32]), log, SETTINGS)
        self._in_order = InOrder(self.bus, log, lambda _: None)

    async def say(self, chat: ConversationId, text: str) -> Entry:
        await self.log.open(chat, CustomerId(chat))
        asked = await self.log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text))
        async with self._in_order.upto(asked) as waiting:
            for entry in waiting:
                await self._answer(entry)
        await self.bus.wake(chat, asked.seq)
        return asked

    async def _answer(self, asked: Entry) -> None:
        recalled = await self.memory.recall(asked, ())
        knows = "LF-204815" in recollect(recalled, asked, SETTINGS.max_conversation_history).summary
        draft = Draft(
            conversation=asked.conversation,
            speaker=Speaker.BOT,
            kind=Kind.MESSAGE,
            text=f"{asked.text}: {knows}",
            data={"outcome": Outcome.ANSWERED},
            answers=asked.seq,
        )
        await self.memory.remember(recalled, [asked, await self.log.append(draft)])

    async def close(self) -> None:
        await self.bus.close()
        await self.server.close()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[ConversationLog]:
    log = open_log(None, tmp_path)
    yield log
    await log.close()


async def break_down(running: RealServer, fault: str, process: Process) -> None:
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
        process = Process(log, running.url)
        await process.server.start()

        async def chat(name: ConversationId) -> None:
            for number in range(TURNS):
                await process.say(name, ORDER if number == 2 else f"question {number} of {name} " + "and more " * 10)

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
