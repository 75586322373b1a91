"""The real chat while its Redis is refused, hangs and is flushed under 50 chats; and two servers with one conversation.

The product as it comes, as a process of its own, with REDIS_URL at a Valkey beside it; customers come over the chat's own
socket. What was acknowledged is compared with the log afterwards. A watcher looks at pages and at /health all the time.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks.report import Goal, Result, Row, spread
from benchmarks.servers import NO_LIMITS
from bot.domain import ConversationId, Entry, Outcome, Speaker
from bot.sql.log import SqlLog, open_log
from tests.chat_client import ChatClient, open_http
from tests.server import Server
from tests.state.servers import RealServer

CHATS = 50
THINK_SECONDS = 4.0
FAULTS = ("refused", "hung", "flushed")
CALM_SECONDS = 20.0
BACK_SECONDS = 5.0
REPLY_SECONDS = 60.0
START_SECONDS = 300.0
AT_ONCE = 10
"""Messages of the shared conversation that may wait for their replies."""
LOOKED_AT = ("/", "/help/bill-higher-than-usual")
FAILED = {Outcome.FAILED, Outcome.TOO_LATE, Outcome.STOPPED}
QUESTIONS = (
    "why did my bill go up",
    "how do I pay my bill by card",
    "what does a red light on my hub mean",
    "what does roaming in Spain cost",
    "how do I change my plan",
    "what is the late payment fee",
)


@dataclass(slots=True, kw_only=True)
class Seen:
    """What customers saw: when they asked (seconds of the monotonic clock), milliseconds to the reply, what went wrong."""

    took: list[tuple[float, float]] = field(default_factory=list)
    acknowledged: list[tuple[str, int, str]] = field(default_factory=list)
    errors: list[tuple[float, str]] = field(default_factory=list)
    pages: Counter[int] = field(default_factory=Counter)
    well: list[tuple[float, bool]] = field(default_factory=list)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A fault: when it began and when the server was back."""

    fault: str
    began: float
    ended: float


def run(*, quick: bool = False) -> Result:
    """30 s of each fault and 1,000 messages, or short with `quick`."""
    return asyncio.run(_run(5.0 if quick else 30.0, 60 if quick else 1000))


async def _run(fault_seconds: float, messages: int) -> Result:
    with TemporaryDirectory(prefix="frontdesk-bench-") as folder, ExitStack() as running:
        data_dir = Path(folder) / "data"
        redis = running.enter_context(RealServer("valkey"))
        env = {
            **NO_LIMITS,
            "REDIS_URL": redis.url,
            "WAITING_MESSAGES": str(2 * AT_ONCE),
            "LONG_CONVERSATION_TURNS": "1000000",
        }
        servers = [Server(data_dir, env=env), Server(data_dir, env=env)]
        running.callback(servers[0].stop)
        await asyncio.to_thread(_start, servers[0])
        seen, spans = await _besieged(servers[0], redis, fault_seconds)
        running.callback(servers[1].stop)
        await asyncio.to_thread(_start, servers[1])
        shared, seconds = await _alternate(servers, messages)
        log = open_log(None, data_dir)
        rows, lost = await _rows(log, seen, spans)
        strange = await _strange(log, shared)
        await log.close()
    goals = [Goal(what="acknowledged messages that are not in the log", figure=lost, limit=0)]
    goals += [Goal(what="error pages", figure=sum(n for status, n in seen.pages.items() if status >= 500), limit=0)]
    goals += [Goal(what="refusals, broken connections and the like", figure=len(seen.errors), limit=0)]
    for row in rows[1:]:
        fault = row["redis is"]
        goals.append(Goal(what=f"{fault}: turns answered, %", figure=row["answered %"], limit=99, at_most=False))
        goals.append(Goal(what=f"{fault}: well again after, s", figure=row["back after s"], limit=BACK_SECONDS))
    for what, figure in strange.items():
        goals.append(Goal(what=f"two servers, {messages} messages in turn: {what}", figure=figure, limit=0))
    remarks = [f"{sum(seen.pages.values())} pages looked at; the {messages} messages took {seconds:.0f} s"]
    return Result(name="shared_chat", rows=rows, goals=goals, remarks=[*remarks, *sorted({e for _, e in seen.errors})[:5]])


def _start(server: Server) -> None:
    """Start it; the first start makes the index."""
    server.start(wait=False).wait_ready(START_SECONDS)


async def _besieged(server: Server, redis: RealServer, seconds: float) -> tuple[Seen, list[Span]]:
    """Customers who ask through a calm time and every fault."""
    seen, spans = Seen(), []
    async with open_http() as http:
        chats = [ChatClient(server.address, http, keep=False) for _ in range(CHATS)]
        for chat in chats:
            await chat.sign_in()
            await chat.connect(seconds=60)
        asking = [asyncio.create_task(_ask(chat, place, seen)) for place, chat in enumerate(chats)]
        asking.append(asyncio.create_task(_watch(server, http, seen)))
        await asyncio.sleep(2 * THINK_SECONDS)  # warm
        spans.append(Span(fault="well", began=time.monotonic(), ended=time.monotonic() + CALM_SECONDS))
        await asyncio.sleep(CALM_SECONDS)
        for fault in FAULTS:
            began = time.monotonic()
            await _break(fault, redis, seconds)
            spans.append(Span(fault=fault, began=began, ended=time.monotonic()))
            await asyncio.sleep(CALM_SECONDS)
        seen.is_over.set()
        await asyncio.gather(*asking)
        for chat in chats:
            await chat.close(clear=True)
    return seen, spans


async def _ask(chat: ChatClient, place: int, seen: Seen) -> None:
    await asyncio.sleep(place * THINK_SECONDS / CHATS)
    number = 0
    while not seen.is_over.is_set():
        number += 1
        began, text = time.monotonic(), f"{QUESTIONS[(place + number) % len(QUESTIONS)]}? ({place}, {number})"
        try:
            ack = await chat.send(text, seconds=REPLY_SECONDS)
            if not ack["ok"]:
                seen.errors.append((began, str(ack["reason"])))
                continue
            seen.acknowledged.append((chat.conversation, ack["seq"], text))
            await chat.wait_for_reply(ack["seq"], seconds=REPLY_SECONDS)
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            seen.errors.append((began, f"{type(error).__name__}: {error}"))
        seen.took.append((began, (time.monotonic() - began) * 1e3))
        await asyncio.sleep(max(0.0, began + THINK_SECONDS - time.monotonic()))


async def _watch(server: Server, http: aiohttp.ClientSession, seen: Seen) -> None:
    """Look at pages and at what /health says of the memory."""
    while not seen.is_over.is_set():
        for path in LOOKED_AT:
            async with http.get(server.address + path) as response:
                seen.pages[response.status] += 1
        async with http.get(f"{server.address}/health") as response:
            seen.pages[response.status] += 1
            told = await response.json()
        seen.well.append((time.monotonic(), bool(told["memory"]["ok"])))
        await asyncio.sleep(0.2)


async def _break(fault: str, redis: RealServer, seconds: float) -> None:
    until = time.monotonic() + seconds
    if fault == "flushed":
        while time.monotonic() < until:
            redis.flush()
            await asyncio.sleep(0.5)
        return
    redis.kill() if fault == "refused" else redis.hang()
    await asyncio.sleep(seconds)
    await asyncio.to_thread(redis.start) if fault == "refused" else redis.go_on()


async def _rows(log: SqlLog, seen: Seen, spans: Sequence[Span]) -> tuple[list[Row], int]:
    """A row for each span, and how many acknowledged messages the log does not have."""
    entries = {id: await log.after(ConversationId(id), 0, 100_000) for id in {one[0] for one in seen.acknowledged}}
    stored = {(one.conversation, one.seq, one.text) for many in entries.values() for one in many}
    lost = sum((ConversationId(id), seq, text) not in stored for id, seq, text in seen.acknowledged)
    rows: list[Row] = []
    for span in spans:
        during = [ms for at, ms in seen.took if span.began <= at <= span.ended]
        after = [ms for at, ms in seen.took if span.ended + BACK_SECONDS <= at <= span.ended + CALM_SECONDS]
        wrong = sum(span.began <= at <= span.ended for at, _ in seen.errors)
        failed = sum(
            _is_within(one, span) and one.data.get("outcome") in FAILED for all_ in entries.values() for one in all_
        )
        back = min((at for at, is_well in seen.well if at >= span.ended and is_well), default=math.inf) - span.ended
        rows.append(
            {
                "redis is": span.fault,
                "n": len(during),
                "answered %": round(100 * (1 - (wrong + failed) / max(1, len(during))), 2),
                **spread(during),
                "longest ms": round(max(during, default=0.0), 1),
                "p95 ms after": spread(after)["p95 ms"],
                "back after s": round(back, 2),
            }
        )
    return rows, lost


def _is_within(entry: Entry, span: Span) -> bool:
    return span.began <= entry.at.timestamp() - time.time() + time.monotonic() <= span.ended


async def _alternate(servers: Sequence[Server], messages: int) -> tuple[ConversationId, float]:
    """One customer with a page on each server, who writes on one and the other in turn without waiting for replies."""
    began = time.monotonic()
    async with open_http() as http:
        first = ChatClient(servers[0].address, http, keep=False)
        await first.sign_in()
        await first.connect(seconds=60)
        seqs = [(await first.send("0: why did my bill go up?", seconds=REPLY_SECONDS))["seq"]]
        await first.wait_for_reply(seqs[0], seconds=REPLY_SECONDS)
        second = ChatClient(servers[1].address, http, cookie=first.cookie, conversation=first.conversation, keep=False)
        await second.connect(seconds=60)
        for number in range(1, messages):
            if number > AT_ONCE:
                await first.wait_for_reply(seqs[number - AT_ONCE], seconds=REPLY_SECONDS)
            page = (first, second)[number % 2]
            ack = await page.send(f"{number}: why did my bill go up?", seconds=REPLY_SECONDS)
            assert ack["ok"], ack
            seqs.append(ack["seq"])
        for seq in seqs[-AT_ONCE + 1 :]:
            await first.wait_for_reply(seq, seconds=REPLY_SECONDS)
        await first.close()
        await second.close()
    return ConversationId(first.conversation), time.monotonic() - began


async def _strange(log: SqlLog, shared: ConversationId) -> dict[str, int]:
    """What is wrong with the shared conversation."""
    entries = await log.after(shared, 0, 1_000_000)
    asked = [entry for entry in entries if entry.speaker is Speaker.CUSTOMER]
    answers = [entry.answers for entry in entries if entry.answers is not None]
    replies = Counter(answers)
    return {
        "messages out of order": sum(not one.text.startswith(f"{n}:") for n, one in enumerate(asked)),
        "messages without exactly one reply": sum(replies[one.seq] != 1 for one in asked),
        "replies out of order": sum(a >= b for a, b in pairwise(answers)),
        "replies that failed": sum(one.data.get("outcome") in FAILED for one in entries),
    }
