"""What stands around every request: headers, size and origin limits, and a gate in front of Chainlit's own routes."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.problems import not_there
from bot.webchat.frames import only_known_frames
from bot.webchat.origin import origin_allowed

MOST_BODY_BYTES = 64 * 1024
MOST_HEADER_BYTES = 64 * 1024
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

OPEN_ROUTES = {
    "GET": re.compile(
        rf"/(?:auth/config|user|project/settings|project/thread/{_UUID}|public/.+|logo|favicon|avatars/[^/]+)"
    ),
    "HEAD": re.compile(r"/"),
    "POST": re.compile(r"/(?:set-session-cookie|project/threads)"),
}
"""What the page needs of Chainlit's routes. All others are closed: sharing, elements, files, actions, MCP, logins, docs."""
SOCKET = "/ws/socket.io"
API = "/api/v1/"
_CONTROL = re.compile(r"[\x00-\x1f]")
_HSTS = "max-age=31536000"


class Hardening:
    """Wraps the whole application: security headers on every response, no large bodies, no changes from foreign pages."""

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = allowed
        self._headers = security_headers(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        visits = getattr(scope["app"].state, "visits", None) if "app" in scope else None
        if visits is not None and not _is_api(scope):
            scope = await visits.without_ended(scope)
        if scope["type"] == "websocket":
            frames = receive if _is_api(scope) else only_known_frames(receive)
            await self._app(scope, frames, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if _is_api(scope):  # which has a gate of its own: Chainlit's middleware does not come between
            # A mount's pattern stops at a line feed; no address of ours holds one.
            app = not_there().response if _CONTROL.search(scope["path"]) else scope["app"].router
            await app(scope, receive, send_with_headers)
            return
        refusal = self._refuse(scope, request)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
        else:
            await self._app(scope, _limited(receive), send_with_headers)

    def _refuse(self, scope: Scope, request: Headers) -> Response | None:
        if int_or_zero(request.get("content-length", "0")) > MOST_BODY_BYTES:
            return JSONResponse({"detail": f"The request is larger than {MOST_BODY_BYTES // 1024} kB."}, 413)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            return JSONResponse({"detail": f"The request's headers are larger than {MOST_HEADER_BYTES // 1024} kB."}, 431)
        changes = scope["method"] not in _SAFE_METHODS
        if changes and not origin_allowed(request.get("origin"), request.get("host"), self._allowed):
            return JSONResponse({"detail": "Requests from this site are not allowed."}, 403)
        return None


class OnlyThese(BaseRoute):
    """Stands between our routes and Chainlit's: takes, and refuses, whatever OPEN_ROUTES does not let through."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for what is closed, none for what Chainlit may answer."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path.startswith(SOCKET):
            return Match.NONE, {}
        allowed = OPEN_ROUTES.get(scope.get("method", ""))
        return (Match.NONE if allowed and allowed.fullmatch(path) else Match.FULL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Not found."""
        await not_found(scope, receive, send)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """404: words for a person, JSON for a program."""
    if "text/html" in Headers(scope=scope).get("accept", ""):
        response: Response = PlainTextResponse("There is no such page. The chat is at the address / of this site.", 404)
    else:
        response = JSONResponse({"detail": "Not Found"}, 404)
    await response(scope, receive, send)


def security_headers(frames: Collection[str]) -> dict[str, str]:
    """The headers of every response; pages that need scripts set their own, wider Content-Security-Policy."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors " + " ".join(("'self'", *frames))
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _is_api(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).startswith(API)


def int_or_zero(text: str) -> int:
    """A header's number; 0 if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _limited(receive: Receive) -> Receive:
    """The request's body, cut off with a disconnect once it is too large (a chunked one tells no length)."""
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MOST_BODY_BYTES else message

    return receive_limited
