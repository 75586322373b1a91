"""Session memory: what sealing costs, and whether a turn of a long conversation costs more than one of a short one.

On the embedded server and a real SQLite log. A turn is what memory adds to one: recall it, put it into a prompt, remember
the question and its reply. Turns 10 and 200 are measured alternately, so that the machine's moods fall on both.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import uvloop
from pydantic import TypeAdapter

from benchmarks.report import Goal, Result, Row
from bot.bus import hold
from bot.domain import ConversationId, CustomerId, Draft, Entry, EntryId, Kind, Outcome, Speaker
from bot.memory import CachedMemory
from bot.recollection import recollect
from bot.remembering import Memory
from bot.seal import Seal, read_seal
from bot.settings import Settings
from bot.sql.log import SqlLog, open_log
from bot.state import State, open_state

LONG, SHORT = 200, 10
ANN = CustomerId("ann")
FACT = "LF-204815"
_AS_JSON: TypeAdapter[Memory] = TypeAdapter(Memory)


def run(*, quick: bool = False) -> Result:
    """All of it in one event loop of the product's kind."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tempfile.TemporaryDirectory() as folder:
        return runner.run(_run(Path(folder), 50 if quick else 1000))


async def _run(folder: Path, times: int) -> Result:
    settings = Settings(_env_file=None, data_dir=folder)
    log, state, seal = open_log(None, folder), await open_state(settings), read_seal(settings)
    memory = CachedMemory(state.cells, seal, log, settings)
    long, short = ConversationId("long"), ConversationId("short")
    known = [await _talk(log, memory, chat, turns) for chat, turns in ((long, LONG - 1), (short, SHORT - 1))]
    sealing, opening, size = _seal(seal, known[0], times * 5)
    turns = await _turns(memory, {LONG: (long, known[0]), SHORT: (short, known[1])}, settings, times)
    rebuilt = await _rebuilt(memory, long, times // 20)
    leases = await _leases(state, times)
    asked = _entry(long, known[0].seq + 1, "and now?", Speaker.CUSTOMER)
    budget = settings.max_conversation_history
    recollection = recollect(known[0], asked, budget)
    await state.close()
    await log.close()
    ratio = float(np.percentile(turns[LONG], 95) / np.percentile(turns[SHORT], 95))
    return Result(
        name="memory",
        rows=[
            _row(f"seal a memory of {size:,} bytes", sealing),
            _row("open it", opening),
            _row(f"memory's part of turn {SHORT}", turns[SHORT]),
            _row(f"memory's part of turn {LONG}", turns[LONG]),
            _row(f"recall at turn {LONG} rebuilt from the log", rebuilt),
            _row("hold a conversation and let it go", leases),
        ],
        goals=[
            Goal(what="sealing, p99 ms", figure=round(float(np.percentile(sealing, 99)), 4), limit=1),
            Goal(what="opening, p99 ms", figure=round(float(np.percentile(opening, 99)), 4), limit=1),
            Goal(what=f"turn {LONG} to turn {SHORT}, ratio of p95", figure=round(ratio, 2), limit=1.2),
            Goal(
                what=f"tokens in the prompt at turn {LONG}",
                figure=recollection.tokens,
                limit=settings.max_conversation_history,
            ),
            Goal(what="the fact of turn 3 is in it", figure=float(FACT in recollection.summary), limit=1, at_most=False),
        ],
        remarks=[f"embedded server: {state.status.kind}; MAX_CONVERSATION_HISTORY={budget}"],
    )


async def _talk(log: SqlLog, memory: CachedMemory, chat: ConversationId, turns: int) -> Memory:
    """So many turns in the log and in the memory, of which it is what the last one left."""
    await log.open(chat, ANN)
    known = Memory(conversation=chat)
    for number in range(1, turns + 1):
        asked = await log.append(
            Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=_question(number))
        )
        reply = await log.append(
            Draft(
                conversation=chat,
                speaker=Speaker.BOT,
                kind=Kind.MESSAGE,
                text=_answer(number),
                data={"outcome": Outcome.ANSWERED},
                answers=asked.seq,
            )
        )
        known = await memory.remember(await memory.recall(asked, ()), [asked, reply])
    return known


def _question(number: int) -> str:
    if number == 3:
        return f"My order number is {FACT} and I'm on Essential 40."
    return f"I have already restarted the hub {number} times. What else can I do about it? " * 2


def _answer(number: int) -> str:
    return f"Wait for the light to be white, it takes up to {number} minutes. [1] We will call you if it stays red. " * 3


def _seal(seal: Seal, known: Memory, times: int) -> tuple[list[float], list[float], int]:
    value = _AS_JSON.dump_json(known)
    sealing, opening = [], []
    for _ in range(times):
        began = time.perf_counter()
        sealed = seal.close(value, "memory:bench", known.conversation)
        between = time.perf_counter()
        seal.open(sealed, "memory:bench", known.conversation)
        sealing.append((between - began) * 1e3)
        opening.append((time.perf_counter() - between) * 1e3)
    return sealing, opening, len(value)


async def _turns(
    memory: CachedMemory, chats: dict[int, tuple[ConversationId, Memory]], settings: Settings, times: int
) -> dict[int, list[float]]:
    """Milliseconds of the same turn again and again, the long conversation's and the short one's in turn."""
    took: dict[int, list[float]] = {number: [] for number in chats}
    for time_ in range(times + 10):
        for number, (chat, known) in chats.items():
            await memory.remember(known, ())  # as it was before the turn
            asked = _entry(chat, known.seq + 1, _question(number), Speaker.CUSTOMER)
            reply = _entry(chat, known.seq + 2, _answer(number), Speaker.BOT, answers=asked.seq)
            began = time.perf_counter()
            recalled = await memory.recall(asked, ())
            recollect(recalled, asked, settings.max_conversation_history)
            await memory.remember(recalled, [asked, reply])
            if time_ >= 10:  # the first rounds warm up
                took[number].append((time.perf_counter() - began) * 1e3)
    return took


async def _rebuilt(memory: CachedMemory, chat: ConversationId, times: int) -> list[float]:
    took = []
    for _ in range(times):
        await memory.forget(chat)
        began = time.perf_counter()
        await memory.recall(_entry(chat, 2 * (LONG - 1) + 1, "and now?", Speaker.CUSTOMER), ())
        took.append((time.perf_counter() - began) * 1e3)
    return took


async def _leases(state: State, times: int) -> list[float]:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        async with hold(state.bus, ConversationId("held")):
            pass
        took.append((time.perf_counter() - began) * 1e3)
    return took


def _entry(chat: ConversationId, seq: int, text: str, speaker: Speaker, answers: int | None = None) -> Entry:
    return Entry(
        conversation=chat,
        seq=seq,
        id=EntryId(f"{chat}-{seq}"),
        speaker=speaker,
        kind=Kind.MESSAGE,
        text=text,
        data={"outcome": Outcome.ANSWERED} if answers else {},
        at=datetime.now(UTC),
        answers=answers,
    )


def _row(what: str, milliseconds: Sequence[float]) -> Row:
    points = np.percentile(milliseconds, (50, 95, 99))
    shown = zip(("p50 ms", "p95 ms", "p99 ms"), points, strict=True)
    return {"what": what, "n": len(milliseconds), **{name: round(float(point), 4) for name, point in shown}}
