"""What stands before every API request: limits on headers, body and time, by address, and which pages may ask."""

import asyncio
import time
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.addresses import Addresses
from bot.api.limits import Limits
from bot.api.problems import RETRY_SECONDS, Refused
from bot.api.tokens import Tokens
from bot.errors import TooManyMessages
from bot.webchat.hardening import int_or_zero
from bot.webchat.origin import origin_allowed

MOST_HEADER_BYTES = 16 * 1024
MOST_BODY_BYTES = 64 * 1024
MOST_UPLOAD_BYTES = 20 * 1024 * 1024
"""For documents that somebody of the staff ingests."""
BODY_SECONDS = 20.0
"""How long a request may take to arrive."""
HUSH_SECONDS = 1.0
"""For so long a message is refused unread after one of the same session was refused because too many wait."""
MOST_HUSHED = 10_000
MESSAGES = "/chat/message"
UPLOADS = "/knowledge/ingest"
_METHODS = "GET, POST, PUT, DELETE"
_HEADERS = "Authorization, Content-Type, Accept, Last-Event-ID"


class Gate:
    """Wraps the API."""

    def __init__(
        self, app: ASGIApp, *, limits: Limits, tokens: Tokens, addresses: Addresses, allowed: Collection[str]
    ) -> None:
        self._app, self._limits, self._tokens = app, limits, tokens
        self._addresses, self._allowed = addresses, allowed
        self._hushed: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)  # the socket looks at its own origin and frames
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["network"] = self._addresses.network(scope)
        send = self._with_headers(headers.get("origin"), self._hushing(scope, headers, send))
        try:
            await self._check(scope, headers)
            if scope["method"] == "OPTIONS" and headers.get("origin") and headers.get("access-control-request-method"):
                await _preflight()(scope, receive, send)
                return
            receive = await self._read_body(scope, headers, receive)
        except Refused as refused:
            await refused.response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope, headers: Headers) -> None:
        size = sum(len(name) + len(value) for name, value in scope["headers"]) + len(scope.get("query_string", b""))
        if size > MOST_HEADER_BYTES:
            raise Refused(431, "headers", f"Headers and query take up to {MOST_HEADER_BYTES // 1024} kB: send less.")
        if not origin_allowed(headers.get("origin"), headers.get("host"), self._allowed):
            raise Refused(403, "origin", "Pages of this site may not ask. ALLOWED_ORIGINS lists those that may.")
        self._check_hushed(scope, headers)
        await self._limits.request(scope["state"]["network"])

    def _check_hushed(self, scope: Scope, headers: Headers) -> None:
        """Who was just told to wait is told so again at the door: a flood costs the others next to nothing."""
        until = self._hushed.get(headers.get("authorization", ""), 0.0) if scope["path"].endswith(MESSAGES) else 0.0
        if until > time.monotonic():
            raise Refused(429, "too_many_messages", TooManyMessages.reason, retry_after=RETRY_SECONDS)

    def _hushing(self, scope: Scope, headers: Headers, send: Send) -> Send:
        """A `send` that sees whether a message was refused because there are too many."""
        if not scope["path"].endswith(MESSAGES):
            return send
        token = headers.get("authorization", "")

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.TOO_MANY_REQUESTS:
                now = time.monotonic()
                if len(self._hushed) > MOST_HUSHED:
                    self._hushed = {token: until for token, until in self._hushed.items() if until > now}
                if self._hushed.get(token, 0.0) <= now:  # not by what is refused at the door itself, else it never ends
                    self._hushed[token] = now + HUSH_SECONDS
            await send(message)

        return send_and_note

    async def _read_body(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """A `receive` that has the whole body already."""
        most = self._most(scope, headers)
        if int_or_zero(headers.get("content-length", "0")) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                messages = await _read(receive, most)
        except TimeoutError:
            raise Refused(408, "slow", f"The request did not arrive within {BODY_SECONDS:g} s; send it again.") from None

        async def receive_read() -> Message:
            return messages.pop(0) if messages else await receive()

        return receive_read

    def _most(self, scope: Scope, headers: Headers) -> int:
        """Only the staff may send more than a message; whether they are still of the staff is seen later."""
        bearer = headers.get("authorization", "").partition(" ")[2]
        if scope["path"].endswith(UPLOADS) and self._tokens.read_staff(bearer):
            return MOST_UPLOAD_BYTES
        return MOST_BODY_BYTES

    def _with_headers(self, origin: str | None, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers.add_vary_header("Origin")
                if origin in self._allowed:
                    headers["Access-Control-Allow-Origin"] = str(origin)
                    headers["Access-Control-Expose-Headers"] = "Retry-After"
            await send(message)

        return send_with_headers


async def _read(receive: Receive, most: int) -> list[Message]:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return [message]
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return [{"type": "http.request", "body": bytes(body), "more_body": False}]


def _too_large(most: int) -> Refused:
    return Refused(413, "too_large", f"A request's body takes up to {most // 1024} kB: send less at once.")


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": "600",
        },
    )
