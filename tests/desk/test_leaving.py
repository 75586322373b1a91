"""An agent who leaves for good: their chats are first in the queue, and a failure in between leaves nobody with one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.desk.desk import Desk
from bot.desk.leaving import dismiss
from bot.desk.policy import read_policy
from bot.domain import ConversationId, Holder
from bot.errors import LogUnavailable
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from tests.desk.people import MAX, QUEUE, ZOE, ask, escalate, held_by

CHATS = [ConversationId(f"chat-{number}") for number in range(3)]


@pytest.fixture
async def staff(tmp_path: Path) -> AsyncIterator[SqlStaff]:
    store = open_store(None, tmp_path)
    staff = SqlStaff(store)
    for agent in (ZOE, MAX):
        await staff.add(agent)
    yield staff
    await store.close()


@pytest.fixture
async def desk(log, staff: SqlStaff) -> Desk:
    desk = Desk(log, staff, read_policy())
    for chat in CHATS:
        await escalate(log, chat=chat)
        await desk.claim(ZOE, chat)
    await escalate(log, chat=ConversationId("others"))
    await desk.claim(MAX, ConversationId("others"))
    return desk


async def test_the_chats_of_who_leaves_are_first_in_the_queue_and_nobody_elses_move(
    log, desk: Desk, staff: SqlStaff
) -> None:
    await ask(log, "are you there?", CHATS[0])
    assert await dismiss(ZOE, log, desk, staff) == 3
    assert [agent.id for agent in await staff.agents()] == [MAX.id]
    for chat in CHATS:
        assert (await log.conversation(chat)).held == QUEUE
        last = (await log.after(chat))[-1]
        assert (last.data["notice"], last.data["front"]) == ("passed_on", True)
    assert (await log.conversation(ConversationId("others"))).held == held_by(MAX)
    assert await dismiss(ZOE, log, desk, staff) == 0


async def test_a_store_that_fails_at_once_changes_nothing(log, desk: Desk, staff: SqlStaff, monkeypatch) -> None:
    async def fails() -> None:
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(log, "check", fails)
    with pytest.raises(LogUnavailable):
        await dismiss(ZOE, log, desk, staff)
    assert await staff.agent(ZOE.id) == ZOE
    assert len(await log.held(Holder.AGENT)) == 4


async def test_a_failure_in_between_leaves_an_account_that_can_do_nothing_and_the_next_time_ends_it(
    log, desk: Desk, staff: SqlStaff, monkeypatch
) -> None:
    append, appended = log.append, []

    async def fails_at_the_second(draft):
        appended.append(draft)
        if len(appended) == 2:
            raise LogUnavailable("the disk is full")
        return await append(draft)

    monkeypatch.setattr(log, "append", fails_at_the_second)
    with pytest.raises(LogUnavailable):
        await dismiss(ZOE, log, desk, staff)
    left = await staff.agent(ZOE.id)
    assert left == replace(ZOE, disabled=True, epoch=ZOE.epoch + 1), "it is there for the watch, and can do nothing"
    assert sorted(held.agent for held in await log.held(Holder.AGENT)) == [MAX.id, ZOE.id, ZOE.id]
    assert await dismiss(left, log, desk, staff) == 2
    assert await staff.agent(ZOE.id) is None
