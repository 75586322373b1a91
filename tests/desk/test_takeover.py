"""A person takes over while the assistant writes: what was being written is cut, settled by nobody, and never shown."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from bot.between import Between
from bot.desk.board import Board
from bot.desk.desk import Desk
from bot.desk.offering import is_live
from bot.desk.policy import read_policy
from bot.desk.watch import Watch
from bot.domain import ConversationId, Speaker
from bot.llm.scripted import ScriptedLLM
from bot.llm.stream import Text
from bot.sql.desk import SqlRoster
from bot.sql.log import open_log
from bot.sql.staff import SqlStaff
from bot.sql.store import Store, open_store
from bot.state import State
from tests.bot.test_writer import ANN, GOOD, Chat, says
from tests.desk.people import CHAT, ZOE

NEVER = 3600.0
"""Seconds that the model falls silent for, in the middle of its reply: nothing but a cut ends them here."""
FIRST = GOOD.split("[1] ")[0]
PATIENCE = dict.fromkeys(("llm_patience_seconds", "llm_first_token_seconds", "llm_between_tokens_seconds"), 580)


class Taken:
    """A bot that writes, and the desks of two processes on its log; only the first one's tells the bot what was taken."""

    def __init__(self, store: Store) -> None:
        half, rest = GOOD[: len(FIRST) + 12], GOOD[len(FIRST) + 12 :]
        halves = [*(Text(text=sign) for sign in half), NEVER, *says(rest)]
        self.model = ScriptedLLM([halves])
        self.chat = Chat(self.model, turn_seconds=600, **PATIENCE)
        self.bot = self.chat.bot
        self.log, self.staff = self.bot.log, SqlStaff(store)
        self.desk = Desk(self.log, self.staff, read_policy())
        self.watch = Watch(self.log, Board(self.log), SqlRoster(store), self.staff, read_policy())
        self.watch.on_taken = self.bot.cut
        self.id = ConversationId(str(uuid4()))
        self.shown: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self.bot.live.watch(self.id, lambda answers, text: self.shown.put_nowait((answers, text)))

    async def until_shown(self) -> str:
        """What the customer reads while the reply is being written."""
        async with asyncio.timeout(60):
            return (await self.shown.get())[1]

    async def until_idle(self) -> None:
        """No turn of the conversation is under way."""
        async with asyncio.timeout(60):
            while working := self.bot._dispatch._workers.get(self.id):
                await asyncio.wait({working})


@pytest.fixture
async def taken(tmp_path) -> AsyncIterator[Taken]:
    store = open_store(None, tmp_path)
    made = Taken(store)
    yield made
    await made.bot.close()
    await store.close()


async def test_the_reply_in_flight_is_cut_and_leaves_no_word(taken: Taken):
    await taken.bot.accept(taken.id, ANN, "what is the late fee?")
    assert "£7.50" in await taken.until_shown()
    await taken.desk.claim(ZOE, taken.id)
    await taken.watch.look()
    await taken.until_idle()
    entries = await taken.log.after(taken.id)
    assert [entry.data.get("notice") for entry in entries] == [None, "joined"]
    assert taken.shown.empty()
    assert taken.bot.live._now == {}


async def test_what_the_customer_writes_to_the_person_starts_no_turn(taken: Taken):
    await taken.bot.accept(taken.id, ANN, "what is the late fee?")
    await taken.until_shown()
    await taken.bot.accept(taken.id, ANN, "and can I pay by card?")
    await taken.desk.claim(ZOE, taken.id)
    await taken.watch.look()
    await taken.until_idle()
    await taken.bot.accept(taken.id, ANN, "hello Zoe")
    await taken.until_idle()
    assert len(taken.model.requests) == 1
    assert Speaker.BOT not in {entry.speaker for entry in await taken.log.after(taken.id)}


async def test_after_handing_back_the_assistant_answers_the_next_message(taken: Taken):
    await taken.bot.accept(taken.id, ANN, "what is the late fee?")
    await taken.until_shown()
    await taken.desk.claim(ZOE, taken.id)
    await taken.watch.look()
    await taken.desk.hand_back(ZOE, taken.id)
    await taken.bot.accept(taken.id, ANN, "what is the late fee?")
    assert "£7.50" in await taken.until_shown()


async def test_who_types_in_one_process_is_shown_by_another(tmp_path):
    state, log = State("process"), open_log(None, tmp_path)
    here, there = Between(state, log), Between(state, log)
    shown: asyncio.Queue[tuple[ConversationId, str]] = asyncio.Queue()
    there.typing_listeners.append(lambda chat, name: shown.put_nowait((chat, name)))
    there.start()
    await asyncio.sleep(0)  # it listens from its first step on
    try:
        async with asyncio.timeout(60):
            here.tell_typing(CHAT, "Zoe")
            assert await shown.get() == (CHAT, "Zoe")
    finally:
        await here.close()
        await there.close()
        await log.close()


async def test_a_chat_of_the_assistants_is_the_staffs_to_read_while_it_goes_on(taken: Taken):
    asked = await taken.bot.accept(taken.id, ANN, "what is the late fee?")
    case = await Board(taken.log).case(taken.id)
    assert case is not None
    policy = read_policy()
    never = policy.model_copy(update={"live_minutes": 0})
    assert is_live(case, policy, asked.at)
    assert not is_live(case, policy, asked.at.replace(year=asked.at.year + 1))
    assert not is_live(case, never, asked.at)
