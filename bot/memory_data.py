"""Session memories as personal data: erased with their customer. They hold nothing that the log does not tell."""

from collections.abc import Mapping
from typing import Any

from bot.domain import CustomerId
from bot.log import ConversationLog
from bot.memory import SessionMemory

_PAGE = 200


class MemoryData:
    """The PersonalData of a session memory. Erase it before the log, which then no longer knows whose they are."""

    name = "memory"

    def __init__(self, memory: SessionMemory, log: ConversationLog) -> None:
        self._memory, self._log = memory, log

    async def export(self, customer: CustomerId) -> Mapping[str, Any]:
        """Nothing of its own: it repeats the conversations, which are told with the log."""
        return {}

    async def erase(self, customer: CustomerId) -> Mapping[str, int]:
        """Forget the customer's conversations. Those on a server that is away (`left`) end with SESSION_TIMEOUT."""
        erased, left = 0, 0
        while page := await self._log.conversations(customer, _PAGE, erased + left):
            for conversation in page:
                if await self._memory.forget(conversation.id):
                    erased += 1
                else:
                    left += 1
        if erased and not await self._memory.scrub():
            erased, left = 0, left + erased
        return {"memories": erased, "left": left}
