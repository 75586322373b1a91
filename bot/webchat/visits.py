"""Visits that are over although their cookies have not run out: a sign-in or sign-out has ended them, in any process."""

import time
from datetime import UTC, datetime

from starlette.requests import cookie_parser
from starlette.types import Scope

from bot.api.ended import Ended
from bot.webchat.identity import COOKIE, LIFETIME_SECONDS, Visitor, read_visitor

_CHUNK = COOKIE + "_"
"""Chainlit also puts its cookie together from parts of these names; we give out none."""
_HEADERS = (b"cookie", b"authorization")


class Visits:
    """Tells which visits are over. Where the log keeps no records there is no sign-in, and they only run out."""

    def __init__(self, ended: Ended | None) -> None:
        self._ended = ended

    async def are_over(self, visit: str, until: float | None) -> bool:
        """Whether this visit, which runs out then, is over."""
        if until is not None and until <= time.time():
            return True
        return self._ended is not None and await self._ended.has(visit)

    async def end(self, visitor: Visitor) -> None:
        """The visitor's cookie opens nothing any more. Raises LogUnavailable."""
        if self._ended is not None:
            until = visitor.until or time.time() + LIFETIME_SECONDS
            await self._ended.end(visitor.visit, datetime.fromtimestamp(until, UTC))

    async def without_ended(self, scope: Scope) -> Scope:
        """The request as if it had come without the cookies of visits that are over; Chainlit's own routes see no other."""
        if not any(name in _HEADERS for name, _ in scope["headers"]):
            return scope
        headers = []
        for name, value in scope["headers"]:
            kept = value
            if name == b"cookie":
                kept = await self._cookies(value.decode("latin-1"))
            elif name == b"authorization" and await self._is_spent(value.decode("latin-1").partition(" ")[2].strip()):
                kept = b""
            if kept:
                headers.append((name, kept))
        return {**scope, "headers": headers}

    async def _cookies(self, header: str) -> bytes:
        pairs = [pair.strip() for pair in header.split(";")]
        return "; ".join([pair for pair in pairs if not await self._is_ended(pair)]).encode("latin-1")

    async def _is_ended(self, pair: str) -> bool:
        for name, value in cookie_parser(pair).items():
            if name.startswith(_CHUNK) or (name == COOKIE and await self._is_spent(value)):
                return True
        return False

    async def _is_spent(self, token: str) -> bool:
        visitor = read_visitor({COOKIE: token}, time.time()) if token else None
        return visitor is not None and await self.are_over(visitor.visit, visitor.until)
