"""The server that processes share is refused, hangs and is flushed under 50 chats; and two processes serve one conversation.

Of a turn only what rests on that server is run (turn order, memory, wake-up, and the log), so that its cost is not hidden
behind retrieval or a model. The messages of a chat are a second apart.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from benchmarks.report import Goal, Result, Row, spread
from bot.domain import ConversationId, Entry, Speaker
from bot.settings import ROOT
from bot.sql.log import SqlLog, open_log
from tests.state.alternating import CHAT
from tests.state.servers import RealServer, until_well
from tests.state.small_bot import SmallBot

Took = list[tuple[float, float]]
"""When a turn began (seconds of the monotonic clock), and how many milliseconds it took."""
CHATS = 50
FAULTS = ("refused", "hung", "flushed")
CALM_SECONDS = 8.0


def run(*, quick: bool = False) -> Result:
    """All of it in one event loop of the product's kind."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(2.0 if quick else 30.0, 100 if quick else 1000))


async def _run(fault_seconds: float, messages: int) -> Result:
    rows: list[Row] = []
    goals: list[Goal] = []
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as folder, RealServer("valkey") as running:
            row = await _under(fault, running, Path(folder), fault_seconds)
        rows.append(row)
        goals += [
            Goal(what=f"{fault}: messages answered once and in order, %", figure=row["answered %"], limit=99, at_most=False),
            Goal(what=f"{fault}: a turn longer by, p95 ms", figure=round(row["p95 ms"] - row["calm p95 ms"], 1), limit=300),
            Goal(what=f"{fault}: well again after, s", figure=row["back after s"], limit=5),
        ]
    with tempfile.TemporaryDirectory() as folder:
        strange, seconds = await _alternate(Path(folder), messages)
    goals.append(
        Goal(what=f"two processes, {messages} messages in turn: out of order, twice or missing", figure=strange, limit=0)
    )
    return Result(name="shared_state", rows=rows, goals=goals, remarks=[f"the {messages} messages took {seconds:.0f} s"])


async def _under(fault: str, running: RealServer, folder: Path, seconds: float) -> Row:
    """Chats that go on while the fault lasts: their turns in it and before it."""
    log = open_log(None, folder)
    bot = SmallBot(log, running.url)
    await bot.server.start()
    took: Took = []
    chats = [ConversationId(f"chat {number}") for number in range(CHATS)]
    is_over = asyncio.Event()
    talking = [asyncio.create_task(_talk(bot, chat, number / CHATS, took, is_over)) for number, chat in enumerate(chats)]
    await asyncio.sleep(CALM_SECONDS)
    began = time.monotonic()
    await _break(fault, running, seconds)
    ended = time.monotonic()
    await until_well(bot.server)
    back = time.monotonic() - ended
    await asyncio.sleep(CALM_SECONDS / 2)
    is_over.set()
    await asyncio.gather(*talking)
    asked, answered = await _count(log, chats)
    await bot.close()
    await log.close()
    during = [ms for at, ms in took if began <= at <= ended]
    calm = [ms for at, ms in took if at < began and at > began - CALM_SECONDS + 2]
    return {
        "server is": fault,
        "messages": asked,
        "answered %": round(100 * answered / asked, 2),
        "n": len(during),
        **spread(during),
        "longest ms": round(max(during), 1),
        "calm p95 ms": spread(calm)["p95 ms"],
        "back after s": round(back, 2),
    }


async def _talk(
    bot: SmallBot, chat: ConversationId, late: float, took: list[tuple[float, float]], is_over: asyncio.Event
) -> None:
    await asyncio.sleep(late)
    number = 0
    while not is_over.is_set():
        number += 1
        began = time.monotonic()
        await bot.say(chat, f"question {number} about my bill")
        took.append((began, (time.monotonic() - began) * 1e3))
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))


async def _break(fault: str, running: RealServer, seconds: float) -> None:
    until = time.monotonic() + seconds
    if fault == "flushed":
        while time.monotonic() < until:
            running.flush()
            await asyncio.sleep(0.5)
        return
    running.kill() if fault == "refused" else running.hang()
    await asyncio.sleep(seconds)
    await asyncio.to_thread(running.start) if fault == "refused" else running.go_on()


async def _count(log: SqlLog, chats: Sequence[ConversationId]) -> tuple[int, int]:
    """Messages, and those of them that were answered once and in order."""
    asked = answered = 0
    for chat in chats:
        entries = await log.after(chat, limit=100_000)
        questions = [entry.seq for entry in entries if entry.speaker is Speaker.CUSTOMER]
        replies = [entry.answers for entry in entries if entry.answers is not None]
        asked += len(questions)
        answered += sum(a == b for a, b in zip(questions, replies, strict=False))
    return asked, answered


async def _alternate(folder: Path, messages: int) -> tuple[int, float]:
    """Messages of two processes that are out of order, answered twice or not at all, or whose turn two processes took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.state.alternating", str(folder)]
    children = [
        subprocess.Popen([*command, str(which), str(messages)], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        for which in (0, 1)
    ]
    outputs = [(await asyncio.to_thread(child.communicate))[0].split() for child in children]
    log = open_log(None, folder)
    entries: Sequence[Entry] = await log.after(CHAT, limit=10 * messages)
    await log.close()
    asked = [entry for entry in entries if entry.speaker is Speaker.CUSTOMER]
    replies = [entry.answers for entry in entries if entry.answers is not None]
    taken = sorted(int(word) for words in outputs for word in words[1:])
    wanted = [entry.seq for entry in asked]
    strange = sum(entry.text != str(number) for number, entry in enumerate(asked)) + abs(messages - len(asked))
    for got in (replies, taken):
        strange += sum(a != b for a, b in zip(got, wanted, strict=False)) + abs(len(got) - len(wanted))
    return strange, time.monotonic() - began
