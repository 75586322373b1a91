"""Redis goes away and comes back in the middle of a talk between a customer and a person who are on two processes."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from bot.between import Between
from bot.desk.desk import Desk
from bot.desk.policy import read_policy
from bot.domain import Kind
from bot.sql.log import SqlLog, open_log
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.state import State
from bot.valkey.server import Server
from tests.desk.people import CHAT, ZOE, ask, escalate
from tests.state.servers import PATIENCE_SECONDS, RealServer

TURNS = 30


@asynccontextmanager
async def process(folder: Path, url: str) -> AsyncIterator[SqlLog]:
    """The log of one process, which hears of the others' entries over Redis."""
    log, server = open_log(None, folder), Server(url, "Redis", patience_seconds=PATIENCE_SECONDS)
    await server.start()
    state = State("redis", server)
    between = Between(state, log)
    between.start()
    yield log
    await between.close()
    await state.close()
    await log.close()


async def read(log: SqlLog, wanted: int) -> list[tuple[int, str]]:
    """The messages as a page shows them, in the order in which it was told of them, until it has so many."""
    shown: list[tuple[int, str]] = []
    async with aclosing(log.follow(CHAT)) as entries:
        async for entry in entries:
            if entry.kind is Kind.MESSAGE and entry.text != "a human please":
                shown.append((entry.seq, entry.text))
            if len(shown) == wanted:
                break
    return shown


async def test_no_message_is_lost_or_doubled_on_either_side(tmp_path: Path):
    if not shutil.which("redis-server"):
        pytest.skip("no Redis: install the server (Debian: apt-get install redis-server)")
    store = open_store(None, tmp_path)
    with RealServer("redis") as redis:
        async with process(tmp_path, redis.url) as customers, process(tmp_path, redis.url) as agents:
            desk = Desk(agents, SqlStaff(store), read_policy())
            await escalate(customers)
            await desk.claim(ZOE, CHAT)
            async with asyncio.timeout(240), asyncio.TaskGroup() as group:
                pages = [group.create_task(read(log, 2 * TURNS)) for log in (customers, agents)]
                for turn in range(TURNS):
                    if turn == TURNS // 3:
                        await asyncio.to_thread(redis.kill)
                    if turn == 2 * TURNS // 3:
                        await asyncio.to_thread(redis.start)
                    await ask(customers, f"customer {turn}")
                    await desk.say(ZOE, CHAT, f"agent {turn}", f"m{turn}")
            said = [f"{who} {turn}" for turn in range(TURNS) for who in ("customer", "agent")]
            for page in pages:
                assert [text for _, text in page.result()] == said
    await store.close()
