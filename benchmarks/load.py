"""The load: many chats at once, each asking its own questions, either without a pause or with time to think.

It runs in a process of its own (`python -m benchmarks.load`, one JSON object on standard output), so that neither server
shares an interpreter with it.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field

import aiohttp
import uvloop

from benchmarks.questions import different_questions
from tests.chat_client import ChatClient, Step, open_http

CONNECTING_AT_ONCE = 20
REPLY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of a server. `seconds` are measured after `warm_up` seconds with the same load."""

    address: str
    chats: int
    think_seconds: float
    seconds: float
    warm_up: float
    echo: bool
    seed: int


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the chats saw while it was measured: milliseconds from send to reply on the page, and what went wrong."""

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    connect_seconds: float = 0.0


class EchoChat(ChatClient):
    """A page of the stock echo, whose replies name no question: one is asked at a time, and the next reply is its own."""

    def _add(self, step: Step) -> None:
        if step["type"] == "assistant_message":
            self._wake("event", "echo", step)

    async def sign_in(self) -> str:
        """The stock echo knows no visitors."""
        return ""

    async def ask(self, text: str, *, seconds: float = REPLY_SECONDS) -> Step:
        """Send a message and wait for its echo."""
        reply = asyncio.ensure_future(self.wait_for_event("echo", seconds=seconds))
        await self.send(text, seconds=seconds)
        step: Step = await reply
        if step["output"] != text:
            raise AssertionError(f"asked {text!r}, the echo is {step['output']!r}")
        return step


async def apply_load(load: Load) -> Seen:
    """Open the chats, let them ask, and say what they saw."""
    seen = Seen()
    async with open_http() as http, AsyncExitStack() as pages:
        began = time.monotonic()
        chats = await _open_chats(load, http)
        for chat in chats:
            pages.push_async_callback(chat.close, clear=True)
        seen.connect_seconds = time.monotonic() - began
        seen.began = time.monotonic() + load.warm_up
        seen.ended = seen.began + load.seconds
        questions = different_questions(load.seed)
        chance = random.Random(load.seed)
        await asyncio.gather(*(_keep_asking(chat, load, questions, seen, chance.random()) for chat in chats))
    return seen


async def _open_chats(load: Load, http: aiohttp.ClientSession) -> list[ChatClient]:
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
    kind = EchoChat if load.echo else ChatClient

    async def open_chat() -> ChatClient:
        chat = kind(load.address, http, keep=False)
        async with gate:
            await chat.sign_in()
            await chat.connect(seconds=60)
        return chat

    return await asyncio.gather(*(open_chat() for _ in range(load.chats)))


async def _keep_asking(chat: ChatClient, load: Load, questions: Iterator[str], seen: Seen, place: float) -> None:
    """Ask until the time is over; the first question comes at a place of its own in the think time."""
    await asyncio.sleep(place * max(load.think_seconds, 0.2))
    while time.monotonic() < seen.ended:
        sent = time.monotonic()
        if error := await _ask(chat, next(questions)):
            seen.errors.append(error)
            await asyncio.sleep(1)
            continue
        now = time.monotonic()
        if seen.began <= now < seen.ended:
            seen.milliseconds.append(1000 * (now - sent))
        await asyncio.sleep(load.think_seconds)


async def _ask(chat: ChatClient, question: str) -> str:
    """What went wrong, or nothing."""
    try:
        await chat.ask(question, seconds=REPLY_SECONDS)
    except asyncio.CancelledError:
        if not chat.closed.is_set():
            raise
        return "the server closed the connection"
    except (TimeoutError, AssertionError, aiohttp.ClientError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def main() -> None:
    """Read a load as JSON from the command line, apply it, print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("load", help="a Load as a JSON object")
    load = Load(**json.loads(parser.parse_args().load))
    print(json.dumps(asdict(uvloop.run(apply_load(load)))))


if __name__ == "__main__":
    main()
