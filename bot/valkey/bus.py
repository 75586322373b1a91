"""The bus over a server that speaks Redis; while it is away, over this process alone."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextvars import Context
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from bot.bus import LEASE_SECONDS, Lease, Wake, place_of
from bot.bus_local import LocalBus
from bot.domain import ConversationId
from bot.ending import end
from bot.errors import StoreUnavailable
from bot.valkey.server import PREFIX, Server

logger = logging.getLogger(__name__)

CHANNEL = f"{PREFIX}wake"
_HEARD_SECONDS = 0.5
"""How long the ear waits before it looks whether the server was away."""
_REMEMBERED_MS = 86_400_000
"""For how long it is known who held a conversation last."""

# The token is the server's time in microseconds, or one more than the last: it also rises across a flush. A lease that this
# process holds on the server and has no use for any more (giving it back failed) is no obstacle to it.
ACQUIRE = """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return false end
local now = redis.call('TIME')
local last = redis.call('HMGET', KEYS[2], 'token', 'process')
local token = string.format('%.0f', math.max(now[1] * 1000000 + now[2], tonumber(last[1] or '0') + 1))
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. token, 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'token', token, 'process', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {token, last[2] or ''}
"""
RENEW = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('PEXPIRE', KEYS[1], ARGV[2])"
RELEASE = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])"
APPEAR = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZADD', KEYS[1], ms + ARGV[2], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[2])))
"""
PRESENT = """
local now = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now[1] * 1000 + math.floor(now[2] / 1000))
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
COUNT = """
local number = redis.call('INCR', KEYS[1])
if number == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return number
"""


class ServerBus:
    """A Bus among processes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._local = LocalBus()
        self._held: dict[ConversationId, float] = {}
        self._ear: asyncio.Task[None] | None = None

    async def acquire(self, conversation: ConversationId, seconds: float = LEASE_SECONDS) -> Lease | None:
        """See Bus."""
        now = time.monotonic()
        if self._held.get(conversation, now) > now:
            return None
        self._held[conversation] = now + seconds
        lease = None
        try:
            lease = await self._acquire(conversation, seconds)
        except StoreUnavailable:
            lease = await self._local.acquire(conversation, seconds)
        finally:
            if lease is None:
                self._held.pop(conversation, None)
        return lease

    async def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> bool:
        """See Bus."""
        until = time.monotonic() + seconds
        try:
            holds = await self._renew(lease, seconds)
        except StoreUnavailable:
            holds = True  # nobody can take it over from a server that is away; the log fences whoever thinks so
        if holds:
            self._held[lease.conversation] = until
        return holds

    async def release(self, lease: Lease) -> None:
        """See Bus."""
        self._held.pop(lease.conversation, None)
        if not lease.is_shared:
            await self._local.release(lease)
            return
        try:
            await self._run(RELEASE, [PREFIX + place_of("lease", lease.conversation)], self._value(lease))
        except StoreUnavailable:
            logger.debug("a lease was not given back; it ends by itself, and is no obstacle to this process")

    async def appear(self, room: str, who: str, seconds: float) -> None:
        """See Bus."""
        await self._local.appear(room, who, seconds)
        try:
            await self._run(APPEAR, [_room(room)], who, _ms(seconds))
        except StoreUnavailable:
            return

    async def leave(self, room: str, who: str) -> None:
        """See Bus."""
        await self._local.leave(room, who)
        try:
            await self._server.call(lambda redis: redis.zrem(_room(room), who))
        except StoreUnavailable:
            return

    async def present(self, room: str) -> Sequence[str]:
        """See Bus. While the server is away: who appeared in this process."""
        try:
            return sorted(who.decode() for who in await self._run(PRESENT, [_room(room)]))
        except StoreUnavailable:
            return await self._local.present(room)

    async def count(self, name: str, seconds: float) -> int:
        """See Bus."""
        try:
            return int(await self._run(COUNT, [PREFIX + place_of("count", name)], _ms(seconds)))
        except StoreUnavailable:
            return await self._local.count(name, seconds)

    async def wake(self, conversation: ConversationId, seq: int, typing: str = "") -> None:
        """See Bus."""
        await self._local.wake(conversation, seq, typing)
        word = json.dumps([self._server.process, conversation, seq, *([typing] if typing else [])])
        try:
            await self._server.call(lambda redis: redis.publish(CHANNEL, word))
        except StoreUnavailable:
            return

    async def listen(self) -> AsyncGenerator[Wake, None]:
        """See Bus."""
        if self._ear is None:
            self._ear = asyncio.create_task(self._hear(), context=Context())  # it outlives who comes first
        async for wake in self._local.listen():
            yield wake

    async def close(self) -> None:
        """See Bus."""
        await end(self._ear)
        await self._local.close()

    async def _acquire(self, conversation: ConversationId, seconds: float) -> Lease | None:
        keys = [PREFIX + place_of("lease", conversation), PREFIX + place_of("turn", conversation)]
        got = await self._run(ACQUIRE, keys, self._server.process, _ms(seconds), _REMEMBERED_MS)
        if got is None:
            return None
        is_ours = got[1].decode() == self._server.process
        return Lease(conversation=conversation, token=int(got[0]), was_ours=is_ours, is_shared=True)

    async def _renew(self, lease: Lease, seconds: float) -> bool:
        if not lease.is_shared:
            return await self._local.renew(lease, seconds)
        keys = [PREFIX + place_of("lease", lease.conversation)]
        return bool(await self._run(RENEW, keys, self._value(lease), _ms(seconds)))

    def _value(self, lease: Lease) -> str:
        return f"{self._server.process}:{lease.token}"

    async def _run(self, script: str, keys: Sequence[str], *arguments: str | int) -> Any:  # noqa: ANN401  (a script's)
        return await self._server.call(lambda redis: redis.eval(script, len(keys), *keys, *map(str, arguments)))

    async def _hear(self) -> None:
        """Pass on what other processes say; whenever some may have been missed, tell the listeners to look at everything."""
        while True:
            returns = self._server.returns
            try:
                async with self._server.ear(CHANNEL) as channel:
                    self._local.tell(Wake(conversation=None))
                    while self._server.trouble is None and self._server.returns == returns:
                        self._pass_on(await _next(channel))
            except (RedisError, OSError) as failure:
                logger.debug("wake-ups of other processes are not heard: %s", type(failure).__name__)
            await asyncio.sleep(_HEARD_SECONDS)

    def _pass_on(self, word: bytes | None) -> None:
        if word is None:
            return
        try:
            process, conversation, seq, *typing = json.loads(word)
            name = str(typing[0]) if typing else ""
            wake = Wake(conversation=ConversationId(str(conversation)), seq=int(seq), typing=name)
        except (ValueError, TypeError):
            logger.warning("somebody publishes on %s what is not ours", CHANNEL)
            return
        if process != self._server.process:
            self._local.tell(wake)


async def _next(channel: PubSub) -> bytes | None:
    heard = await channel.get_message(ignore_subscribe_messages=True, timeout=_HEARD_SECONDS)
    return heard["data"] if heard else None


def _room(room: str) -> str:
    return f"{PREFIX}room:{room}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
