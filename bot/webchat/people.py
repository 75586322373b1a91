"""What a customer's page is told of the people: who has the conversation, who types, and what may be rated."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from bot.desk.cases import Case
from bot.desk.customer import find_unrated
from bot.domain import Entry, Holder

Send = Callable[[str, Any], Awaitable[None]]
"""Send an event with its data to the page."""


class People:
    """Tells one page. It is told anew only when something of it changed."""

    def __init__(self, case: Case, assistant: str, send: Send) -> None:
        self._case, self._assistant = case, assistant
        self._send = send
        self._told: dict[str, Any] = {}
        self._typing: asyncio.Task[None] | None = None
        self.unwatch: Callable[[], None] = lambda: None

    async def begin(self, entries: Iterable[Entry]) -> None:
        """The conversation so far."""
        for entry in entries:
            self._case.add(entry)
        await self._tell()

    async def add(self, entry: Entry) -> None:
        """The next entry."""
        self._case.add(entry)
        await self._tell()

    def hear_typing(self, name: str) -> None:
        """A person types now."""
        if self._typing is None or self._typing.done():
            self._typing = asyncio.create_task(self._tell_typing(name))

    def stop(self) -> None:
        """The page is gone or begins anew."""
        self.unwatch()
        if self._typing:
            self._typing.cancel()

    async def _tell_typing(self, name: str) -> None:
        await self._send("window_message", {"frontdesk": "typing", "name": name})

    async def _tell(self) -> None:
        if not self._case.records and find_unrated(self._case) is None and not self._told:
            return  # nothing that the page does not know
        state = {**show_people(self._case), "assistant": self._assistant if self._case.records else ""}
        if state != self._told:
            self._told = state
            await self._send("window_message", {"frontdesk": "people", **state})


def show_people(case: Case) -> dict[str, Any]:
    """Who has the conversation, the person's name, and what may be rated: a time with people, or with the assistant.

    `over` says that it may be asked for now; else once the customer has been quiet for a while. `lost` is a person whose
    connection is; `closed` a desk that nobody is at for hours.
    """
    unrated = find_unrated(case)
    name = unrated.name if unrated else ""
    return {
        "conversation": case.id,
        "holder": case.holder,
        "name": case.agent_name if case.holder is Holder.AGENT else name,
        "lost": case.is_agent_lost,
        "closed": case.is_closed,
        "rate": unrated.seq if unrated else None,
        "over": bool(unrated and unrated.is_over),
    }
