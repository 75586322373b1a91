"""Every conversation that people are needed in, kept as the log has it: what changed is read, in any process."""

import asyncio
from collections.abc import Mapping, Sequence

from bot.desk.cases import Case, begin_case
from bot.domain import AgentId, Conversation, ConversationId, Holder
from bot.log import ConversationLog

PAGE = 1000
MOST = 1000
"""Conversations of each holder that the desk looks at."""


class Board:
    """The open cases. `refresh` reads what changed; `changed` is set once at the next change and then replaced."""

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self.cases: dict[ConversationId, Case] = {}
        self.changed = asyncio.Event()
        self._told: dict[ConversationId, int] = {}
        """Up to which entry each change was told; who reads a case in between tells nobody."""
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> Sequence[Case]:
        """Read what changed; returns the changed cases, also those that people have no more. Raises LogUnavailable."""
        async with self._refreshing:
            held = {
                conversation.id: conversation
                for holder in (Holder.QUEUE, Holder.AGENT)
                for conversation in await self._log.held(holder, MOST)
            }
            changed = [await self._read(conversation) for conversation in held.values() if self._is_new(conversation)]
            for gone in [case for id, case in self.cases.items() if id not in held]:
                await self._catch_up(gone)
                if gone.holder not in (Holder.QUEUE, Holder.AGENT):
                    del self.cases[gone.id]
                    self._told.pop(gone.id, None)
                changed.append(gone)
            self._told |= {case.id: case.last_seq for case in changed if case.id in self.cases}
        if changed:
            self.tell()
        return changed

    async def case(self, conversation: ConversationId) -> Case | None:
        """The case as it is now, also of a conversation that people do not hold; None if there is none."""
        known = self.cases.get(conversation)
        if known is None:
            return await read_case(self._log, conversation)
        await self._catch_up(known)
        return known

    def queue(self) -> list[Case]:
        """Those that wait, in no order."""
        return [case for case in self.cases.values() if case.holder is Holder.QUEUE]

    def of(self, agent: AgentId) -> list[Case]:
        """Those that this agent holds, the first claimed first."""
        mine = [case for case in self.cases.values() if case.holder is Holder.AGENT and case.agent == agent]
        return sorted(mine, key=lambda case: case.record.claimed.isoformat() if case.record and case.record.claimed else "")

    def load(self) -> Mapping[AgentId, int]:
        """How many conversations each agent holds."""
        load: dict[AgentId, int] = {}
        for case in self.cases.values():
            if case.holder is Holder.AGENT and case.agent:
                load[case.agent] = load.get(case.agent, 0) + 1
        return load

    def tell(self) -> None:
        """Wake those who look at the board."""
        self.changed.set()
        self.changed = asyncio.Event()

    def _is_new(self, conversation: Conversation) -> bool:
        return self._told.get(conversation.id, 0) < conversation.last_seq

    async def _read(self, conversation: Conversation) -> Case:
        case = self.cases.setdefault(conversation.id, begin_case(conversation))
        await self._catch_up(case)
        return case

    async def _catch_up(self, case: Case) -> None:
        await catch_up(self._log, case)


async def read_case(log: ConversationLog, conversation: ConversationId) -> Case | None:
    """The case of any conversation as it is now; None if there is none."""
    found = await log.conversation(conversation)
    if found is None:
        return None
    case = begin_case(found)
    await catch_up(log, case)
    return case


async def catch_up(log: ConversationLog, case: Case) -> None:
    """Read what the case has not seen yet."""
    page: Sequence[object] = range(PAGE)
    while len(page) == PAGE:
        entries = await log.after(case.id, case.last_seq, PAGE)
        for entry in entries:
            case.add(entry)
        page = entries
