import asyncio
from collections.abc import Callable
from typing import Any

from bot.domain import ConversationId
from bot.live import Live
from bot.webchat.unfinished import Unfinished

C = ConversationId("c")


class SlowPage:
    """A page that takes an event only when it is told to."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.taken: list[str] = []
        self.most = 0
        self._under_way = 0
        self.free = asyncio.Event()

    async def send(self, event: str, data: Any) -> None:
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        await self.free.wait()
        self._under_way -= 1
        self.taken.append(event)
        if event == "delete_message":
            self.shown.pop(data["id"], None)
        else:
            self.shown[data["id"]] = data["output"]


def watched(live: Live) -> tuple[SlowPage, Unfinished]:
    page = SlowPage()
    unfinished = Unfinished(C, "Larkfield assistant", page.send)
    unfinished.unwatch = live.watch(C, unfinished.hear)
    return page, unfinished


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  a moment of the loop, no clock
            await asyncio.sleep(0)


async def test_a_slow_page_gets_the_latest_text_and_one_event_at_a_time() -> None:
    live = Live()
    page, _ = watched(live)
    for text in ("One.", "One. Two.", "One. Two. Three."):
        live.show(C, 1, text)
        await asyncio.sleep(0)
    page.free.set()
    await until(lambda: page.shown == {"writing-c-1": "One. Two. Three."})
    assert page.most == 1
    assert page.taken.count("new_message") == 2


async def test_text_that_is_withdrawn_is_replaced() -> None:
    live = Live()
    page, _ = watched(live)
    page.free.set()
    live.show(C, 1, "There is a fee. It is £7.50.")
    await until(lambda: bool(page.shown))
    live.show(C, 1, "There is no fee.")
    await until(lambda: page.shown == {"writing-c-1": "There is no fee."})


async def test_nothing_of_a_settled_reply_is_shown_again() -> None:
    live = Live()
    page, unfinished = watched(live)
    live.show(C, 1, "One.")
    await until(lambda: page.most == 1)
    live.show(C, 1, "One. Two.")
    unfinished.settle(1)
    page.free.set()
    await unfinished.remove()
    live.show(C, 1, "Late.")
    live.show(C, 3, "Of the next.")
    await until(lambda: page.shown == {"writing-c-3": "Of the next."})
    assert page.taken == ["delete_message", "new_message", "delete_message", "delete_message", "new_message"]


async def test_a_page_that_is_gone_is_told_nothing_and_leaves_nothing() -> None:
    live = Live()
    page, unfinished = watched(live)
    live.show(C, 1, "One.")
    await until(lambda: page.most == 1)
    unfinished.stop()
    live.show(C, 1, "One. Two.")
    live.end(C)
    page.free.set()
    await asyncio.sleep(0)
    assert page.shown == {}
    assert len(live) == 0
