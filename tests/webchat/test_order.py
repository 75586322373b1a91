"""The messages of a page are taken in the order they came in, however long it takes to look whether its visit is over."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from socketio import AsyncServer

from bot.domain import ConversationId, CustomerId
from bot.log_memory import MemoryLog
from bot.settings import Settings
from bot.webchat.sessions import View, Views
from bot.webchat.sockets import Sockets
from bot.webchat.visits import Visits


class SlowOnce(Visits):
    """The first look waits for the database, and later ones go by what is known."""

    def __init__(self) -> None:
        super().__init__(None)
        self.may_go_on = asyncio.Event()
        self.looks = 0

    async def are_over(self, visit: str, until: float | None) -> bool:
        self.looks += 1
        if self.looks == 1:
            await self.may_go_on.wait()
        return False


class Taking:
    """A bot that notes what it took."""

    def __init__(self) -> None:
        self.settings, self.log, self.taken = Settings(_env_file=None), MemoryLog(), list[str]()

    async def accept(self, conversation: str, customer: str, text: str, client_id: str) -> Any:
        self.taken.append(text)
        return SimpleNamespace(seq=len(self.taken), id=client_id, text=text)


async def test_messages_sent_together_are_taken_in_order_while_the_first_waits_for_a_look() -> None:
    bot, visits, views = Taking(), SlowOnce(), Views(60)
    sockets = Sockets(bot, views, visits, AsyncServer(async_mode="asgi"))  # type: ignore[arg-type]
    sockets._screen = SimpleNamespace(follow=lambda view: None)  # type: ignore[assignment]
    view = View(
        session=str(uuid4()), sid="page", customer=CustomerId("ana"), conversation=ConversationId("chat"), begun=True
    )
    views.add(view)
    sent = [{"message": {"id": str(uuid4()), "output": f"number {number}"}} for number in range(4)]
    taking = [asyncio.create_task(sockets.take_message("page", one)) for one in sent]
    while not visits.looks:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)  # time enough for those behind to overtake
    visits.may_go_on.set()
    answers = await asyncio.gather(*taking)
    assert [answer["ok"] for answer in answers] == [True] * 4
    assert bot.taken == [one["message"]["output"] for one in sent]
