"""Chat load: Frontdesk against a stock Chainlit echo in the same run, level by level in turn, and one turn alone."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.load import Load, Seen
from benchmarks.questions import count_questions, different_questions
from benchmarks.report import Goal, Result, Row, spread
from benchmarks.servers import Busyness, Meter, frontdesk, stock_echo
from bot.bot import Bot
from bot.domain import ConversationId, CustomerId
from bot.settings import Settings
from bot.wiring import build_bot
from tests.server import ROOT, Server

LEVELS = (10, 100, 500, 1000)
THINK_SECONDS = 5.0
SECONDS = 10.0
THINKING_SECONDS = 20.0
WARM_UP = 2.0
TURNS = 400
SEED = 20_260


def run(*, quick: bool = False) -> Result:
    """Measure every level, or with `quick` the first two for a few seconds."""
    turns = asyncio.run(_measure_turns(60 if quick else TURNS))
    rows: list[Row] = []
    with frontdesk() as ours, stock_echo() as stock:
        for think_seconds in (0.0, THINK_SECONDS):
            for chats in LEVELS[:2] if quick else LEVELS:
                pair = [_measure(server, chats, think_seconds, quick) for server in (stock, ours)]
                rows += [*pair, _ratio(*pair)]
    alone: Row = {"server": "frontdesk", "load": "turn alone", "chats": 1, "messages": len(turns), **spread(turns)}
    return Result(
        name="chat_load",
        rows=[alone, *rows],
        goals=_goals(rows, alone["p95 ms"]),
        remarks=(
            "p50 to p99: from the page's send to the reply on the page; turn alone: from `accept` to the committed reply",
            f"every question of a run is different, drawn from {count_questions():,}",
            "CPU in percent of one core: the server's, the load's own, and what else ran on the machine meanwhile",
        ),
    )


def _measure(server: Server, chats: int, think_seconds: float, quick: bool) -> Row:
    is_echo = server.app != "app.py"
    load = Load(
        address=server.address,
        chats=chats,
        think_seconds=think_seconds,
        seconds=3.0 if quick else THINKING_SECONDS if think_seconds else SECONDS,
        warm_up=1.0 if quick else THINK_SECONDS if think_seconds else WARM_UP,
        echo=is_echo,
        seed=SEED + chats + int(think_seconds),
    )
    meter, machine = Meter(server.pid), Busyness()
    cpu, began = meter.cpu_seconds(), time.monotonic()
    seen = apply(load)
    cpu, wall = meter.cpu_seconds() - cpu, time.monotonic() - began
    others = machine.busy_seconds() - cpu - machine.children_seconds()
    for error in sorted(set(seen.errors))[:3]:
        print(f"  {chats} chats, {server.app}: {error}", file=sys.stderr)
    return {
        "server": "stock echo" if is_echo else "frontdesk",
        "load": f"think {think_seconds:g} s" if think_seconds else "closed loop",
        "chats": chats,
        "messages": len(seen.milliseconds),
        "messages/s": round(len(seen.milliseconds) / load.seconds, 1),
        **spread(seen.milliseconds),
        "errors": len(seen.errors),
        "CPU %": round(100 * cpu / wall, 1),
        "load's CPU %": round(100 * machine.children_seconds() / wall, 1),
        "others' CPU %": round(100 * max(0.0, others) / wall, 1),
        "RSS MiB": round(meter.rss_mib(), 1),
    }


def apply(load: Load) -> Seen:
    """What the load saw, applied by a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", json.dumps(asdict(load))]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return Seen(**json.loads(done.stdout))


def _ratio(stock: Row, ours: Row) -> Row:
    ratio = ours["messages/s"] / stock["messages/s"] if stock["messages/s"] else 0.0
    return {"server": "ratio", "load": ours["load"], "chats": ours["chats"], "messages/s": f"{ratio:.2f}"}


def _goals(rows: Sequence[Row], turn_p95: float) -> list[Goal]:
    goals = [Goal(what="turn alone, p95 ms", figure=turn_p95, limit=40)]
    at = {(row["server"], row["load"], row["chats"]): row for row in rows}
    if ratio := at.get(("ratio", "closed loop", 100)):
        goals.append(
            Goal(what="messages/s at 100 chats over stock's", figure=float(ratio["messages/s"]), limit=1, at_most=False)
        )
    if thinking := at.get(("frontdesk", f"think {THINK_SECONDS:g} s", 1000)):
        goals += [
            Goal(what="1,000 chats thinking 5 s, p95 ms", figure=thinking["p95 ms"], limit=500),
            Goal(what="1,000 chats thinking 5 s, errors", figure=thinking["errors"], limit=0),
        ]
    return goals


async def _measure_turns(turns: int) -> list[float]:
    """Milliseconds from a message's arrival at the bot to the moment its committed reply is seen, one after another."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        bot = await build_bot(Settings(data_dir=Path(folder), messages_per_minute=1_000_000))
        try:
            return [await _one_turn(bot, question) for question in islice(different_questions(SEED), turns)]
        finally:
            await bot.close()


async def _one_turn(bot: Bot, question: str) -> float:
    conversation = ConversationId(f"turn-{time.monotonic_ns()}")
    began = time.perf_counter()
    asked = await bot.accept(conversation, CustomerId("benchmark"), question)
    following: Any = bot.log.follow(conversation, asked.seq)
    async for entry in following:
        if entry.answers == asked.seq:
            break
    took = 1000 * (time.perf_counter() - began)
    await following.aclose()
    return took
