"""What the processes share, as the settings say: a Redis, an embedded server, or where there is none, this process."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal

from bot.bus import Bus
from bot.bus_local import LocalBus
from bot.cells import Cells, LocalCells
from bot.errors import StoreUnavailable
from bot.settings import Settings
from bot.valkey.bus import ServerBus
from bot.valkey.cells import ServerCells
from bot.valkey.embedded import Embedded
from bot.valkey.server import ANSWER_SECONDS, Server

logger = logging.getLogger(__name__)

Kind = Literal["redis", "embedded", "process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStatus:
    """Where the shared state is; unless it is `well`, the chat goes on from the log, and `detail` says what is the matter.

    The detail is for staff: it may name a folder of this machine.
    """

    kind: Kind
    well: bool
    detail: str = ""


class State:
    """The cells and the bus of this process; without a server they are its own, and degraded."""

    def __init__(self, kind: Kind, server: Server | None = None, embedded: Embedded | None = None, lacks: str = "") -> None:
        self.cells: Cells = ServerCells(server, is_ours=kind == "embedded") if server else LocalCells()
        self.bus: Bus = ServerBus(server) if server else LocalBus()
        self._kind, self._server, self._embedded, self._lacks = kind, server, embedded, lacks

    @property
    def status(self) -> StateStatus:
        """How it fares now."""
        if self._server is None:
            return StateStatus(kind=self._kind, well=False, detail=self._lacks)
        trouble = self._server.trouble
        detail = f"{self._server.name} {trouble.reason}" if trouble else ""
        return StateStatus(kind=self._kind, well=trouble is None, detail=detail)

    async def close(self) -> None:
        """Release the server; an embedded one ends when no other process uses it."""
        await self.bus.close()
        if self._server:
            await self._server.close()
        if self._embedded:
            await asyncio.to_thread(self._embedded.close)


async def open_state(settings: Settings, patience_seconds: float = ANSWER_SECONDS) -> State:
    """The shared state of the settings; a server that is away is logged and asked again, never waited for.

    Raises SettingsInvalid when REDIS_URL cannot be used.
    """
    if settings.redis_url:
        server = Server(settings.redis_url.get_secret_value(), "Redis", patience_seconds=patience_seconds)
        await server.start()
        return State("redis", server)
    embedded = Embedded(settings.data_dir)
    try:
        await asyncio.to_thread(embedded.ensure)
    except StoreUnavailable as failure:
        await asyncio.to_thread(embedded.close)
        logger.warning("Each process remembers by itself: %s", failure)
        return State("process", lacks=str(failure))
    server = Server(f"unix://{embedded.socket}", "the embedded server", embedded.ensure, patience_seconds)
    await server.start()
    return State("embedded", server, embedded)
