"""The API under attack and under load: fuzzed, called by strangers, and beside the chat's own socket."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.report import Goal, Result, spread
from tests.api.conftest import API_APP, PLENTY, Caller
from tests.api.fuzzing import Fuzz
from tests.api.hostile import Victim, attack
from tests.api.test_identity import customer_token
from tests.api.test_socket import fuzz
from tests.chat_client import ChatClient, open_http
from tests.server import Server

CASES_EACH = 400
CHAINS = 400
ATTEMPTS = 10_000
FRAMES = 10_000
CHATS, MESSAGES = 100, 20
FLOOD = 500
START_SECONDS = 180.0


def run_fuzz(*, quick: bool = False) -> Result:
    """schemathesis, all its checks, over every operation of the OpenAPI document and along its links."""
    with _serving() as server:
        fuzz = Fuzz(server.address)
        fuzz.run(6 if quick else CASES_EACH)
        result = fuzz.run_chains(10 if quick else CHAINS)
        traces = server.log().count("Traceback")
    failures = sum(status >= 500 for status in result.statuses.elements())
    return Result(
        name="fuzz_api",
        rows=[
            *({"what": f"answered {status}", "cases": count} for status, count in sorted(result.statuses.items())),
            {"what": "of them along a link", "cases": result.linked},
            {"what": "chains (ten at a time) that ended early", "cases": result.ended_early},
            {"what": "operations that granted something", "cases": len(result.well)},
        ],
        goals=[
            Goal(what="cases", figure=result.cases, limit=100 if quick else 10_000, at_most=False),
            Goal(what="answers of 500 and above", figure=failures, limit=0),
            Goal(what="answers that the document does not say", figure=len(result.failures), limit=0),
            Goal(what="exceptions in the server's log", figure=traces, limit=0),
        ],
        remarks=result.failures[:10],
    )


def run_hostile(*, quick: bool = False) -> Result:
    """Strangers try to read and write what is another customer's; then frames that nobody should send."""
    return asyncio.run(_hostile(400 if quick else ATTEMPTS, 300 if quick else FRAMES))


def run_load(*, quick: bool = False) -> Result:
    """The same bot asked over the chat's socket and over REST; how late a sentence comes; a flood beside others."""
    return asyncio.run(_load(10 if quick else CHATS, 3 if quick else MESSAGES, 50 if quick else FLOOD))


async def _hostile(attempts: int, frames: int) -> Result:
    with _serving() as server:
        async with open_http() as http:
            victim = await Victim.settle(await Caller(server.address, http).begin())
            eve, nobody = await Caller(server.address, http).begin(), Caller(server.address, http)
            known = await Caller(server.address, http).begin(customer_token=customer_token())
            forged = Caller(server.address, http, token=victim.caller.token[:-4] + "AAAA")
            succeeded = await attack(victim, [eve, known, nobody, forged], attempts)
            await fuzz(eve, [victim.conversation, *victim.entries], frames)
            changed = await victim.look() != victim.before
            answers = (await eve.say("still there?"))["status"]
        traces = server.log().count("Traceback")
    return Result(
        name="hostile_api",
        rows=[{"what": "attempts", "number": attempts}, {"what": "odd frames", "number": frames}],
        goals=[
            Goal(what="attempts that succeeded", figure=succeeded, limit=0),
            Goal(what="changes of what is another's", figure=int(changed), limit=0),
            Goal(what="unhandled exceptions", figure=traces, limit=0),
            Goal(what="status of a message afterwards", figure=answers, limit=200),
        ],
    )


async def _load(chats: int, messages: int, flood: int) -> Result:
    with _serving() as server:
        async with open_http() as http:
            callers = [await Caller(server.address, http).begin() for _ in range(chats)]
            pages = [ChatClient(server.address, http, keep=False) for _ in range(chats)]
            for page in pages:
                await page.sign_in()
                await page.connect()
            await _all(callers, _ask_rest, 2)
            await _all(pages, _ask_chat, 2)
            rest = await _all(callers, _ask_rest, messages)
            chat = await _all(pages, _ask_chat, messages)
            for page in pages:
                await page.close()
        async with open_http() as http:  # anew: the server has closed what was idle meanwhile
            for caller in callers:
                caller.http = http
            late = [await _lateness(callers[0]) for _ in range(10 * messages)]
            quiet = await _all(callers[: chats // 5], _ask_rest, messages)
            refused, beside = await _beside_a_flood(callers, chats // 5, messages, flood)
    ways = {"chat": chat, "REST": rest, "sentence": late, "others, quiet": quiet, "others, beside a flood": beside}
    p95 = {name: spread(figures)["p95 ms"] for name, figures in ways.items()}
    return Result(
        name="api_load",
        rows=[{"what": name, "n": len(figures), **spread(figures)} for name, figures in ways.items()],
        goals=[
            Goal(what="p95 of REST over p95 of the chat", figure=round(p95["REST"] / p95["chat"], 2), limit=1.0),
            Goal(what="p95 of a sentence behind the bot's, ms", figure=p95["sentence"], limit=20),
            Goal(what="others' p95 beside a flood over without", figure=_ratio(p95), limit=1.2),
        ],
        remarks=[f"{refused} of {flood} messages of the flood were refused (429), the others answered one at a time"],
    )


Asker = TypeVar("Asker")


def _ratio(p95: dict[str, float]) -> float:
    return round(p95["others, beside a flood"] / p95["others, quiet"], 2)


async def _all(askers: Sequence[Asker], ask: Callable[[Asker], Awaitable[float]], messages: int) -> list[float]:
    async def several(asker: Asker) -> list[float]:
        return [await ask(asker) for _ in range(messages)]

    return [took for each in await asyncio.gather(*map(several, askers)) for took in each]


async def _ask_rest(caller: Caller) -> float:
    began = time.perf_counter()
    told = await caller.say("hello", caller.session.get("conversation"))
    caller.session["conversation"] = told["message"]["conversation"]
    return (time.perf_counter() - began) * 1000


async def _ask_chat(page: ChatClient) -> float:
    began = time.perf_counter()
    await page.ask("hello")
    return (time.perf_counter() - began) * 1000


async def _lateness(caller: Caller) -> float:
    """Milliseconds from when the bot shows a sentence until it is here."""
    body = {"text": "clock", "client_id": str(uuid.uuid4()), "conversation": caller.session["conversation"]}
    headers = {"Authorization": f"Bearer {caller.token}", "Accept": "text/event-stream"}
    async with caller.http.post(f"{caller.address}/api/v1/chat/message", json=body, headers=headers) as answer:
        late = -1.0
        async for line in answer.content:
            if line.startswith(b"data:") and b'"sentence"' in line:
                shown = float(line.partition(b'"sentence": "')[2].partition(b'"')[0])
                late = (time.time() - shown) * 1000
    assert late >= 0, "no sentence came"
    return late


async def _beside_a_flood(callers: Sequence[Caller], others: int, messages: int, flood: int) -> tuple[int, list[float]]:
    """How many messages of the flood were refused, and what the others' took meanwhile."""
    flooder = callers[-1]
    many = [asyncio.create_task(flooder.say(f"flood {n}", flooder.session["conversation"])) for n in range(flood)]
    beside = await _all(callers[:others], _ask_rest, messages)
    return sum(told["status"] == 429 for told in await asyncio.gather(*many)), beside


@contextmanager
def _serving() -> Iterator[Server]:
    """A server with the tests' bot, its limits lifted."""
    with TemporaryDirectory(prefix="frontdesk-api-") as folder:
        server = Server(Path(folder) / "data", app=API_APP, env=PLENTY)
        try:
            server.start(wait=False).wait_ready(START_SECONDS)
            yield server
        finally:
            server.stop()
