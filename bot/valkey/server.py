"""A server that speaks Redis, as the rest of the bot sees it: quick, or not there at all."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import NoPermissionError, RedisError

from bot.ending import end
from bot.errors import SettingsInvalid, StoreUnavailable
from bot.valkey.failures import explain, explain_version

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 0.25
"""Longest wait for the server, connection included. One call a turn can take it; the next find the server left out."""
CONNECTIONS = 32
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
PREFIX = "frontdesk:"

T = TypeVar("T")
Client = Redis
Work = Callable[["Redis"], Awaitable[T]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a server is left out, and since when (seconds of the monotonic clock)."""

    reason: str
    since: float


class Server:
    """One server. After a failure it is left out, and asked again in the background until it is well.

    So its failure costs the turns that were waiting for it `ANSWER_SECONDS` each, and those after them nothing.
    """

    def __init__(
        self, url: str, name: str, revive: Callable[[], None] | None = None, patience_seconds: float = ANSWER_SECONDS
    ) -> None:
        self.name = name
        self.process = uuid4().hex
        self.returns = 0
        """How often it came back; who listens to it has then missed something."""
        self._redis = connect(url, patience_seconds)
        self._patience_seconds = patience_seconds
        self._revive = revive
        self._trouble: Trouble | None = None
        self._asking: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def trouble(self) -> Trouble | None:
        """Why it is left out; None while it is well."""
        return self._trouble

    async def start(self) -> None:
        """Look whether it is well; if it is not, that is logged, and it is left out."""
        try:
            await self._check()
        except StoreUnavailable as failure:
            self._leave_out(str(failure))

    async def call(self, work: Work[T]) -> T:
        """What the work comes to. Raises StoreUnavailable, at once while the server is left out."""
        if self._trouble or self._is_closed:
            raise StoreUnavailable(f"{self.name} {self._trouble.reason if self._trouble else 'is closed'}")
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await work(self._redis)
        except (RedisError, OSError) as failure:
            reason = explain(failure)
            self._leave_out(reason)
            raise StoreUnavailable(f"{self.name} {reason}") from None

    @asynccontextmanager
    async def ear(self, channel: str) -> AsyncIterator[PubSub]:
        """What is published on the channel. Raises RedisError or OSError when the server cannot be heard."""
        async with self._redis.pubsub() as hearing:
            async with asyncio.timeout(self._patience_seconds):
                await hearing.subscribe(channel)
            yield hearing

    async def close(self) -> None:
        """Release every connection."""
        self._is_closed = True
        await end(self._asking)
        await self._redis.aclose()

    def _leave_out(self, reason: str) -> None:
        if self._is_closed:
            return
        if self._trouble is None or self._trouble.reason != reason:
            logger.warning("%s %s; until it is well, what it held is read from the log", self.name, reason)
        self._trouble = Trouble(reason=reason, since=self._trouble.since if self._trouble else time.monotonic())
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_again(), context=Context())  # it outlives who noticed

    async def _ask_again(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while self._trouble:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            try:
                if self._revive:
                    await asyncio.to_thread(self._revive)
                await self._check()
            except StoreUnavailable as failure:
                self._leave_out(str(failure))
            else:
                logger.info("%s is well again after %.1f s", self.name, time.monotonic() - self._trouble.since)
                self._trouble = None
                self.returns += 1

    async def _check(self) -> None:
        """Raise StoreUnavailable with the reason alone unless it takes a write and is of a version that we know."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._redis.set(f"{PREFIX}probe", self.process, ex=60)
                version = await self._version()
        except (RedisError, OSError) as failure:
            raise StoreUnavailable(explain(failure)) from None
        if reason := explain_version(version):
            raise StoreUnavailable(reason)

    async def _version(self) -> str:
        try:
            told: dict[str, Any] = await self._redis.info("server")
        except NoPermissionError:
            return ""
        return str(told.get("redis_version", ""))


def connect(url: str, patience_seconds: float = ANSWER_SECONDS) -> Client:
    """A client with short patience. Raises SettingsInvalid when the address cannot be used, without repeating it."""
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=patience_seconds,
            socket_timeout=patience_seconds,
            socket_connect_timeout=patience_seconds,
            # Once more at once on a connection that broke, as after a restart; never after a silence.
            retry=Retry(NoBackoff(), 1, supported_errors=(Unreachable,)),
            protocol=2,  # every server speaks it
            driver_info=None,
        )
        pool.make_connection()  # type: ignore[no-untyped-call]
    except (ValueError, TypeError) as failure:
        raise SettingsInvalid(f"REDIS_URL: cannot be used ({type(failure).__name__}); see the options of redis-py") from None
    return Redis.from_pool(pool)
