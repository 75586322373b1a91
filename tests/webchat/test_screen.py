import asyncio
from dataclasses import replace

import pytest

from bot.bot import Bot
from bot.domain import Conversation, ConversationId, CustomerId, Draft, Holder, Kind, Speaker
from bot.errors import LogUnavailable
from bot.log_memory import MemoryLog
from bot.settings import Settings
from bot.webchat import screen
from bot.webchat.screen import Screen
from bot.webchat.sessions import View

C, ANNA = ConversationId("c"), CustomerId("anna")


class OddLog(MemoryLog):
    """A log whose conversations somebody else holds, and which cannot be followed at first."""

    holder = Holder.BOT
    broken = False

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        self.asked.set()
        if self.broken:
            self.broken = False
            raise LogUnavailable("locked")
        found = await super().conversation(conversation)
        return replace(found, holder=self.holder) if found else None


class Events:
    """What was sent to the page."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.came = asyncio.Event()

    async def send(self, event: str, data: object, sid: str) -> None:
        self.names.append(event)
        self.came.set()

    async def wait_for(self, name: str) -> None:
        async with asyncio.timeout(60):
            while name not in self.names:
                self.came.clear()
                await self.came.wait()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(screen, "RETRY_SECONDS", 0.01)


async def say(log: OddLog, text: str, answers: int | None = None) -> None:
    speaker = Speaker.CUSTOMER if answers is None else Speaker.AGENT
    await log.append(Draft(conversation=C, speaker=speaker, kind=Kind.MESSAGE, text=text, answers=answers))


async def open_page(log: OddLog) -> tuple[View, Events, Screen]:
    await log.open(C, ANNA)
    events = Events()
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    shown = Screen(Bot(settings=settings, log=log, search=None), events.send)  # type: ignore[arg-type]
    return View(session="s", sid="1", customer=ANNA, conversation=C), events, shown


async def test_a_question_to_the_bot_shows_that_it_is_at_work() -> None:
    log = OddLog()
    view, events, shown = await open_page(log)
    shown.follow(view)
    await say(log, "hello")
    await events.wait_for("task_start")
    view.rest()


async def test_a_quick_reply_shows_no_sign_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PATIENCE_SECONDS", 3600.0)
    log = OddLog()
    view, events, shown = await open_page(log)
    shown.follow(view)
    await say(log, "hello")
    await say(log, "hello yourself", answers=1)
    async with asyncio.timeout(60):
        while events.names.count("new_message") < 2 or view.patience:  # noqa: ASYNC110  a moment of the loop, no clock
            await asyncio.sleep(0)
    assert "task_start" not in events.names
    view.rest()


async def test_a_question_to_a_person_leaves_the_box_free() -> None:
    log = OddLog()
    log.holder = Holder.AGENT
    view, events, shown = await open_page(log)
    shown.follow(view)
    await say(log, "hello")
    await events.wait_for("new_message")
    assert view.patience is not None
    async with asyncio.timeout(60):
        await log.asked.wait()
        assert view.sign is not None
        await view.sign
    assert events.names == ["new_message"]
    view.rest()


async def test_a_log_that_is_away_is_tried_again_until_the_page_shows_everything() -> None:
    log = OddLog()
    view, events, shown = await open_page(log)
    await say(log, "hello")
    log.broken = True
    shown.open(view)
    await events.wait_for("resume_thread")
    await say(log, "hello yourself", answers=1)
    await events.wait_for("new_message")
    view.rest()
