"""The bus: how the processes that serve one log keep out of each other's way, and wake each other.

It holds nothing that must not be lost. The log is the truth: it takes one reply per message whatever the bus says, so that a
bus that is away costs order between processes, shared limits and a moment's delay, never a message or a second reply.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.domain import ConversationId
from bot.ending import end

LEASE_SECONDS = 5.0
"""How long a conversation stays held by a process that died."""
_RENEWALS = 3
"""Renewals in the time of a lease, so that a slow one does not lose it."""
_FIRST_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A process's hold on a conversation.

    `token` fences: it is higher than that of every lease before it, also after a flush. `was_ours` says that nobody else
    held the conversation since this process did; else what it remembers of it may be stale. `is_shared` is false for one
    that holds in this process only, because the server was away.
    """

    conversation: ConversationId
    token: int
    was_ours: bool
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Word that a conversation has entries up to `seq`. Without a conversation: word may have been missed, look at all.

    With `typing` it says only that a person of this name types in it.
    """

    conversation: ConversationId | None
    seq: int = 0
    typing: str = ""


class Bus(Protocol):
    """What every bus promises, held by one contract test. No method raises when the server is away; all then act locally."""

    async def acquire(self, conversation: ConversationId, seconds: float = LEASE_SECONDS) -> Lease | None:
        """A lease for so long, or None while somebody else has one."""
        ...

    async def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> bool:
        """Whether the lease still holds, and then for so long from now."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back; nothing happens if it was lost."""
        ...

    async def appear(self, room: str, who: str, seconds: float) -> None:
        """Be seen in the room for so long from now."""
        ...

    async def leave(self, room: str, who: str) -> None:
        """Be seen there no longer."""
        ...

    async def present(self, room: str) -> Sequence[str]:
        """Who is seen in the room now, by name."""
        ...

    async def count(self, name: str, seconds: float) -> int:
        """Add one, and return how many there are in the window of so many seconds that began with the first."""
        ...

    async def wake(self, conversation: ConversationId, seq: int, typing: str = "") -> None:
        """Tell everyone who listens, in every process. Call it after the entry is committed, or when somebody types."""
        ...

    def listen(self) -> AsyncGenerator[Wake, None]:
        """What is told from now on. A wake-up may be missed or come twice; the log is read by sequence number anyway."""
        ...

    async def close(self) -> None:
        """End every `listen` and release what is held."""
        ...


@asynccontextmanager
async def hold(bus: Bus, conversation: ConversationId, seconds: float = LEASE_SECONDS) -> AsyncIterator[Lease]:
    """The conversation for this process alone, once nobody else has it; renewed as long as the block runs."""
    pause = _FIRST_PAUSE_SECONDS
    while (lease := await bus.acquire(conversation, seconds)) is None:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    renewing = asyncio.create_task(_keep(bus, lease, seconds))
    try:
        yield lease
    finally:
        await end(renewing)
        await bus.release(lease)


async def _keep(bus: Bus, lease: Lease, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds / _RENEWALS)
        await bus.renew(lease, seconds)


def place_of(kind: str, id: str) -> str:
    """The name under which something about an id is kept: the id itself, which may be an e-mail address, is not told."""
    return f"{kind}:{hashlib.blake2b(id.encode(errors='surrogatepass'), digest_size=16).hexdigest()}"
