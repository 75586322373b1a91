"""What the desk does by itself, by a clock that the test turns: waits told once, offers, lost agents, records, webhooks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.desk import words
from bot.desk.board import Board
from bot.desk.customer import leave, rate_episode, return_to_bot
from bot.desk.desk import Desk
from bot.desk.policy import Policy, read_policy
from bot.desk.watch import LOST_SECONDS, REQUEUE_SECONDS, Watch
from bot.domain import ConversationId, Holder
from bot.log import ConversationLog
from bot.log_memory import MemoryLog
from bot.roster import EscalationRecord, State
from bot.sql.desk import SqlRoster
from bot.sql.staff import SqlStaff
from bot.sql.store import Store, open_store
from bot.staff import Agent
from tests.desk.people import ANA, CHAT, MAX, QUEUE, ZOE, ask, escalate, held_by

FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def tables(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = request.getfixturevalue("postgres_schema") if request.param == "postgresql" else None
    store = open_store(url, tmp_path)
    yield store
    await store.close()


@dataclass
class Room:
    """One process's desk over a shared store, with a clock of its own."""

    log: ConversationLog
    store: Store
    policy: Policy
    seconds: float = 100.0
    moment: datetime = FRIDAY_NOON
    pages: list[Agent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roster, self.staff = SqlRoster(self.store), SqlStaff(self.store)
        self.board = Board(self.log)
        self.desk = Desk(self.log, self.staff, self.policy)
        self.watch = Watch(self.log, self.board, self.roster, self.staff, self.policy)
        self.watch.now = lambda: self.seconds
        self.watch.moment = lambda: self.moment

    async def arrive(self, *agents: Agent) -> None:
        for agent in agents:
            await self.staff.add(agent)
            await self.roster.set_state(agent.id, State.AVAILABLE)
            self.pages.append(agent)
        await self.tick()

    async def tick(self, seconds: float = 1.0) -> None:
        self.seconds += seconds
        if self.pages:
            await self.roster.beat([agent.id for agent in self.pages])
        await self.watch.look()
        await self.watch.do_duties()
        await self.watch.look()

    async def notices(self, chat: ConversationId = CHAT) -> list[str]:
        return [entry.text for entry in await self.log.after(chat) if entry.data.get("notice") in NOTICES]


NOTICES = ("wait", "agent_lost", "agent_back", "requeued")


@pytest.fixture
async def room(tables: Store) -> Room:
    room = Room(MemoryLog(), tables, read_policy())
    await room.tick()
    return room


async def test_a_customer_is_told_the_place_and_no_number_while_there_are_too_few_waits(room):
    await room.arrive(ZOE)
    await escalate(room.log)
    for _ in range(3):
        await room.tick()
    assert await room.notices() == [f"{words.NEXT} {words.STAY}"]


async def test_the_wait_is_a_range_from_recent_waits(room):
    await room.arrive(ZOE)
    await room.roster.record([past_wait(number, minutes) for number, minutes in enumerate((2, 2, 3, 4, 6, 40))])
    await escalate(room.log)
    await room.tick()
    assert await room.notices() == [f"{words.NEXT} Recently, customers waited 2 to 40 minutes. {words.STAY}"]


def past_wait(number: int, minutes: float, hours_ago: float = 0.5) -> EscalationRecord:
    claimed = FRIDAY_NOON - timedelta(hours=hours_ago)
    return EscalationRecord(
        conversation=ConversationId(f"past-{number}"),
        seq=1,
        customer=ANA,
        reason="asked",
        rule="asked",
        triggered=claimed - timedelta(minutes=minutes),
        claimed=claimed,
        ended=claimed,
    )


async def test_waits_of_yesterday_are_not_recent(room):
    await room.arrive(ZOE)
    await room.roster.record([past_wait(number, 2, hours_ago=24) for number in range(10)])
    await escalate(room.log)
    await room.tick()
    assert await room.notices() == [f"{words.NEXT} {words.STAY}"]


async def test_two_processes_tell_the_wait_once(room, tables):
    other = Room(room.log, tables, room.policy, pages=room.pages)
    await room.arrive(ZOE)
    await escalate(room.log)
    for _ in range(3):
        await room.tick()
        await other.tick()
    assert len(await room.notices()) == 1


async def test_out_of_hours_is_said_plainly(room):
    room.moment = datetime(2026, 11, 20, 22, tzinfo=UTC)
    await room.arrive(ZOE)
    await escalate(room.log)
    await room.tick()
    [told] = await room.notices()
    assert "not at the desk now" in told
    assert "tomorrow at 9:00" in told


async def test_somebody_in_danger_out_of_hours_is_sent_to_the_emergency_numbers(room):
    room.moment = datetime(2026, 11, 20, 22, tzinfo=UTC)
    await escalate(room.log, reason="crisis")
    await room.tick()
    [told] = await room.notices()
    assert "emergency numbers" in told
    assert "Do not wait for us" in told


async def test_nobody_there_is_said_too(room):
    await escalate(room.log)
    await room.tick()
    assert await room.notices() == [f"{words.ALL_BUSY} {words.PLACE_KEPT}"]


async def test_a_chat_is_offered_to_the_longest_idle_and_then_to_the_next(room):
    await room.arrive(ZOE)
    await room.arrive(MAX)
    await escalate(room.log)
    await room.tick()
    assert room.watch.offers[CHAT].agent == ZOE.id
    await room.tick(29)
    assert room.watch.offers[CHAT].agent == ZOE.id
    await room.tick(2)
    assert room.watch.offers[CHAT].agent == MAX.id
    await room.tick(31)
    assert room.watch.offers[CHAT].agent == ZOE.id


async def test_who_passes_is_not_asked_again_at_once(room):
    await room.arrive(ZOE, MAX)
    await escalate(room.log)
    await room.tick()
    first = room.watch.offers[CHAT].agent
    await room.watch.pass_by(first, CHAT)
    second = room.watch.offers[CHAT].agent
    assert {first, second} == {ZOE.id, MAX.id}
    await room.watch.pass_by(second, CHAT)
    await room.tick()
    assert room.watch.has_passed(CHAT, first)
    assert room.watch.has_passed(CHAT, second)


async def test_who_is_busy_full_or_away_is_offered_nothing(room):
    small = Agent(id="small", name="Small", role="agent", password_hash="", capacity=1)
    await room.arrive(ZOE, small)
    await room.roster.set_state(ZOE.id, State.BUSY)
    await escalate(room.log)
    await room.tick()
    assert room.watch.offers[CHAT].agent == "small"
    await room.desk.claim(small, CHAT)
    other = ConversationId("other")
    await escalate(room.log, chat=other)
    await room.tick()
    assert other not in room.watch.offers


async def test_a_chat_goes_to_the_team_that_looks_after_its_intent(room):
    billing = Agent(id="bill", name="Bill", role="agent", password_hash="", teams=("billing",))
    technical = Agent(id="tess", name="Tess", role="agent", password_hash="", teams=("technical",))
    await room.arrive(billing, technical)
    await escalate(room.log, turn={"reading": {"intent": "broadband_fault", "frustration": 0.4}})
    await room.tick()
    assert room.watch.offers[CHAT].agent == "tess"


async def test_whom_a_chat_was_passed_on_to_is_asked_first(room):
    await room.arrive(ZOE, MAX)
    await escalate(room.log)
    await room.desk.claim(ZOE, CHAT)
    await room.desk.pass_on(ZOE, CHAT, "agent:max")
    await room.tick()
    assert room.watch.offers[CHAT].agent == MAX.id


async def test_crisis_comes_first_then_the_front_then_policy_then_waiting_time(room):
    for name, reason in (("late", "asked"), ("legal", "legal"), ("crisis", "crisis"), ("early", "asked")):
        await escalate(room.log, chat=ConversationId(name), reason=reason)
    await room.desk.claim(ZOE, ConversationId("early"))
    await room.desk.pass_on(ZOE, ConversationId("early"), "")
    await room.tick()
    assert [case.id for case in room.watch.ordered()] == ["crisis", "early", "legal", "late"]


async def test_a_lost_agent_is_told_within_10_seconds_and_the_chat_is_first_in_the_queue_within_60(room):
    await room.arrive(ZOE)
    await escalate(room.log)
    await escalate(room.log, chat=ConversationId("other"))
    await room.desk.claim(ZOE, CHAT)
    await room.tick()
    before = len(await room.notices())
    room.pages.clear()
    seconds = 0
    while len(await room.notices()) == before:
        await room.tick()
        seconds += 1
    assert seconds + 2 <= 10  # two seconds between signs of life
    assert (await room.log.conversation(CHAT)).held == held_by(ZOE)
    while (await room.log.conversation(CHAT)).holder is Holder.AGENT:
        await room.tick()
        seconds += 1
    assert seconds + 2 <= 60
    assert (await room.log.conversation(CHAT)).held == QUEUE
    assert [case.id for case in room.watch.ordered()] == [CHAT, "other"]
    assert LOST_SECONDS < REQUEUE_SECONDS


async def test_an_agent_who_comes_back_keeps_the_chat(room):
    await room.arrive(ZOE)
    await escalate(room.log)
    await room.desk.claim(ZOE, CHAT)
    await room.tick()
    room.pages.clear()
    for _ in range(8):
        await room.tick()
    room.pages.append(ZOE)
    for _ in range(60):
        await room.tick()
    assert (await room.notices())[-2:] == [words.LOST.format(agent="Zoe"), words.BACK.format(agent="Zoe")]
    assert (await room.log.conversation(CHAT)).held == held_by(ZOE)


async def test_a_clock_that_jumps_loses_nobody(room):
    await room.arrive(ZOE)
    await escalate(room.log)
    await room.desk.claim(ZOE, CHAT)
    await room.tick()
    before = await room.log.after(CHAT)
    room.moment += timedelta(hours=1)
    await room.tick()
    room.moment -= timedelta(hours=2)
    await room.tick()
    assert await room.log.after(CHAT) == before


async def test_a_restarted_process_gives_agents_time_to_come_back(room, tables):
    await room.arrive(ZOE)
    await escalate(room.log)
    await room.desk.claim(ZOE, CHAT)
    again = Room(room.log, tables, room.policy)
    await again.tick()
    assert again.watch.state(ZOE.id) is State.AWAY
    assert "agent_lost" not in [entry.data.get("notice") for entry in await room.log.after(CHAT)]


async def test_an_escalation_is_recorded_from_trigger_to_rating(room):
    await room.arrive(ZOE)
    entry = await escalate(room.log)
    await room.desk.claim(ZOE, CHAT)
    await room.desk.say(ZOE, CHAT, "Hello", "m1")
    await room.tick()
    [record] = await room.roster.open_records()
    assert (record.seq, record.reason, record.agent) == (entry.seq, "asked", ZOE.id)
    assert record.triggered <= record.claimed <= record.replied
    await room.desk.close(ZOE, CHAT, "solved")
    await room.tick()
    assert await room.roster.open_records() == []
    case = await room.board.case(CHAT)
    await rate_episode(room.log, case, entry.seq, 5, "Kind and quick")
    case = await room.board.case(CHAT)
    assert (case.records[0].outcome, case.records[0].rating) == ("solved", 5)


async def test_what_ended_while_no_process_looked_is_recorded_at_the_next_start(room, tables):
    await escalate(room.log)
    await room.tick()
    await return_to_bot(room.log, await room.log.conversation(CHAT))
    again = Room(room.log, tables, room.policy)
    await again.watch.recover()
    assert await again.roster.open_records() == []


async def test_each_time_with_people_is_a_record_of_its_own(room):
    for _ in range(2):
        await escalate(room.log)
        await return_to_bot(room.log, await room.log.conversation(CHAT))
    case = await room.board.case(CHAT)
    assert [(record.claimed, record.outcome) for record in case.records] == [(None, "handed_back")] * 2


async def test_a_customer_goes_back_to_the_bot_or_leaves_and_an_agent_sees_it_at_once(room):
    await escalate(room.log)
    await room.desk.claim(ZOE, CHAT)
    await room.tick()
    assert [case.id for case in room.board.of(ZOE.id)] == [CHAT]
    await leave(room.log, await room.log.conversation(CHAT))
    await room.tick()
    assert room.board.of(ZOE.id) == []
    assert await leave(room.log, await room.log.conversation(CHAT)) is None


async def test_webhooks_are_owed_each_event_once(room, tables):
    other = Room(room.log, tables, room.policy)
    room.watch.targets = other.watch.targets = ("webhook",)
    await escalate(room.log)
    await room.tick()
    await other.tick()
    await room.desk.claim(ZOE, CHAT)
    await room.tick()
    await other.tick()
    await room.desk.close(ZOE, CHAT, "solved")
    await room.tick()
    later = FRIDAY_NOON + timedelta(minutes=1)
    owed = await room.roster.take_due(later, later + timedelta(minutes=1), 10)
    assert sorted(delivery.body["event"] for delivery in owed) == ["claim", "close", "escalation"]
    assert await other.roster.take_due(later, later + timedelta(minutes=1), 10) == []


async def test_a_change_is_told_also_when_somebody_read_the_chat_before(room):
    await room.arrive(ZOE)
    await escalate(room.log)
    await room.tick()
    await ask(room.log, "are you there?")
    await room.board.case(CHAT)
    changed = room.board.changed
    assert [case.preview for case in await room.board.refresh()] == ["are you there?"]
    assert changed.is_set()
    assert await room.board.refresh() == []


async def test_the_board_reads_only_what_changed(room):
    await escalate(room.log)
    await room.tick()
    await ask(room.log, "are you there?")
    changed = await room.board.refresh()
    assert [(case.id, case.preview) for case in changed] == [(CHAT, "are you there?")]
    assert await room.board.refresh() == []
