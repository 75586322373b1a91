"""Connections for many streams at once, with a cap on each answer's bytes; for httpx and httpx2 alike.

Their own pool looks at every connection for every other one with each request: at 100 streams that alone takes over 10 ms
of the event loop a request. Here each stream has a lane of its own, a transport with at most one connection.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from bot.errors import StreamTooLong

MOST_BYTES = 4_000_000
"""Of one answer, errors included: some twenty times what a long reply of a talkative vendor takes."""
MOST_IDLE = 32
"""Lanes kept open for the next streams."""
KEEP_ALIVE_SECONDS = 30.0
DRAIN_SECONDS = 0.05
_DONE = b"[DONE]"


class CappedBody:
    """Wraps a body: counts its bytes, and reads what little follows `[DONE]` so that the connection can be used again.

    OpenAI's library closes at `[DONE]`, before the body's last bytes; without this every reply costs a new connection.
    """

    def __init__(self, provider: str, body: Any, closed: Callable[[], Awaitable[None]]) -> None:  # noqa: ANN401  (either library's)
        self._provider = provider
        self._body = body
        self._chunks = aiter(body)
        self._closed = closed
        self._left = MOST_BYTES
        self._done = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body's bytes. Raises StreamTooLong over the cap."""
        async for chunk in self._chunks:
            self._left -= len(chunk)
            if self._left < 0:
                raise StreamTooLong(self._provider, f"the answer is over {MOST_BYTES} bytes")
            self._done = _DONE in chunk
            yield chunk

    async def aclose(self) -> None:
        """Close the body; a finished one is read to its end first, which takes no time."""
        try:
            if self._done:
                async with asyncio.timeout(DRAIN_SECONDS):
                    while self._left > 0 and (chunk := await anext(self._chunks, b"")):
                        self._left -= len(chunk)
        except TimeoutError:
            pass
        finally:
            await self._body.aclose()
            await self._closed()


class Lanes:
    """A transport made of transports: each request takes a free one, or a new one, until its answer is closed."""

    def __init__(self, provider: str, new_lane: Callable[[], Any], body: type[CappedBody]) -> None:
        self._provider = provider
        self._new_lane = new_lane
        self._body = body
        self._idle: list[Any] = []

    async def handle_async_request(self, request: Any) -> Any:  # noqa: ANN401
        """The answer to a request, its body capped."""
        lane = self._idle.pop() if self._idle else self._new_lane()
        answered = False
        try:
            response = await lane.handle_async_request(request)
            answered = True
        finally:
            if not answered:
                await self._free(lane)
        response.stream = self._body(self._provider, response.stream, lambda: self._free(lane))
        return response

    async def aclose(self) -> None:
        """Close the connections that nobody uses."""
        for lane in self._idle:
            await lane.aclose()
        self._idle.clear()

    async def _free(self, lane: Any) -> None:  # noqa: ANN401
        if len(self._idle) < MOST_IDLE:
            self._idle.append(lane)
        else:
            await lane.aclose()


def proxy_for(url: str) -> str | None:
    """The environment's proxy for this address, as every HTTP client understands it; none for this machine's own."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own: such a server is never asked for through a proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
