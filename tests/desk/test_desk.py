"""The desk, on every log: one wins, nothing is lost, and who does not have a chat changes nothing in it."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.desk.desk import MOST_CHARS, Desk
from bot.desk.policy import read_policy
from bot.domain import ConversationId, Holder, Kind, Speaker
from bot.errors import ClientIdReused, ConversationUnknown, DeskRefused, HolderChanged
from bot.staff import Agent
from tests.desk.people import CHAT, MAX, QUEUE, ZOE, agent, ask, escalate, held_by, reply


class SomeStaff:
    """Accounts in a list."""

    def __init__(self, *agents: Agent) -> None:
        self._agents = agents

    async def add(self, agent: Agent) -> None:
        raise NotImplementedError

    async def change(self, agent: Agent) -> None:
        raise NotImplementedError

    async def agent(self, id: str) -> Agent | None:
        return next((one for one in self._agents if one.id == id), None)

    async def agents(self) -> Sequence[Agent]:
        return self._agents


@pytest.fixture
def desk(log) -> Desk:
    return Desk(log, SomeStaff(ZOE, MAX), read_policy())


async def held(log):
    return (await log.conversation(CHAT)).held


async def test_an_agent_claims_talks_and_gives_back(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    assert await held(log) == held_by(ZOE)
    said = await desk.say(ZOE, CHAT, "Hello, I'm Zoe.", "m1")
    assert (said.speaker, said.data["author"]) == (Speaker.AGENT, "Zoe")
    await desk.hand_back(ZOE, CHAT, "Told her the bill is right.")
    assert (await held(log)).holder is Holder.BOT
    kinds = [(entry.kind, entry.data.get("notice")) for entry in await log.after(CHAT, 2)]
    assert kinds == [
        (Kind.NOTICE, "joined"),
        (Kind.MESSAGE, None),
        (Kind.NOTE, None),
        (Kind.NOTICE, "handed_back"),
    ]


async def test_two_agents_race_and_exactly_one_wins(desk, log):
    for number in range(25):
        chat = ConversationId(f"race-{number}")
        await escalate(log, chat=chat)
        many = [agent(f"agent-{n}", capacity=20) for n in range(4)]
        outcomes = await asyncio.gather(*(desk.claim(one, chat) for one in many), return_exceptions=True)
        refused = [outcome for outcome in outcomes if outcome is not None]
        assert len(refused) == 3
        assert all(isinstance(outcome, DeskRefused) for outcome in refused)
        joined = [entry for entry in await log.after(chat) if entry.data.get("notice") == "joined"]
        assert len(joined) == 1
        assert (await log.conversation(chat)).agent == joined[0].data["agent"]
        await desk.close(next(one for one in many if one.id == joined[0].data["agent"]), chat, "solved")


async def test_a_second_tab_that_claims_the_same_chat_changes_nothing(desk, log):
    await escalate(log)
    await asyncio.gather(desk.claim(ZOE, CHAT), desk.claim(ZOE, CHAT), return_exceptions=True)
    before = await log.after(CHAT)
    await desk.claim(ZOE, CHAT)
    assert await log.after(CHAT) == before


async def test_the_loser_of_a_race_reads_who_has_the_chat(desk, log):
    await escalate(log)
    await desk.claim(MAX, CHAT)
    with pytest.raises(DeskRefused, match="Max has this chat now"):
        await desk.claim(ZOE, CHAT)


async def test_a_closed_chat_cannot_be_claimed(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    await desk.close(ZOE, CHAT, "solved")
    with pytest.raises(DeskRefused, match="closed"):
        await desk.claim(MAX, CHAT)


async def test_no_more_chats_than_the_capacity(desk, log):
    small = agent("small", capacity=1)
    await escalate(log)
    await escalate(log, chat=ConversationId("other"))
    await desk.claim(small, CHAT)
    with pytest.raises(DeskRefused, match="1 of 1"):
        await desk.claim(small, ConversationId("other"))


async def test_the_same_message_twice_is_one_message(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    first = await desk.say(ZOE, CHAT, "Hello", "m1")
    assert await desk.say(ZOE, CHAT, "Hello", "m1") == first
    with pytest.raises(ClientIdReused):
        await desk.say(ZOE, CHAT, "Something else", "m1")


async def test_a_repeat_of_a_message_is_acknowledged_even_after_the_chat_moved_on(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    first = await desk.say(ZOE, CHAT, "Hello", "m1")
    await desk.hand_back(ZOE, CHAT)
    assert await desk.say(ZOE, CHAT, "Hello", "m1") == first


async def test_a_message_to_a_chat_just_passed_on_is_not_sent_and_says_so(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    await desk.pass_on(ZOE, CHAT, "agent:max")
    before = await log.after(CHAT)
    with pytest.raises(DeskRefused, match="back in the queue"):
        await desk.say(ZOE, CHAT, "One more thing", "m1")
    await desk.claim(MAX, CHAT)
    with pytest.raises(DeskRefused, match=r"Max has this chat now\. What you wrote is kept here"):
        await desk.say(ZOE, CHAT, "One more thing", "m1")
    assert len(await log.after(CHAT)) == len(before) + 1


async def test_a_chat_is_passed_on_to_the_front_with_a_note(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    entry = await desk.pass_on(ZOE, CHAT, "team:billing", "Needs a refund")
    assert await held(log) == QUEUE
    assert (entry.data["team"], entry.data["front"]) == ("billing", True)
    assert [e.text for e in await log.after(CHAT) if e.kind is Kind.NOTE] == ["Needs a refund"]


@pytest.mark.parametrize("to", ["team:nobody", "agent:nobody", "agent:zoe", "max", "team:"])
async def test_a_chat_is_not_passed_on_to_nobody_or_oneself(desk, log, to):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    with pytest.raises(DeskRefused, match="no such"):
        await desk.pass_on(ZOE, CHAT, to)
    assert await held(log) == held_by(ZOE)


async def test_an_outcome_must_be_one_of_the_policys(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    with pytest.raises(DeskRefused, match="how it went"):
        await desk.close(ZOE, CHAT, "brilliant")
    entry = await desk.close(ZOE, CHAT, "solved")
    assert entry.data["outcome"] == "solved"
    assert (await held(log)).holder is Holder.CLOSED


async def test_who_does_not_have_the_chat_ends_nothing_and_leaves_no_note(desk, log):
    await escalate(log)
    await desk.claim(MAX, CHAT)
    before = await log.after(CHAT)
    for act in (
        desk.hand_back(ZOE, CHAT, "note"),
        desk.close(ZOE, CHAT, "solved", "note"),
        desk.pass_on(ZOE, CHAT, "", "note"),
    ):
        with pytest.raises(DeskRefused):
            await act
    assert await log.after(CHAT) == before


async def test_too_long_a_message_is_refused_whole_and_says_the_limit(desk, log):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    with pytest.raises(DeskRefused, match=r"10,000 characters; 8,000"):
        await desk.say(ZOE, CHAT, "x" * 10_000, "m1")
    await desk.say(ZOE, CHAT, "x" * MOST_CHARS, "m2")


@pytest.mark.parametrize("text", ["", "  ", "\u200b", None, 7, "\ud800"])
async def test_nothing_is_not_sent(desk, log, text):
    await escalate(log)
    await desk.claim(ZOE, CHAT)
    with pytest.raises(DeskRefused):
        await desk.say(ZOE, CHAT, text, "m1")


async def test_an_unknown_chat_is_unknown(desk):
    for act in (desk.claim(ZOE, CHAT), desk.note(ZOE, CHAT, "hm"), desk.hand_back(ZOE, CHAT)):
        with pytest.raises(ConversationUnknown):
            await act


async def test_a_reply_of_the_bot_after_the_takeover_is_refused(desk, log):
    for number in range(25):
        chat = ConversationId(f"takeover-{number}")
        asked = await ask(log, "my bill is wrong", chat)
        taking, writing = desk.claim(agent("z", capacity=20), chat), reply(log, asked, "It is right.")
        outcomes = await asyncio.gather(*([taking, writing] if number % 2 else [writing, taking]), return_exceptions=True)
        entries = await log.after(chat)
        taken = next(entry.seq for entry in entries if entry.data.get("notice") == "joined")
        assert not [entry for entry in entries if entry.speaker is Speaker.BOT and entry.seq > taken]
        lost = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert all(isinstance(outcome, HolderChanged) for outcome in lost)
        await desk.hand_back(agent("z"), chat)
