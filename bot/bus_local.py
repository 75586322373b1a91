"""The bus of one process: for tests, where no server can start, and what every process falls back on meanwhile."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from bot.bus import LEASE_SECONDS, Lease, Wake
from bot.domain import ConversationId

_WAITING = 1000
"""Wake-ups kept for a slow listener; beyond them it is told to look at everything."""
_PRUNED = 10_000
"""Counters after which those whose time is over are cleared away."""


class LocalBus:
    """A Bus within one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._token = 0
        self._leases: dict[ConversationId, tuple[int, float]] = {}
        self._rooms: dict[str, dict[str, float]] = {}
        self._counts: dict[str, tuple[int, float]] = {}
        self._listeners: set[asyncio.Queue[Wake | None]] = set()
        self._is_closed = False

    async def acquire(self, conversation: ConversationId, seconds: float = LEASE_SECONDS) -> Lease | None:
        """See Bus."""
        now = self._clock()
        if self._leases.get(conversation, (0, 0.0))[1] > now:
            return None
        self._token = max(self._token + 1, time.time_ns() // 1000)  # above those that a server gave
        self._leases[conversation] = self._token, now + seconds
        return Lease(conversation=conversation, token=self._token, was_ours=True, is_shared=False)

    async def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> bool:
        """See Bus."""
        token, until = self._leases.get(lease.conversation, (0, 0.0))
        if token != lease.token or until <= self._clock():
            return False
        self._leases[lease.conversation] = token, self._clock() + seconds
        return True

    async def release(self, lease: Lease) -> None:
        """See Bus."""
        if self._leases.get(lease.conversation, (0, 0.0))[0] == lease.token:
            del self._leases[lease.conversation]

    async def appear(self, room: str, who: str, seconds: float) -> None:
        """See Bus."""
        self._rooms.setdefault(room, {})[who] = self._clock() + seconds

    async def leave(self, room: str, who: str) -> None:
        """See Bus."""
        seen = self._rooms.get(room, {})
        seen.pop(who, None)
        if not seen:
            self._rooms.pop(room, None)

    async def present(self, room: str) -> Sequence[str]:
        """See Bus."""
        now = self._clock()
        seen = {who: until for who, until in self._rooms.get(room, {}).items() if until > now}
        if room in self._rooms:
            self._rooms[room] = seen
        return sorted(seen)

    async def count(self, name: str, seconds: float) -> int:
        """See Bus."""
        now = self._clock()
        if len(self._counts) > _PRUNED:
            self._counts = {each: held for each, held in self._counts.items() if held[1] > now}
        number, until = self._counts.get(name, (0, 0.0))
        if until <= now:
            number, until = 0, now + seconds
        self._counts[name] = number + 1, until
        return number + 1

    async def wake(self, conversation: ConversationId, seq: int, typing: str = "") -> None:
        """See Bus."""
        self.tell(Wake(conversation=conversation, seq=seq, typing=typing))

    def tell(self, wake: Wake) -> None:
        """Tell every listener of this process."""
        for listener in self._listeners:
            if listener.qsize() >= _WAITING:
                while not listener.empty():
                    listener.get_nowait()
                listener.put_nowait(Wake(conversation=None))
            listener.put_nowait(wake)

    async def listen(self) -> AsyncGenerator[Wake, None]:
        """See Bus."""
        told: asyncio.Queue[Wake | None] = asyncio.Queue()
        self._listeners.add(told)
        try:
            while not self._is_closed and (wake := await told.get()) is not None:
                yield wake
        finally:
            self._listeners.discard(told)

    async def close(self) -> None:
        """See Bus."""
        self._is_closed = True
        for listener in self._listeners:
            listener.put_nowait(None)
