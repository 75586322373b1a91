"""Our routes, in front of Chainlit's: the page, its assets and words, a visitor's cookie, and thumbs."""

import json
import time
from typing import Annotated, Any, Literal

from chainlit.server import project_settings
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import Receive, Scope, Send

from bot.bot import Bot
from bot.errors import ConversationUnknown, LogUnavailable, NotYours
from bot.webchat.developers import Developers
from bot.webchat.hardening import not_found
from bot.webchat.identity import Visitor, VisitorRate, give_cookie, new_visitor, read_visitor
from bot.webchat.page import content_policy, read_asset, read_page, read_words
from bot.webchat.sockets import read_uuid
from bot.webchat.view import rated_entry

_TYPES = {"css": "text/css", "svg": "image/svg+xml", "js": "text/javascript", "mjs": "text/javascript"}
_ONE_YEAR = "public, max-age=31536000, immutable"
"""The assets' names hold a hash of their content."""


class Thumb(BaseModel):
    """A rating as the page sends it; other fields are ignored."""

    run: str = Field(alias="forId", max_length=100)
    value: Literal[0, 1]


class Rating(BaseModel):
    """The body of PUT /feedback."""

    feedback: Thumb


class Withdrawal(BaseModel):
    """The body of DELETE /feedback."""

    run: str = Field(alias="feedbackId", max_length=100)


class WebRoutes:
    """The routes of the web chat for one bot."""

    def __init__(self, bot: Bot, *, visitors_per_minute: int) -> None:
        self._bot = bot
        self._settings = bot.settings
        self._rate = VisitorRate(visitors_per_minute)
        self._developers = Developers(bot.settings)
        self.router = APIRouter(include_in_schema=False)
        for path in ("/", "/login", "/thread/{thread}"):
            self.router.add_api_route(path, self.page, methods=["GET"])
        self.router.add_api_route("/assets/{name}", self.asset, methods=["GET"])
        self.router.add_api_route("/project/translations", self.words, methods=["GET"])
        self.router.add_api_route("/auth/header", self.sign_in, methods=["POST"])
        self.router.add_api_route("/project/settings", self.page_settings, methods=["GET"])
        self.router.add_api_route("/feedback", self.rate, methods=["PUT"])
        self.router.add_api_route("/feedback", self.withdraw, methods=["DELETE"])

    async def page(self, request: Request, thread: str | None = None) -> Response:
        """The chat's page. A visitor without a cookie gets one here, so that the page needs no sign-in of its own."""
        if thread is not None and read_uuid(thread) is None:
            return _Missing()
        html = await run_in_threadpool(read_page, request.scope.get("root_path", ""))
        policy = content_policy(html, self._settings.allowed_origins)
        response = HTMLResponse(html, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})
        visitor = _visitor(request)
        if visitor is None and await self.may_enter(request):
            visitor = new_visitor()
        if visitor is not None and visitor.stale:
            give_cookie(response, visitor, time.time(), secure=is_https(request))
        return response

    async def sign_in(self, request: Request) -> Response:
        """The page's own way to a cookie; the visitor it has already stays."""
        visitor = _visitor(request)
        if visitor is None and not await self.may_enter(request):
            raise HTTPException(429, "There are too many new visitors from your network. Please try again in a minute.")
        response = JSONResponse({"success": True})
        give_cookie(response, visitor or new_visitor(), time.time(), secure=is_https(request))
        return response

    async def asset(self, name: str) -> Response:
        """A script or style of the page."""
        found = await run_in_threadpool(read_asset, name)
        if found is None:
            return _Missing()
        content, packed = found
        headers = {"Cache-Control": _ONE_YEAR} | ({"Content-Encoding": "gzip"} if packed else {})
        return Response(content, headers=headers, media_type=_TYPES.get(name.rsplit(".", 1)[-1], "application/octet-stream"))

    async def words(self) -> Response:
        """The page's words (there is one language)."""
        return JSONResponse({"translation": read_words(self._settings)})

    async def page_settings(self, request: Request, shown: Annotated[Response, Depends(project_settings)]) -> Response:
        """The page's settings as Chainlit tells them; a developer's page may show steps."""
        if not self._developers.recognise(request.cookies):
            return shown
        settings = json.loads(bytes(shown.body))
        settings["ui"]["cot"] = "tool_call"
        return JSONResponse(settings)

    async def rate(self, request: Request, rating: Rating) -> dict[str, Any]:
        """A thumb on a reply of the visitor's own."""
        await self._rate_entry(request, rating.feedback.run, rating.feedback.value)
        return {"success": True, "feedbackId": rating.feedback.run}

    async def withdraw(self, request: Request, withdrawal: Withdrawal) -> dict[str, Any]:
        """The thumb is taken back."""
        await self._rate_entry(request, withdrawal.run, None)
        return {"success": True}

    async def _rate_entry(self, request: Request, run: str, value: int | None) -> None:
        visitor, entry = _visitor(request), rated_entry(run)
        if visitor is None:
            raise HTTPException(401, "Please reload the page.")
        if entry is None:
            raise HTTPException(404, "There is no such reply.")
        try:
            await self._bot.rate(visitor.id, entry, value)
        except (NotYours, ConversationUnknown):
            raise HTTPException(404, "There is no such reply.") from None
        except LogUnavailable:
            raise HTTPException(503, "Your rating could not be stored. Please try again in a moment.") from None

    async def may_enter(self, request: Request) -> bool:
        """Count one new visitor from the request's address; False over the limit."""
        return await self._rate.allows(request.client.host if request.client else "")


class _Missing(Response):
    """Answers like any other address that does not exist."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await not_found(scope, receive, send)


def _visitor(request: Request) -> Visitor | None:
    return read_visitor(request.cookies, time.time())


def is_https(request: Request) -> bool:
    """Whether the customer's browser came by TLS."""
    return request.url.scheme == "https"
