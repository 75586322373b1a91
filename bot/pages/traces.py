"""The developers' pages: how each turn was answered, and what today's prompt files would make of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.bot import Bot
from bot.domain import Entry, EntryId, Outcome
from bot.errors import LogUnavailable
from bot.pages.rendering import TEMPLATES
from bot.pages.turn_view import TurnViews, duration_ms
from bot.pages.word_diff import compare_words
from bot.webchat.developers import Developers
from bot.webchat.hardening import security_headers
from bot.webchat.origin import origin_allowed

LISTED = 50
"""Turns on a page of the list."""
MOST_READ = 1000
"""Turns that are looked through for those with an outcome."""
_NEXT = re.compile(r"/developer(/turns/[0-9a-f]{1,64})?")
_HEADERS = {"Content-Security-Policy": security_headers(())["Content-Security-Policy"], "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A turn in the list."""

    id: EntryId
    at: str
    question: str
    outcome: str
    providers: str
    took_ms: float
    answerability: float | None


def developer_router(bot: Bot) -> APIRouter:
    """The pages under `/developer`; no routes at all without a password."""
    return DeveloperPages(bot).router


class DeveloperPages:
    """The developers' pages of one bot."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._developers = Developers(bot.settings)
        self._views = TurnViews(bot.search, masked=bot.settings.mask_traces)
        self.router = APIRouter(include_in_schema=False)
        if self._developers.is_on:
            self.router.add_api_route("/developer/login", self.form, methods=["GET"])
            self.router.add_api_route("/developer/login", self.log_in, methods=["POST"])
            self.router.add_api_route("/developer/logout", self.log_out, methods=["POST"])
            self.router.add_api_route("/developer", self.turns, methods=["GET"])
            self.router.add_api_route("/developer/turns/{entry}", self.turn, methods=["GET"])
            self.router.add_api_route("/developer/turns/{entry}/replay", self.replay, methods=["POST"])

    # -- in and out

    async def form(self, request: Request) -> Response:
        """The password, please."""
        return self._page("login.html", problem="", next=_next(request.query_params.get("next", "")))

    async def log_in(self, request: Request) -> Response:
        """A password: right, wrong, or one too many."""
        _refuse_other_pages(request)
        fields = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        onward = _next(fields.get("next", [""])[0])
        if not await self._developers.may_try(request.client.host if request.client else ""):
            problem = "Too many attempts from your network. Please wait a minute."
            return self._page("login.html", 429, problem=problem, next=onward)
        if not self._developers.is_password(fields.get("password", [""])[0]):
            return self._page("login.html", 403, problem="That is not the password.", next=onward)
        response = RedirectResponse(onward, 303, _HEADERS)
        self._developers.give_cookie(response, secure=request.url.scheme == "https")
        return response

    async def log_out(self, request: Request) -> Response:
        """Back to the form."""
        _refuse_other_pages(request)
        response = RedirectResponse("/developer/login", 303, _HEADERS)
        self._developers.take_cookie(response, secure=request.url.scheme == "https")
        return response

    # -- turns

    async def turns(self, request: Request, outcome: str = "", before: str = "") -> Response:
        """The latest turns, or those before one."""
        if not self._developers.recognise(request.cookies):
            return _to_login(request)
        try:
            since = await self._bot.log.entry(EntryId(before)) if before else None
            found, last = await self._find(outcome, since)
            lines = [await self._line(entry) for entry in found]
        except LogUnavailable:
            raise HTTPException(503, "The conversation log cannot be read now.") from None
        shown: dict[str, Any] = {"lines": lines, "outcome": outcome, "outcomes": list(Outcome), "last": last}
        return self._page("turns.html", **shown, providers=self._bot.providers)

    async def turn(self, request: Request, entry: str) -> Response:
        """One turn."""
        if not self._developers.recognise(request.cookies):
            return _to_login(request)
        return self._page("turn.html", **await self._told(entry), now=None, problem="")

    async def replay(self, request: Request, entry: str) -> Response:
        """One turn, and what would become of it now; nothing is stored."""
        _refuse_other_pages(request)
        if not self._developers.recognise(request.cookies):
            return _to_login(request)
        told = await self._told(entry)
        try:
            now = await self._views.of_turn(await self._bot.replay(EntryId(entry)))
        except (TimeoutError, LogUnavailable):
            problem = f"Nothing came of it within {self._bot.settings.turn_seconds:g} s this time."
            return self._page("turn.html", **told, now=None, problem=problem)
        before, after = compare_words(told["view"].text, now.text)
        return self._page("turn.html", **told, now=now, problem="", words=(before, after))

    async def _find(self, outcome: str, before: Entry | None) -> tuple[Sequence[Entry], Entry | None]:
        """The next turns with this outcome (all if it is none), and where to go on, if there may be more."""
        found: list[Entry] = []
        for _ in range(MOST_READ // (2 * LISTED)):
            page = await self._bot.log.latest_replies(2 * LISTED, before)
            for entry in page:
                before = entry
                found += [entry] if outcome in ("", entry.data.get("outcome")) else []
                if len(found) == LISTED:
                    return found, before
            if len(page) < 2 * LISTED:
                return found, None
        return found, before

    async def _line(self, entry: Entry) -> Line:
        turn = entry.data.get("turn") or {}
        usage = (turn.get("writing") or {}).get("usage", ())
        return Line(
            id=entry.id,
            at=entry.at.strftime("%d %b %H:%M:%S"),
            question=self._views.hide(await self._asked(entry)),
            outcome=str(entry.data.get("outcome", "")),
            providers=", ".join(dict.fromkeys(one["provider"] for one in usage)),
            took_ms=duration_ms(entry.data),
            answerability=turn.get("answerability"),
        )

    async def _asked(self, reply: Entry) -> str:
        """The customer's own words."""
        asked = await self._bot.log.before(reply.conversation, (reply.answers or 0) + 1, 1)
        return asked[0].text if asked else ""

    async def _told(self, entry: str) -> dict[str, Any]:
        """What the page tells of a stored turn. Raises HTTPException."""
        try:
            reply = await self._bot.log.entry(EntryId(entry))
            if reply is None or reply.answers is None:
                raise HTTPException(404, "There is no such turn.")
            asked = await self._asked(reply)
        except LogUnavailable:
            raise HTTPException(503, "The conversation log cannot be read now.") from None
        view = await self._views.of_entry(reply)
        return {"entry": reply, "asked": self._views.hide(asked), "view": view}

    def _page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        settings = self._bot.settings
        shown = {"company": settings.company, "masked": settings.mask_traces, "words": None, **values}
        return HTMLResponse(TEMPLATES.get_template(template).render(shown), status, _HEADERS)


def _refuse_other_pages(request: Request) -> None:
    """Changes come from our own pages only, not even from a site that may open the chat. Raises HTTPException."""
    if not origin_allowed(request.headers.get("origin"), request.headers.get("host"), ()):
        raise HTTPException(403, "Requests from this site are not allowed.")


def _to_login(request: Request) -> Response:
    onward = _next(request.url.path)
    return RedirectResponse(f"/developer/login?next={onward}", 303, _HEADERS)


def _next(path: str) -> str:
    """Where to go after the login: one of our own pages, whatever was asked for."""
    return path if _NEXT.fullmatch(path) else "/developer"
