"""Cells on a server."""

from bot.valkey.server import PREFIX, Server


class ServerCells:
    """Cells that all processes share."""

    def __init__(self, server: Server) -> None:
        self._server = server

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
