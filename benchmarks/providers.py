"""Whole turns with a model: what the bot adds to a provider's first sentence, and how it fares when providers fail.

The real bot (SQLite, the demo company's articles, search, guard, check) from `Bot.accept` to the first sentence that is
shown and to the reply in the log; the providers are scripted servers on loopback in processes of their own, which say the
beginning of the first passage they are given. `failover` measures the layer below alone.
"""

import asyncio
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.chat_load import apply
from benchmarks.failover import provider, read_bare
from benchmarks.load import Load
from benchmarks.questions import different_questions
from benchmarks.report import Goal, Result, Row, spread
from benchmarks.servers import NO_LIMITS
from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Entry
from bot.settings import Settings
from bot.wiring import build_bot
from tests.server import Server, ServerFailed, free_port

FIRST_SECONDS = 0.05
"""A healthy provider's own time to its first token; then a token each 2 ms."""
HEALTHY = ("--quote", "--first", str(FIRST_SECONDS), "--pause", "0.002")
THINKING = ("--quote", "--first", "0.3")
CHATS = 100
LOAD_SECONDS = 10.0
AT_ONCE = 20
"""Turns at once where each takes seconds."""
FIRST_FAILURES = {"refused": None, "429": ("--error", "rate"), "500": ("--error", "500")}
ALWAYS_CLOSED = {"llm_breaker_failures": 10**6}
"""Every failure is a first one."""
OPEN_FOR_LONG = {"llm_breaker_failures": 1, "llm_breaker_open_seconds": 3600.0, "llm_breaker_longest_seconds": 3600.0}
SEED = 30_260


@dataclass(slots=True, kw_only=True)
class Timed:
    """A turn: milliseconds to its first sentence (None: nothing was shown before the reply) and to its reply."""

    first: float | None
    whole: float
    reply: Entry

    @property
    def prompt(self) -> str:
        """What the model was given."""
        return str(((self.reply.data["turn"] or {}).get("writing") or {}).get("prompt", ""))


@dataclass(slots=True, kw_only=True)
class Figures:
    """What was measured, in milliseconds."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    later: dict[str, list[float]] = field(default_factory=dict)
    hang: list[float] = field(default_factory=list)
    breaker_open: list[float] = field(default_factory=list)
    both_down: list[float] = field(default_factory=list)
    loaded: list[float] = field(default_factory=list)
    loaded_whole: list[float] = field(default_factory=list)
    web: list[float] = field(default_factory=list)
    seconds: float = LOAD_SECONDS


def run(*, quick: bool = False) -> Result:
    """All of it in one event loop of the product's kind, and the web chat in a server of its own."""
    logging.getLogger("bot").setLevel(logging.CRITICAL)  # each failure here is meant
    figures = Figures(seconds=3.0 if quick else LOAD_SECONDS)
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_measure(Path(folder) / "data", 10 if quick else 200, figures))
        try:
            figures.web = _web_chat(Path(folder) / "data", figures.seconds)
        except ServerFailed as failed:  # the other figures stand; its row is empty
            print(f"  web chat: {failed}", file=sys.stderr)
    return Result(
        name="providers",
        rows=_rows(figures),
        goals=_goals(figures),
        remarks=(
            "every question is different, each in a conversation of its own; turns that no model writes are left out",
            "bare: the same prompt as sent, read from a socket without any library, in turn with ours",
            f"web chat: from the page's send to the whole reply on the page, {CHATS} pages in a process of their own",
        ),
    )


async def _measure(folder: Path, times: int, figures: Figures) -> None:
    questions = different_questions(SEED)
    with contextlib.ExitStack() as servers:
        healthy, thinking, hanging = (
            servers.enter_context(provider(*options)) for options in (HEALTHY, THINKING, ("--fault", "hang"))
        )
        async with _bot(folder, healthy, healthy) as bot:
            await _normal(bot, healthy, questions, times, figures)
        for name, options in FIRST_FAILURES.items():
            primary = servers.enter_context(provider(*options)) if options else f"http://127.0.0.1:{free_port()}"
            async with _bot(folder, primary, healthy, **ALWAYS_CLOSED) as bot:
                figures.later[name] = await _firsts(bot, questions, times)
        async with _bot(folder, hanging, healthy, **ALWAYS_CLOSED) as bot:
            figures.hang = await _at_once(bot, questions)
        async with _bot(folder, f"http://127.0.0.1:{free_port()}", healthy, **OPEN_FOR_LONG) as bot:
            figures.breaker_open = await _firsts(bot, questions, times)
        async with _bot(folder, hanging, hanging, **ALWAYS_CLOSED) as bot:
            figures.both_down = [
                one.whole for one in await asyncio.gather(*(_turn(bot, next(questions)) for _ in range(AT_ONCE)))
            ]
        async with _bot(folder, thinking, healthy) as bot:
            await _load(bot, questions, figures)


async def _normal(bot: Bot, healthy: str, questions: Iterator[str], times: int, figures: Figures) -> None:
    """Ours and bare in turn, on the same prompt; the first ones warm up."""
    while len(figures.ours) < times + 5:
        turn = await _turn(bot, next(questions))
        if turn.first is not None:
            figures.ours.append(turn.first)
            figures.bare.append(await read_bare(healthy, turn.prompt, "[1] "))
    del figures.ours[:5], figures.bare[:5]


async def _firsts(bot: Bot, questions: Iterator[str], times: int) -> list[float]:
    firsts: list[float] = []
    while len(firsts) < times + 5:
        turn = await _turn(bot, next(questions))
        firsts += [] if turn.first is None else [turn.first]
    return firsts[5:]


async def _at_once(bot: Bot, questions: Iterator[str]) -> list[float]:
    turns = await asyncio.gather(*(_turn(bot, next(questions)) for _ in range(2 * AT_ONCE)))
    return [turn.first for turn in turns if turn.first is not None][:AT_ONCE]


async def _load(bot: Bot, questions: Iterator[str], figures: Figures) -> None:
    """CHATS chats without a pause; what comes within the first second warms up."""
    clock = asyncio.get_running_loop().time
    begins = clock() + 1
    ends = begins + figures.seconds

    async def chat() -> None:
        while clock() < ends:
            turn = await _turn(bot, next(questions))
            if begins <= clock() < ends:
                figures.loaded_whole.append(turn.whole)
                figures.loaded += [] if turn.first is None else [turn.first]

    await asyncio.gather(*(chat() for _ in range(CHATS)))


async def _turn(bot: Bot, question: str) -> Timed:
    """One message in a conversation of its own, from `accept` to its reply in the log."""
    chat = ConversationId(f"bench-{time.monotonic_ns()}")
    clock = time.perf_counter
    shown: list[float] = []
    stop = bot.live.watch(chat, lambda _seq, _text: shown.append(clock()))
    began = clock()
    asked = await bot.accept(chat, CustomerId(chat), question)
    following: Any = bot.log.follow(chat, asked.seq)
    async for entry in following:
        if entry.answers == asked.seq:
            break
    whole = clock()
    await following.aclose()
    stop()
    return Timed(first=1e3 * (shown[0] - began) if shown else None, whole=1e3 * (whole - began), reply=entry)


@contextlib.asynccontextmanager
async def _bot(folder: Path, primary: str, fallback: str, **settings: Any) -> AsyncIterator[Bot]:
    bot = await build_bot(
        Settings(_env_file=None, data_dir=folder, messages_per_minute=10**6, **_addresses(primary, fallback), **settings)
    )
    try:
        yield bot
    finally:
        await bot.close()


def _addresses(primary: str, fallback: str) -> dict[str, str]:
    return {
        "llm_providers": "openai,gemini,extractive",
        "openai_base_url": f"{primary}/v1",
        "openai_api_key": "none",
        "gemini_base_url": fallback,
        "gemini_api_key": "none",
    }


def _web_chat(folder: Path, seconds: float) -> list[float]:
    """CHATS pages of the web chat without a pause, on the index that is there: milliseconds from send to the whole reply."""
    with provider(*THINKING) as thinking:
        names = _addresses(thinking, thinking)
        env = {**NO_LIMITS, **{name.upper(): value for name, value in names.items()}}
        with Server(folder, env=env) as server:
            load = Load(
                address=server.address,
                chats=CHATS,
                think_seconds=0.0,
                seconds=seconds,
                warm_up=2.0,
                echo=False,
                seed=SEED,
            )
            return apply(load).milliseconds


def _rows(figures: Figures) -> list[Row]:
    measured: dict[str, Sequence[float]] = {
        "provider read bare, to the first sentence": figures.bare,
        "healthy, to the first sentence": figures.ours,
        "  of it ours": [ours - bare for ours, bare in zip(figures.ours, figures.bare, strict=True)],
        **{f"primary {name}, to the first sentence": took for name, took in figures.later.items()},
        "primary hangs, to the first sentence": figures.hang,
        "breaker open, to the first sentence": figures.breaker_open,
        "both hang, to the reply": figures.both_down,
        f"{CHATS} chats, to the first sentence": figures.loaded,
        f"{CHATS} chats, to the reply": figures.loaded_whole,
        f"{CHATS} pages of the web chat, to the reply": figures.web,
    }
    per_second = {
        f"{CHATS} chats, to the reply": len(figures.loaded_whole) / figures.seconds,
        f"{CHATS} pages of the web chat, to the reply": len(figures.web) / figures.seconds,
    }
    return [
        {
            "turns": what,
            "n": len(took),
            **spread(took),
            **({"a second": round(per_second[what], 1)} if what in per_second else {}),
        }
        for what, took in measured.items()
    ]


def _goals(figures: Figures) -> list[Goal]:
    normal = _p95(figures.ours)
    added = _p95([ours - bare for ours, bare in zip(figures.ours, figures.bare, strict=True)])
    return [
        Goal(what="the bot adds to the first sentence, p95 ms", figure=added, limit=15),
        *(
            Goal(what=f"primary {name}: later, p95 ms", figure=round(_p95(took) - normal, 1), limit=300)
            for name, took in figures.later.items()
        ),
        Goal(what="primary hangs: first sentence, p95 ms", figure=_p95(figures.hang), limit=4000),
        Goal(what="breaker open: later, p95 ms", figure=round(_p95(figures.breaker_open) - normal, 1), limit=20),
        Goal(what="both hang: reply, longest ms", figure=round(max(figures.both_down), 1), limit=6000),
        Goal(
            what=f"{CHATS} chats: messages a second",
            figure=round(len(figures.loaded_whole) / figures.seconds, 1),
            limit=250,
            at_most=False,
        ),
        Goal(what=f"{CHATS} chats: reply, p95 ms", figure=_p95(figures.loaded_whole), limit=600),
    ]


def _p95(milliseconds: Sequence[float]) -> float:
    return spread(milliseconds)["p95 ms"]
