"""Whole turns of long conversations beside those of short ones, which shows what 199 turns before cost.

The product's own reading, search, memory and log in one process, without a model. Each conversation has turns in the log
from before; its last but one runs through the bot, so that what is remembered is at hand, and its last is measured. Long and
short conversations are measured in turn, so that the machine's moods fall on both.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.report import Goal, Result, Row, spread
from benchmarks.shared_chat import QUESTIONS
from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Draft, Kind, Outcome, Speaker
from bot.settings import Settings
from bot.wiring import build_bot

LONG, SHORT = 200, 10
ANN = CustomerId("ann")
ORDER = "LF-204815"
AT_ONCE = 20


def run(*, quick: bool = False) -> Result:
    """200 pairs of turns, or 10 with `quick`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tempfile.TemporaryDirectory() as folder:
        return runner.run(_run(Path(folder), 10 if quick else 200))


async def _run(folder: Path, pairs: int) -> Result:
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        messages_per_minute=1_000_000,
        unhelped_turns=1_000_000,
        long_conversation_turns=1_000_000,
        frustration_above=1,
        declining_above=1,
    )
    bot = await build_bot(settings)
    took: dict[int, list[float]] = {LONG: [], SHORT: []}
    known = 0
    try:
        for start in range(0, pairs, AT_ONCE):
            some = range(start, min(start + AT_ONCE, pairs))
            await asyncio.gather(*(_talk_before(bot, n, turns) for n in some for turns in took))
            for number in some:
                for turns, times in took.items():
                    question = QUESTIONS[number % len(QUESTIONS)]
                    await _turn(bot, _chat(number, turns), f"{question}?")
                    times.append(await _turn(bot, _chat(number, turns), f"{question}, please?"))
                known += ORDER in await _ask(bot, _chat(number, LONG), "what was my order number again?")
    finally:
        await bot.close()
    ratios = {point: float(np.percentile(took[LONG], point) / np.percentile(took[SHORT], point)) for point in (50, 95)}
    return Result(
        name="long_conversation",
        rows=[_row(turns, took[turns]) for turns in (SHORT, LONG)],
        goals=[
            Goal(what=f"turn {LONG} to turn {SHORT}, ratio of p95", figure=round(ratios[95], 2), limit=1.2),
            Goal(what="the same of the medians", figure=round(ratios[50], 2), limit=1.2),
            Goal(
                what=f"conversations that tell turn 3's number after turn {LONG}, %",
                figure=100 * known / pairs,
                limit=100,
                at_most=False,
            ),
        ],
    )


def _chat(number: int, turns: int) -> ConversationId:
    return ConversationId(f"chat-{turns}-{number}")


def _row(turns: int, took: Sequence[float]) -> Row:
    return {"what": f"turn {turns}", "n": len(took), **spread(took)}


async def _talk_before(bot: Bot, number: int, turns: int) -> None:
    """All turns but the last two, as the log keeps them."""
    chat = _chat(number, turns)
    await bot.log.open(chat, ANN)
    for turn in range(1, turns - 1):
        said = f"My order number is {ORDER}." if turn == 3 else f"{QUESTIONS[turn % len(QUESTIONS)]}, for the {turn}. time?"
        asked = await bot.log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=said))
        reply = Draft(
            conversation=chat,
            speaker=Speaker.BOT,
            kind=Kind.MESSAGE,
            text=f"Here is what the articles say about that, in answer {turn}. " * 4,
            data={"outcome": Outcome.ANSWERED},
            answers=asked.seq,
        )
        await bot.log.append(reply)


async def _turn(bot: Bot, chat: ConversationId, text: str) -> float:
    began = time.perf_counter()
    await _ask(bot, chat, text)
    return 1000 * (time.perf_counter() - began)


async def _ask(bot: Bot, chat: ConversationId, text: str) -> str:
    asked = await bot.accept(chat, ANN, text)
    following = bot.log.follow(chat, asked.seq)
    try:
        async for entry in following:
            if entry.answers == asked.seq:
                return entry.text
    finally:
        await following.aclose()
    raise AssertionError("the log was closed")
