"""A cap on the bytes of one answer, for any HTTP library whose bodies are asynchronous streams."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from bot.errors import StreamTooLong

MOST_BYTES = 4_000_000
"""Of one answer, errors included: some twenty times what a long reply of a talkative vendor takes."""
DRAIN_SECONDS = 0.05
_DONE = b"[DONE]"


class Body(Protocol):
    """The part of httpx's and httpx2's AsyncByteStream that is used here."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Release the connection."""
        ...


class CappedBody:
    """Wraps a body: counts its bytes, and reads what little follows `[DONE]` so that the connection can be used again.

    The vendor's library closes at `[DONE]`, before the body's last bytes; without this every reply costs a new connection.
    """

    def __init__(self, provider: str, body: Body) -> None:
        self._provider = provider
        self._body = body
        self._chunks = aiter(body)
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


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own: such a server is never asked for through a proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
