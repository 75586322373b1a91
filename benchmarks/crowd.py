"""Customers who keep asking through crashes, and write down what happened to them.

Each has one conversation at a time and sometimes begins a new one. A customer sends up to three messages before the
replies are there, each with a client id of its own. When the connection is lost, the page comes back to its conversation
and sends again, in order and with the same ids, whatever was not acknowledged.
"""

import asyncio
import base64
import json
import random
from dataclasses import dataclass
from itertools import count
from types import NoneType
from typing import Any
from uuid import UUID

import aiohttp

from benchmarks.history import History, What
from tests.chat_client import ChatClient, ConnectionRefused, Step

AT_ONCE = 3
AGAIN_SECONDS = 0.1
CONNECTION_LOST = (ConnectionRefused, ConnectionError, TimeoutError, aiohttp.ClientError)
NEW_CHAT = 0.1
"""How likely a customer whose messages are all settled begins a new conversation."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A message on its way; `seq` is 0 until it is acknowledged."""

    client_id: str
    text: str
    seq: int = 0


class Page(ChatClient):
    """A page that hands every reply it shows to its customer."""

    customer: "Customer"

    def _add(self, step: Step) -> None:
        super()._add(step)
        answers = step.get("metadata", {}).get("answers")
        if answers is not None:
            self.customer.see(self, answers, step["id"].rpartition("-")[2])


class Customer:
    """One customer: `keep_asking` until `finishing`, then until everything is acknowledged and settled."""

    def __init__(self, name: str, address: str, http: aiohttp.ClientSession, history: History) -> None:
        self.name, self.identity, self.finishing = name, "", False
        self._history = history
        self._chance = random.Random(name)
        self._texts = (f"{name} asks number {number}: why did my bill go up?" for number in count(1))
        self._page = Page(address, http, keep=False)
        self._page.customer = self
        self._messages: list[Message] = []
        self._settled: set[int] = set()
        self._news = asyncio.Event()

    async def keep_asking(self) -> None:
        """Connect, ask, lose the connection, connect again."""
        self.identity = read_identity(await self._page.sign_in())
        while self._waits() or not self.finishing:
            try:
                await self._page.connect(seconds=15)
            except CONNECTION_LOST:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self._note(What.CONNECTED)
            await self._ask_until_lost()
            await self._page.drop()

    def see(self, page: Page, answers: int, entry: str) -> None:
        """A reply is on the page."""
        self._note(What.REPLY, conversation=page.conversation, seq=answers, reply=entry)
        if page is self._page:
            self._settled.add(answers)
            self._news.set()

    def _waits(self) -> bool:
        return any(message.seq not in self._settled for message in self._messages)

    async def _ask_until_lost(self) -> None:
        page = self._page
        lost, asking = asyncio.create_task(page.closed.wait()), asyncio.create_task(self._ask())
        await asyncio.wait({lost, asking}, return_when=asyncio.FIRST_COMPLETED)
        if page is self._page and page.closed.is_set():
            self._note(What.LOST)
        for task in (lost, asking):
            task.cancel()
        await asyncio.wait({lost, asking})
        if not asking.cancelled() and not isinstance(asking.exception(), (NoneType, *CONNECTION_LOST)):
            asking.result()

    async def _ask(self) -> None:
        """What was not acknowledged goes first, in the order in which it was sent the first time."""
        await self._send([message for message in self._messages if not message.seq])
        while True:
            while self._waits():
                self._news.clear()
                await self._news.wait()
            if self.finishing:
                return
            if self._messages and self._chance.random() < NEW_CHAT:
                return await self._begin_anew()
            new = [self._new_message() for _ in range(self._chance.randint(1, AT_ONCE))]
            self._messages += new
            await self._send(new)

    async def _begin_anew(self) -> None:
        """As "New chat" on the page does: another session, then another conversation."""
        old, self._page = self._page, Page(self._page.address, self._page.http, keep=False, cookie=self._page.cookie)
        self._page.customer = self
        self._messages.clear()
        self._settled.clear()
        await old.close(clear=True)

    def _new_message(self) -> Message:
        return Message(client_id=str(UUID(int=self._chance.getrandbits(128), version=4)), text=next(self._texts))

    async def _send(self, messages: list[Message]) -> None:
        """All at once, in order; returns when each is acknowledged."""
        await asyncio.gather(*(self._send_one(message) for message in messages))

    async def _send_one(self, message: Message) -> None:
        while not message.seq:
            self._note(What.SENT, client_id=message.client_id, text=message.text)
            ack = await self._page.send(message.text, message.client_id, seconds=20)
            if ack["ok"]:
                message.seq = ack["seq"]
                self._note(What.ACKNOWLEDGED, client_id=message.client_id, seq=message.seq)
            else:
                self._note(What.REFUSED, client_id=message.client_id, text=ack["reason"])
                await asyncio.sleep(AGAIN_SECONDS)

    def _note(self, what: What, **fields: Any) -> None:
        self._history.note(what, **{"customer": self.name, "conversation": self._page.conversation, **fields})


def read_identity(cookie: str) -> str:
    """The customer's id that the server signed into the cookie."""
    payload = cookie.partition("=")[2].split(".")[1]
    fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(fields["identifier"])
