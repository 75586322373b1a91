"""Cells on a server."""

import asyncio
from contextlib import suppress
from typing import Any

from redis.exceptions import ResponseError

from bot.errors import StoreUnavailable
from bot.valkey.server import PREFIX, Client, Server

SCRUB_SECONDS = 30.0
"""Longest wait for an append-only file that is written anew; the embedded server holds 128 MB at most."""
_PAUSE_SECONDS = 0.05


class ServerCells:
    """Cells that all processes share; `is_ours` where nobody but us uses the server."""

    def __init__(self, server: Server, *, is_ours: bool = False) -> None:
        self._server, self._is_ours = server, is_ours

    async def get(self, name: str) -> bytes | None:
        """See Cells."""
        value = await self._server.call(lambda redis: redis.get(PREFIX + name))
        return value if isinstance(value, bytes) else None

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        """See Cells."""
        await self._server.call(lambda redis: redis.set(PREFIX + name, value, ex=seconds))

    async def drop(self, name: str) -> None:
        """See Cells."""
        await self._server.call(lambda redis: redis.delete(PREFIX + name))

    async def scrub(self) -> None:
        """See Cells. The append-only file is written anew: the old one holds every value that ever was, if only sealed."""
        if not self._is_ours:
            return
        try:
            async with asyncio.timeout(SCRUB_SECONDS):
                while not await self._server.call(_rewrite):  # noqa: ASYNC110  (another process does it)
                    await asyncio.sleep(_PAUSE_SECONDS)
                while await self._server.call(_is_rewriting):  # noqa: ASYNC110
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            raise StoreUnavailable(f"the append-only file was not written anew within {SCRUB_SECONDS:g} s") from None


async def _rewrite(redis: Client) -> bool:
    """Begin it; not while one is under way, which began before what is to be taken out was dropped."""
    with suppress(ResponseError):
        return not await _is_rewriting(redis) and bool(await redis.bgrewriteaof())
    return False


async def _is_rewriting(redis: Client) -> bool:
    told: dict[str, Any] = await redis.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])
