"""What the desk does by itself, in every process at once: honest notices, offers, lost agents, records.

Whatever is done twice is done once: an entry has the client id of what it is about, an offer its round, a record its key.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.desk import words
from bot.desk.board import Board
from bot.desk.cases import AGENT_BACK, AGENT_LOST, Case
from bot.desk.hours import Hours, say_opening
from bot.desk.offering import next_offer, order
from bot.desk.policy import Policy
from bot.desk.telling import deliveries
from bot.domain import AgentId, ClientId, ConversationId, Draft, Entry, Held, Holder, Kind, Reason, Speaker
from bot.ending import end
from bot.errors import ClientIdReused, FrontdeskError, HolderChanged
from bot.log import ConversationLog
from bot.roster import EscalationRecord, Offer, Presence, Roster, State
from bot.staff import Agent, Staff

LOST_SECONDS = 6.0
"""An agent whose page gave no sign for so long is away; their customers are told at the next look."""
REQUEUE_SECONDS = 45.0
"""After so long their chats go back to the queue."""
MOST_RECORDED = 5000
"""Records remembered so that they are not written again; forgetting them costs a write."""
PASSED_SECONDS = 60.0
"""An agent who passed is not offered the same chat again for so long."""
LOOK_SECONDS = 0.3
GATHER_SECONDS = 0.02
"""What comes within so long is looked at together."""
DUTY_SECONDS = 1.0

logger = logging.getLogger(__name__)
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """An agent's last sign of life as this process saw it; the first one seen may be old, so it is not fresh."""

    beat: int
    at: float
    is_fresh: bool


class Watch:
    """Looks at the board again and again and does what is due. `now` are seconds of a clock that never jumps."""

    def __init__(self, log: ConversationLog, board: Board, roster: Roster, staff: Staff, policy: Policy) -> None:
        self._log, self._board, self._roster, self._staff, self._policy = log, board, roster, staff, policy
        self._hours = Hours(policy)
        self._wake = asyncio.Event()
        self._signs: dict[AgentId, Sign] = {}
        self._passed: dict[tuple[ConversationId, AgentId], float] = {}
        self._recorded: dict[tuple[ConversationId, int], EscalationRecord] = {}
        self._offered: dict[ConversationId, tuple[int, int, float]] = {}
        self._told: set[tuple[ConversationId, str]] = set()
        self._lost: dict[tuple[ConversationId, AgentId], int] = {}
        self._task: asyncio.Task[None] | None = None
        self.targets: Sequence[str] = ()
        self.on_taken: Callable[[ConversationId], None] = lambda _: None
        """Told of each conversation that a person has, in whichever process they took it."""
        self.agents: dict[AgentId, Agent] = {}
        self.presences: dict[AgentId, Presence] = {}
        self.offers: dict[ConversationId, Offer] = {}
        self.now: Clock = time.monotonic
        self.moment: Callable[[], datetime] = lambda: datetime.now(UTC)

    def wake(self) -> None:
        """Something changed: look at once. The seam for wake-ups of other processes."""
        self._wake.set()

    def hear(self, entry: Entry) -> None:
        """An entry that this process committed: look at once if it is the desk's."""
        if "holder" in entry.data or entry.conversation in self._board.cases:
            self._wake.set()

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more."""
        await end(self._task)

    def is_here(self, agent: AgentId) -> bool:
        """Whether a page of the agent's gave a sign lately."""
        sign = self._signs.get(agent)
        return sign is not None and sign.is_fresh and self.now() - sign.at < LOST_SECONDS

    def state(self, agent: AgentId) -> State:
        """The agent's state; away without a page."""
        presence = self.presences.get(agent)
        return presence.state if presence and self.is_here(agent) else State.AWAY

    def expires_in(self, offer: Offer) -> float:
        """Seconds that are left of an offer."""
        _, _, since = self._offered.get(offer.conversation, (0, 0, self.now()))
        return max(0.0, since + self._policy.offers.seconds - self.now())

    def has_passed(self, conversation: ConversationId, agent: AgentId) -> bool:
        """Whether the agent does not want this one, for now."""
        return self.now() < self._passed.get((conversation, agent), 0.0)

    def ordered(self) -> list[Case]:
        """The queue, the most urgent first."""
        return order(self._board.queue(), self._policy)

    async def pass_by(self, agent: AgentId, conversation: ConversationId) -> None:
        """The agent does not take what was offered: it goes to the next at once."""
        offer = self.offers.get(conversation)
        if offer and offer.agent == agent:
            self._passed[conversation, agent] = self.now() + PASSED_SECONDS
            await self._offer(self._board.cases.get(conversation))
            self._board.tell()

    async def look(self) -> None:
        """One look: read what changed and do what is due. Raises LogUnavailable."""
        changed = await self._board.refresh()
        for case in changed:
            if case.holder is Holder.AGENT:
                self.on_taken(case.id)
        await self._record(changed)

    async def do_duties(self) -> None:
        """One round of what is due. Raises LogUnavailable."""
        await self.read_people()
        for place, case in enumerate(self.ordered(), 1):
            await self._tell_wait(case, place)
            await self._offer(case)
        await self._withdraw()
        for case in [case for case in self._board.cases.values() if case.holder is Holder.AGENT]:
            await self._see_after(case)

    async def _run(self) -> None:
        last = 0.0
        is_recovered = False
        while True:
            try:
                if not is_recovered:
                    await self.recover()
                    is_recovered = True
                await self.look()
                if self.now() - last >= DUTY_SECONDS:
                    last = self.now()
                    await self.do_duties()
            except FrontdeskError as failure:
                logger.warning("the desk waits for its store: %s", failure)
                await asyncio.sleep(DUTY_SECONDS)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
                await asyncio.sleep(GATHER_SECONDS)
            except TimeoutError:
                pass
            self._wake.clear()

    async def read_people(self) -> None:
        """Who is on, as they said last, and what is offered to whom. Raises LogUnavailable."""
        states = {agent: self.state(agent) for agent in self.agents}
        self.agents = {agent.id: agent for agent in await self._staff.agents()}
        self.presences = {presence.agent: presence for presence in await self._roster.presences()}
        for agent, presence in self.presences.items():
            before = self._signs.get(agent)
            if before is None or presence.beat != before.beat:
                self._signs[agent] = Sign(beat=presence.beat, at=self.now(), is_fresh=before is not None)
        offers = {offer.conversation: offer for offer in await self._roster.offers()}
        for offer in offers.values():
            if self._offered.get(offer.conversation, (0, 0, 0.0))[:2] != (offer.queued, offer.round):
                self._offered[offer.conversation] = (offer.queued, offer.round, self.now())
        if offers != self.offers or states != {agent: self.state(agent) for agent in self.agents}:
            self.offers = offers
            self._board.tell()

    # -- the customer is told the truth

    async def _tell_wait(self, case: Case, place: int) -> None:
        record = case.record
        if record and record.claimed is None:
            key = f"desk-wait-{record.seq}"
            if (case.id, key) not in self._told:
                is_open = self._hours.is_open(self.moment())
                await self._tell(case, key, await self._wait_words(case, place), "wait", closed=not is_open)

    async def _wait_words(self, case: Case, place: int) -> str:
        now = self.moment()
        if not self._hours.is_open(now):
            opening = self._hours.next_opening(now)
            when = say_opening(opening, now) if opening else ""
            if case.reason == Reason.CRISIS:
                return words.URGENT_OUT_OF_HOURS.format(opening=when or "the next opening")
            return words.OUT_OF_HOURS.format(opening=when) if when else words.NO_OPENING
        if not any(self.state(agent) is State.AVAILABLE for agent in self.agents):
            return f"{words.ALL_BUSY} {words.PLACE_KEPT}"
        first = words.NEXT if place == 1 else words.PLACE.format(place=place)
        return " ".join(filter(None, (first, await self._range_words(now), words.STAY)))

    async def _range_words(self, now: datetime) -> str:
        policy = self._policy.waits
        waits = list(await self._roster.waits(now - timedelta(hours=policy.hours), policy.most))
        if len(waits) < policy.fewest:
            return ""
        low, high = words.percentile(waits, 0.2), words.percentile(waits, 0.9)
        return words.WAIT.format(range=words.say_range(low, high))

    async def _tell(
        self, case: Case, key: str, text: str, notice: str, moves_to: Held | None = None, **data: object
    ) -> None:
        """A notice that is given once, whichever process is first, and only while nothing has changed hands."""
        self._told.add((case.id, key))
        try:
            await self._log.append(
                Draft(
                    conversation=case.id,
                    speaker=Speaker.SYSTEM,
                    kind=Kind.NOTICE,
                    text=text,
                    data={"notice": notice, **data},
                    client_id=ClientId(key),
                    only_if=Held(holder=case.holder, agent=case.agent),
                    moves_to=moves_to,
                )
            )
        except (ClientIdReused, HolderChanged):
            return
        self.wake()

    # -- offers

    async def _offer(self, case: Case | None) -> None:
        if case is None or self._policy.offers.mode == "pull":
            return
        before = self.offers.get(case.id)
        if before and before.queued == case.queued and self._stands(before):
            return
        free = [agent for agent in self._free() if not self.has_passed(case.id, agent.id)]
        made = next_offer(case, before, free, self._policy)
        if made and await self._roster.offer(made):
            self.offers[case.id] = made
            self._offered[case.id] = (made.queued, made.round, self.now())
            self._board.tell()

    def _stands(self, offer: Offer) -> bool:
        can = any(offer.agent == free.id for free in self._free())
        return can and self.expires_in(offer) > 0 and not self.has_passed(offer.conversation, offer.agent)

    def _free(self) -> list[Agent]:
        """Agents who can take a chat, the longest idle first."""
        load, offered = self._board.load(), {offer.agent for offer in self.offers.values()}
        free = [
            agent
            for agent in self.agents.values()
            if not agent.disabled and self.state(agent.id) is State.AVAILABLE and load.get(agent.id, 0) < agent.capacity
        ]
        latest = {agent.id: self._idle_since(agent.id) for agent in free}
        return sorted(free, key=lambda agent: (agent.id in offered, load.get(agent.id, 0), latest[agent.id], agent.id))

    def _idle_since(self, agent: AgentId) -> datetime:
        """When the agent last took a chat they still have, or came on."""
        claims = [case.record.claimed for case in self._board.of(agent) if case.record and case.record.claimed]
        presence = self.presences.get(agent)
        return max([*claims, presence.since if presence else self.moment()])

    async def _withdraw(self) -> None:
        waiting = {case.id for case in self._board.queue()}
        gone = [conversation for conversation in self.offers if conversation not in waiting]
        if gone:
            await self._roster.withdraw(gone)
            for conversation in gone:
                self.offers.pop(conversation, None)
                self._offered.pop(conversation, None)
            self._board.tell()
        self._told = {told for told in self._told if told[0] in self._board.cases}

    # -- lost agents

    async def _see_after(self, case: Case) -> None:
        agent = self.agents.get(case.agent) if case.agent else None
        if agent is None:
            return
        sign = self._signs.setdefault(agent.id, Sign(beat=0, at=self.now(), is_fresh=False))
        lost = (case.id, agent.id)
        if self.is_here(agent.id):
            if (was := self._lost.pop(lost, None)) is not None:
                key = f"desk-back-{agent.id}-{case.queued}-{was}"
                await self._tell(case, key, words.BACK.format(agent=agent.name), AGENT_BACK)
            return
        silent = self.now() - sign.at
        if silent >= LOST_SECONDS and lost not in self._lost:
            self._lost[lost] = sign.beat
            key = f"desk-lost-{agent.id}-{case.queued}-{sign.beat}"
            await self._tell(case, key, words.LOST.format(agent=agent.name), AGENT_LOST)
        elif silent >= REQUEUE_SECONDS:
            del self._lost[lost]
            await self._requeue(case, agent, sign.beat)

    async def _requeue(self, case: Case, agent: Agent, beat: int) -> None:
        text = words.REQUEUED.format(agent=agent.name)
        queue = Held(holder=Holder.QUEUE)
        await self._tell(case, f"desk-requeue-{agent.id}-{case.queued}-{beat}", text, "requeued", queue, front=True)

    # -- records

    async def recover(self) -> None:
        """Finish the records of conversations that ended while no process looked. Raises LogUnavailable."""
        for record in await self._roster.open_records():
            case = await self._board.case(record.conversation)
            if case and case.record is None:
                await self._record([case])

    async def record_rating(self, case: Case) -> None:
        """Keep what the customer thinks of a time with people. Raises LogUnavailable."""
        await self._record([case])

    async def _record(self, changed: Sequence[Case]) -> None:
        records = [record for case in changed for record in case.records[-2:]]
        new = [one for one in records if self._recorded.get((one.conversation, one.seq)) != one]
        if not new:
            return
        await self._roster.record(new)
        if self.targets:
            await self._roster.owe(deliveries(new, self.targets), self.moment())
        for one in new:
            self._recorded[one.conversation, one.seq] = one
        if len(self._recorded) > MOST_RECORDED:
            self._recorded.clear()
