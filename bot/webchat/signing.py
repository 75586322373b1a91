"""Signing in to the web chat with a token of the company's back end, and out; what was said before comes along."""

import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from bot.api.claiming import claim
from bot.api.customer_tokens import CustomerTokens
from bot.api.ended import Ended
from bot.api.problems import Refused, refusal_of
from bot.bot import Bot
from bot.errors import FrontdeskError
from bot.records import Recorded
from bot.webchat.identity import Visitor, give_cookie, new_visit, new_visitor, read_visitor, take_cookie
from bot.webchat.routes import is_https
from bot.webchat.visits import Visits

ENDED = "visit:"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_NOT_READ = 'Send the token as JSON, {"token": …}, or as the field `token` of a form (application/x-www-form-urlencoded).'
_SORRY = "You could not be signed in to the chat. Please go back, reload that page and try again."


class Signing:
    """Who is signed in to the web chat. Raises SettingsInvalid for a bad key of customers' tokens."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._records = bot.log.records if isinstance(bot.log, Recorded) else None
        self._tokens = CustomerTokens(bot.settings, self._records) if self._records else None
        self.visits = Visits(Ended(self._records, ENDED) if self._records else None)
        self._let_go: Callable[[], Awaitable[None]]
        self._may_enter: Callable[[Request], Awaitable[bool]]

    def routes(self, let_go: Callable[[], Awaitable[None]], may_enter: Callable[[Request], Awaitable[bool]]) -> APIRouter:
        """`/chat/sign-in` and `/chat/sign-out`. `let_go` closes pages whose visits are over, `may_enter` counts visitors."""
        self._let_go, self._may_enter = let_go, may_enter
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/chat/sign-in", partial(self._answer, self.sign_in), methods=["POST"])
        router.add_api_route("/chat/sign-out", partial(self._answer, self.sign_out), methods=["POST"])
        return router

    async def sign_in(self, request: Request) -> Response:
        """Make this browser's visitor the customer of the token. Raises Refused or LogUnavailable."""
        if self._records is None or self._tokens is None:
            raise Refused(503, "unavailable", "Nobody can sign in here: this log keeps no records.")
        vouched = await self._tokens.exchange(await read_token(request))
        before, claimed = _visitor(request), 0
        if before is not None and before.signed_in:
            await self.visits.end(before)
        elif before is not None:
            end = partial(self.visits.end, before)
            claimed = await claim(self._bot, self._records, before.id, vouched.customer, end)
        told = {"signed_in": True, "customer": vouched.customer, "claimed": claimed}
        return self._answered(request, told, new_visit(vouched.customer, time.time()))

    async def sign_out(self, request: Request) -> Response:
        """End the customer's visit; the browser is a new visitor's. Who is not signed in stays who they are."""
        before = _visitor(request)
        if before is None or not before.signed_in:
            return self._answered(request, {"signed_out": False}, before)
        await self.visits.end(before)
        after = new_visitor() if await self._may_enter(request) else None
        response = self._answered(request, {"signed_out": True}, after)
        if after is None:
            take_cookie(response, secure=is_https(request))  # the chat's page gives another when it may
        return response

    def _answered(self, request: Request, told: dict[str, Any], visitor: Visitor | None) -> Response:
        """Pages are let go once the browser has its new cookie: they come back with it."""
        response: Response = JSONResponse(told)
        if _media_type(request) == FORM:
            response = RedirectResponse(request.scope.get("root_path", "") + "/", 303)
        response.background = BackgroundTask(self._let_go)
        if visitor is not None:
            give_cookie(response, visitor, time.time(), secure=is_https(request))
        return response

    async def _answer(self, what: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        try:
            if not request.headers.get("origin"):  # every browser sends it with a change; those of other sites are refused
                raise Refused(403, "origin", "Send the `Origin` of the page: the chat's own or one of ALLOWED_ORIGINS.")
            response = await what(request)
        except Refused as refused:
            response = _refusal(request, refused)
        except FrontdeskError as error:
            response = _refusal(request, refusal_of(error))
        response.headers["Cache-Control"] = "no-store"
        return response


async def read_token(request: Request) -> str:
    """The token of a form or of JSON. Raises Refused, which does not repeat it."""
    media_type = _media_type(request)
    if media_type not in (FORM, JSON):
        raise Refused(415, "media_type", _NOT_READ)
    try:
        body = (await request.body()).decode()
        if media_type == FORM:
            found: object = parse_qs(body, max_num_fields=20).get("token", [""])[0]
        else:
            fields = json.loads(body)
            found = fields.get("token") if isinstance(fields, dict) else None
    except ClientDisconnect:
        raise Refused(413, "too_large", "The request is too large, or did not come whole.") from None
    except (ValueError, RecursionError):
        raise Refused(400, "invalid", f"The request could not be read. {_NOT_READ}") from None
    if not isinstance(found, str) or not found:
        raise Refused(422, "invalid", f"There is no token in the request. {_NOT_READ}")
    return found


def _refusal(request: Request, refused: Refused) -> Response:
    """A problem document; words for a person who sent a form."""
    if _media_type(request) != FORM:
        return refused.response
    return PlainTextResponse(f"{_SORRY}\n\n({refused.detail})\n", refused.status, refused.headers)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _visitor(request: Request) -> Visitor | None:
    return read_visitor(request.cookies, time.time())
