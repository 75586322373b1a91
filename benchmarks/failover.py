"""Failover: what our stack adds to a provider's first sentence, and how soon the next one speaks when a provider fails.

The providers are scripted servers on loopback in processes of their own. A bare client that reads the same wire without any
library is measured in turn with ours, so that the difference is ours. Every failure is a first one, with closed breakers.
"""

import asyncio
import contextlib
import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import uvloop

from benchmarks.report import Goal, Result, Row, spread
from bot.llm.breaker import BreakerRules
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.scripted import ScriptedLLM, say
from bot.llm.stream import LLM, Line, Replaced, Request, Text
from bot.llm.vendors import VENDORS, turn_limits
from bot.settings import ROOT, Settings
from knowledge.document import Found

FIRST_SECONDS = 0.05
"""A healthy provider's own time to its first token; then a token each 2 ms."""
CHATS = 100
THINKING_SECONDS = 0.3
FAULTS = {
    "closed port": [],
    "reset": ["--fault", "reset"],
    "429": ["--error", "rate"],
    "500": ["--error", "500"],
    "wrong key": ["--error", "auth"],
    "cut after 4 events": ["--fault", "fin", "--after", "4"],
    "hang": ["--fault", "hang"],
}
_SETTINGS = Settings(_env_file=None)
_SENTENCE = re.compile(r"[.!?]")
_REQUEST = Request(
    lines=(Line(role="system", text="Be kind. " * 200), Line(role="customer", text="Why did my bill go up this month?")),
    question="Why did my bill go up this month?",
    found=Found(passages=(), answerability=0.0, version="none"),
)


def run(*, quick: bool = False) -> Result:
    """All of it in one event loop of the product's kind."""
    logging.getLogger("bot.llm").setLevel(logging.CRITICAL)  # each failure here is meant
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(20 if quick else 200))


async def _run(times: int) -> Result:
    extractive = ScriptedLLM([say("Your bill went up because a discount ended.")], name="extractive")
    with contextlib.ExitStack() as servers:
        healthy = servers.enter_context(provider("--first", str(FIRST_SECONDS), "--pause", "0.002"))
        gemini = _vendor("gemini", healthy)
        openai = _vendor("openai", healthy)
        bare, ours = await _in_turn(
            times, lambda: read_bare(healthy, "", "ended."), lambda: _first_sentence([openai, gemini])
        )
        rows: list[Row] = [_row("provider read bare", bare), _row("healthy, our stack", ours)]
        took: dict[str, list[float]] = {}
        for fault, options in FAULTS.items():
            primary = _vendor("openai", servers.enter_context(provider(*options)) if options else _closed_port())
            took[fault] = await _failures(primary, [gemini, extractive], 20 if fault == "hang" else times, fault == "hang")
            rows.append(_row(f"primary: {fault}", took[fault]))
        open_breaker = await _with_breaker_open(times, gemini)
        rows.append(_row("breaker open", open_breaker))
        hanging = servers.enter_context(provider("--fault", "hang"))
        dead = [_vendor("openai", hanging), _vendor("gemini", hanging)]
        both = await asyncio.gather(*(_first_sentence([*dead, extractive]) for _ in range(20)))
        rows.append(_row("both hang, articles quoted", both))
        per_second, loaded = await _load(
            _vendor("openai", servers.enter_context(provider("--first", str(THINKING_SECONDS)))), 10
        )
        rows.append(_row(f"{CHATS} chats, provider after 300 ms", loaded) | {"a second": round(per_second, 1)})
    return Result(name="failover", rows=rows, goals=_goals(bare, ours, took, open_breaker, both, per_second, loaded))


def _goals(  # noqa: PLR0913, PLR0917  (one for each measurement)
    bare: Sequence[float],
    ours: Sequence[float],
    took: dict[str, list[float]],
    open_breaker: Sequence[float],
    both: Sequence[float],
    per_second: float,
    loaded: Sequence[float],
) -> list[Goal]:
    normal = _p95(ours)
    later = {fault: _p95(times) - normal for fault, times in took.items()}
    return [
        Goal(what="our stack adds to the first sentence, p95 ms", figure=round(normal - _p95(bare), 1), limit=15),
        *(
            Goal(what=f"primary {f}: later, p95 ms", figure=round(later[f], 1), limit=300)
            for f in ("closed port", "429", "500")
        ),
        Goal(what="primary hangs: first sentence, p95 ms", figure=round(_p95(took["hang"]), 1), limit=4000),
        Goal(what="breaker open: later, p95 ms", figure=round(_p95(open_breaker) - normal, 1), limit=20),
        Goal(what="both hang: first sentence, longest ms", figure=round(max(both), 1), limit=6000),
        Goal(what=f"{CHATS} chats: replies a second", figure=round(per_second, 1), limit=250, at_most=False),
        Goal(what=f"{CHATS} chats: first sentence, p95 ms", figure=round(_p95(loaded), 1), limit=600),
    ]


async def _in_turn(times: int, *measured: Callable[[], Awaitable[float]]) -> list[list[float]]:
    """Each one measured in turn, so that the machine's moods fall on all; the first round warms up."""
    took: list[list[float]] = [[] for _ in measured]
    for number in range(times + 1):
        for measure, into in zip(measured, took, strict=True):
            milliseconds = await measure()
            if number:
                into.append(milliseconds)
    return took


async def _failures(primary: LLM, others: Sequence[LLM], times: int, together: bool) -> list[float]:
    if together:
        return list(await asyncio.gather(*(_first_sentence([primary, *others]) for _ in range(times))))
    return (await _in_turn(times, lambda: _first_sentence([primary, *others])))[0]


async def _with_breaker_open(times: int, fallback: LLM) -> list[float]:
    rules = BreakerRules(failures=1, open_seconds=3600, longest_seconds=3600)
    failover = Failover([Member(_vendor("openai", _closed_port()), rules), Member(fallback)])
    return (await _in_turn(times, lambda: _timed(failover)))[0]


async def _load(llm: LLM, seconds: float) -> tuple[float, list[float]]:
    """CHATS chats without a pause for so many seconds: replies a second, and their times to the first sentence."""
    failover, took = Failover([Member(llm)]), []
    until = asyncio.get_running_loop().time() + seconds

    async def chat() -> None:
        while asyncio.get_running_loop().time() < until:
            took.append(await _timed(failover))

    await asyncio.gather(*(chat() for _ in range(CHATS)))
    return len(took) / seconds, took


async def _first_sentence(llms: Sequence[LLM]) -> float:
    return await _timed(Failover([Member(llm, quotes=llm.name == "extractive") for llm in llms]))


async def _timed(failover: Failover) -> float:
    """Milliseconds to the first whole sentence of the reply that stands in the end; reads the stream to its end."""
    clock = asyncio.get_running_loop().time
    began = clock()
    text, at = "", 0.0
    async for event in failover.stream(_REQUEST, turn_limits(_SETTINGS, began + 20)):
        if isinstance(event, Replaced):
            text, at = "", 0.0
        if isinstance(event, Text):
            text += event.text
            at = at or (clock() if _SENTENCE.search(text) else 0.0)
    return (at - began) * 1e3


async def read_bare(url: str, prompt: str, until: str) -> float:
    """Milliseconds until the provider has said `until`, with nothing but a socket: what the provider itself takes."""
    clock = asyncio.get_running_loop().time
    body = json.dumps({"stream": True, "messages": [{"role": "system", "content": prompt}]}).encode()
    mark = json.dumps(until).encode()
    began = clock()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    at = 0.0
    async for line in _lines(reader):
        at = at or (clock() if mark in line else 0.0)
    writer.close()
    return (at - began) * 1e3


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while (line := await reader.readline()) != b"0\r\n":
        yield line


@contextlib.contextmanager
def provider(*options: str) -> Iterator[str]:
    """A scripted provider in a process of its own, and its address."""
    command = [sys.executable, "-m", "tests.llm.vendor_server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def _vendor(name: str, url: str) -> LLM:
    keys = {"openai_api_key": "none", "gemini_api_key": "none"}
    return VENDORS[name].build(Settings(_env_file=None, openai_base_url=f"{url}/v1", gemini_base_url=url, **keys))


def _row(what: str, milliseconds: Sequence[float]) -> Row:
    return {"to the first sentence": what, "n": len(milliseconds), **spread(milliseconds)}


def _p95(milliseconds: Sequence[float]) -> float:
    return spread(milliseconds)["p95 ms"]
