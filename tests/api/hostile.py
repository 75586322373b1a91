"""Attempts to read or write what is another customer's, by every route and the socket, as every kind of caller.

Used by the test (a few hundred attempts) and by `python -m benchmarks hostile_api` (10,000).
"""

import json
import random
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.api.conftest import Caller

SECRET = "my-secret-4711"


@dataclass
class Victim:
    """A customer with a conversation that nobody else may see or touch."""

    caller: Caller
    conversation: str
    entries: list[str]
    before: Any

    @classmethod
    async def settle(cls, caller: Caller) -> "Victim":
        told = await caller.say(f"{SECRET} question")
        conversation = told["message"]["conversation"]
        victim = cls(caller, conversation, [told["message"]["id"], told["reply"]["id"]], None)
        victim.before = await victim.look()
        return victim

    async def look(self) -> Any:
        """All that is theirs, as they read it."""
        _, history, _ = await self.caller.call("GET", f"/chat/history/{self.conversation}")
        _, export, _ = await self.caller.call("GET", f"/customers/{self.caller.customer}/data")
        return history, export


def attempt(chance: random.Random, victim: Victim, own: str) -> tuple[str, str, dict[str, Any]]:
    """One request that should not be granted: method, path, options."""
    c, entry, customer = victim.conversation, chance.choice(victim.entries), victim.caller.customer
    body = {"client_id": str(uuid.uuid4()), "conversation": chance.choice([c, c.upper(), f"{c}\n", f" {c}"])}
    events = {"Accept": chance.choice(["text/event-stream", "application/json"])}
    odd = chance.choice(["", "/", "%00", "?after=-1", "/../" + own, f"%2f..%2f{own}", "?conversation=" + own])
    tries = [
        ("GET", f"/chat/history/{c}{odd}", {}),
        ("GET", f"/chat/history/{c}", {"params": {"after": chance.randint(0, 5), "wait": 0.01}}),
        ("POST", "/chat/message", {"json": {"text": "let me in", **body}, "headers": events}),
        ("POST", "/chat/escalate", {"json": body}),
        ("POST", "/chat/feedback", {"json": {"entry": entry, "value": chance.choice([0, 1, None])}}),
        ("GET", f"/customers/{customer}/data{odd}", {}),
        ("DELETE", f"/customers/{customer}/data", {}),
        ("GET", f"/customers/{customer}/tickets", {}),
        ("GET", f"/conversations/{c}", {}),
        ("GET", f"/conversations/{c}/transcript", {}),
        ("GET", "/conversations", {"params": {"customer": customer, "text": SECRET}}),
        ("GET", "/chat/conversations", {"params": {"customer": customer}}),
        ("POST", "/ask", {"json": {"question": SECRET}}),
    ]
    return chance.choice(tries)


def frame(chance: random.Random, victim: Victim) -> str:
    """One frame of a socket that should not be granted."""
    c, id = victim.conversation, str(uuid.uuid4())
    frames = [
        {"type": "message", "text": "let me in", "client_id": id, "conversation": c},
        {"type": "escalate", "client_id": id, "conversation": c},
        {"type": "feedback", "entry": chance.choice(victim.entries), "value": 0},
        {"type": "join", "token": "e30.e30.x", "conversation": c},
        {"type": "message", "text": "x", "client_id": id, "conversation": c, "customer": victim.caller.customer},
    ]
    return json.dumps(chance.choice(frames))


async def attack(victim: Victim, callers: list[Caller], attempts: int, seed: int = 7) -> int:
    """Make so many attempts, a third of them on sockets; how many told something or were granted."""
    chance = random.Random(seed)
    succeeded = 0
    for caller in callers:
        own = str(uuid.uuid4())
        share = attempts // len(callers)
        for _ in range(share - share // 3):
            method, path, options = attempt(chance, victim, own)
            status, told, _ = await caller.call(method, path, **options)
            granted = status < 400 and not (method == "GET" and path == "/chat/conversations")
            succeeded += SECRET in str(told) or victim.conversation in str(told) or granted
        succeeded += await attack_by_socket(victim, caller, chance, share // 3)
    return succeeded


async def attack_by_socket(victim: Victim, caller: Caller, chance: random.Random, frames: int) -> int:
    """Each frame is answered by a problem; whatever else comes is a success of the attack."""
    succeeded = 0
    while frames > 0:
        async with await caller.socket() as ws:
            await ws.send_json({"type": "join", "token": caller.token or "x", "conversation": None})
            greeting = json.loads(await ws.receive_str())
            while frames > 0 and not ws.closed:
                await ws.send_str(frame(chance, victim))
                frames -= 1
                answer = await ws.receive()
                if answer.type is not aiohttp.WSMsgType.TEXT:
                    break
                told = json.loads(answer.data)
                succeeded += told["type"] != "problem" or SECRET in answer.data
            succeeded += SECRET in str(greeting)
    return succeeded
