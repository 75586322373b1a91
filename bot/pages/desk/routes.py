"""The desk under `/desk`: for who is signed in, and changes only from its own page, with its token."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from bot.desk.cases import Case
from bot.desk.room import Room
from bot.domain import ConversationId, Entry, Holder
from bot.errors import ClientIdReused, ConversationUnknown, DeskRefused, FrontdeskError, LogUnavailable
from bot.pages.desk.render import Past, render_board, render_chat, render_packet, render_suggestion
from bot.pages.desk.session import Sessions, TooManyAttempts, Visit, has_token, is_secure
from bot.pages.desk.stream import PageStream, show
from bot.pages.rendering import TEMPLATES
from bot.roster import State
from bot.webchat.origin import origin_allowed

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
MOST_SHOWN = 500
MOST_LISTED = 5
"""Tickets and earlier chats in the packet."""
SIGNED_OUT = "You are signed out. Please sign in again; what you wrote is kept."
AWAY = "The conversation log cannot be reached now. Please try again in a moment; what you wrote is kept."
FOREIGN = "This page is older than your sign-in. Please reload it; what you wrote is kept."

T = TypeVar("T")
Act = Callable[[Visit, ConversationId, dict[str, Any]], Awaitable[object]]


class DeskRoutes:
    """The routes of one room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._sessions = Sessions(room.staff)
        self.router = APIRouter(include_in_schema=False, prefix="/desk")
        add = self.router.add_api_route
        add("", self.page, methods=["GET"])
        add("/login", self.form, methods=["GET"])
        add("/login", self.sign_in, methods=["POST"])
        add("/logout", self.sign_out, methods=["POST"])
        add("/events", self.events, methods=["GET"])
        add("/search", self.search, methods=["GET"])
        add("/state", self.set_state, methods=["POST"])
        add("/chats/{chat}", self.chat, methods=["GET"])
        add("/chats/{chat}/entries", self.entries, methods=["GET"])
        add("/chats/{chat}/packet", self.packet, methods=["GET"])
        add("/chats/{chat}/suggestion", self.suggestion, methods=["GET"])
        add("/chats/{chat}/{act}", self.act, methods=["POST"])
        self._acts: dict[str, Act] = {
            "claim": lambda v, chat, _: room.desk.claim(v.agent, chat),
            "say": lambda v, chat, f: room.desk.say(v.agent, chat, f.get("text"), _id(f), f.get("citations")),
            "note": lambda v, chat, f: room.desk.note(v.agent, chat, f.get("text"), _id(f)),
            "hand-back": lambda v, chat, f: room.desk.hand_back(v.agent, chat, f.get("note")),
            "pass-on": lambda v, chat, f: room.desk.pass_on(v.agent, chat, str(f.get("to", "")), f.get("note")),
            "close": lambda v, chat, f: room.desk.close(v.agent, chat, str(f.get("outcome", "")), f.get("note")),
            "pass-by": lambda v, chat, _: room.watch.pass_by(v.agent.id, chat),
            "typing": self._type,
        }

    # -- in and out

    async def form(self, request: Request) -> Response:
        """The form that asks who somebody is."""
        return self._page("desk_login.html", problem="", id="")

    async def sign_in(self, request: Request) -> Response:
        """An id and a password; a page that was signed out takes the new token as JSON."""
        _refuse_other_pages(request)
        fields = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        id, password = (fields.get(name, [""])[0] for name in ("id", "password"))
        wants_json = "application/json" in request.headers.get("accept", "")
        try:
            agent = await self._sessions.sign_in(request.client.host if request.client else "", id, password)
            problem, status = ("", 200) if agent else ("That id and password do not fit together.", 403)
        except TooManyAttempts:
            agent, problem, status = None, "Too many attempts. Please wait a minute and try again.", 429
        except LogUnavailable:
            agent, problem, status = None, "Nobody can sign in at the moment. Please try again soon.", 503
        if agent is None:
            told = {"problem": problem}
            return (
                JSONResponse(told, status, HEADERS) if wants_json else self._page("desk_login.html", status, id=id, **told)
            )
        response: Response = JSONResponse({}, headers=HEADERS) if wants_json else RedirectResponse("/desk", 303, HEADERS)
        token = self._sessions.give_cookie(response, agent, secure=is_secure(request))
        response.headers["X-Desk-Token"] = token
        return response

    async def sign_out(self, request: Request) -> Response:
        """Back to the form; the browser forgets the session."""
        _refuse_other_pages(request)
        response = RedirectResponse("/desk/login", 303, HEADERS)
        self._sessions.take_cookie(response, secure=is_secure(request))
        return response

    # -- what the page shows

    async def page(self, request: Request) -> Response:
        """The desk."""
        visit = await self._visit(request)
        if visit is None:
            return RedirectResponse("/desk/login", 303, HEADERS)
        board = render_board(self._room, visit.agent)
        return self._page("desk.html", visit=visit, board=board, states=list(State))

    async def events(self, request: Request) -> Response:
        """The stream of changes."""
        visit = await self._signed_in(request)

        async def is_welcome() -> bool:
            return await self._visit(request) is not None

        stream = PageStream(self._room, visit.agent, is_welcome)
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(stream.lines(), headers=headers, media_type="text/event-stream")

    async def chat(self, request: Request, chat: str) -> Response:
        """One chat with its packet."""
        visit = await self._signed_in(request)
        case, entries = await self._case(ConversationId(chat))
        return JSONResponse(
            {
                "id": case.id,
                "seq": entries[-1].seq if entries else 0,  # the case may be ahead of them by now
                "html": render_chat(self._room, visit.agent, case, entries),
                "packet": await self._told(self._packet(case, entries)),
            },
            headers=HEADERS,
        )

    async def packet(self, request: Request, chat: str) -> Response:
        """The packet as it is now."""
        await self._signed_in(request)
        case, entries = await self._case(ConversationId(chat))
        return JSONResponse({"packet": await self._told(self._packet(case, entries))}, headers=HEADERS)

    async def _packet(self, case: Case, entries: Sequence[Entry]) -> str:
        """The packet with the customer's tickets and earlier chats. Raises LogUnavailable."""
        tickets = await self._room.tickets.of(case.customer, MOST_LISTED)
        chats = await self._room.log.conversations(case.customer, MOST_LISTED + 1)
        past = [chat for chat in chats if chat.id != case.id][:MOST_LISTED]
        return render_packet(case, entries, self._room, Past(tickets=tickets, chats=past))

    async def entries(self, request: Request, chat: str, after: int = 0) -> Response:
        """What a page missed."""
        await self._signed_in(request)
        found = await self._told(self._room.log.after(ConversationId(chat), after, MOST_SHOWN))
        await self._case(ConversationId(chat))
        return JSONResponse([show(entry, self._room) for entry in found], headers=HEADERS)

    async def suggestion(self, request: Request, chat: str) -> Response:
        """A reply from the articles, or none."""
        await self._signed_in(request)
        _, entries = await self._case(ConversationId(chat))
        found = await self._told(self._room.suggester.suggest(entries))
        html = render_suggestion(found)
        text, citations = (found.text, found.citations) if found else ("", ())
        return JSONResponse({"html": html, "text": text, "citations": citations}, headers=HEADERS)

    async def search(self, request: Request, q: str = "") -> Response:
        """Passages of the articles."""
        await self._signed_in(request)
        hits = await self._told(self._room.suggester.search(q))
        return JSONResponse({"html": TEMPLATES.get_template("desk_found.html").render(hits=hits, q=q)}, headers=HEADERS)

    # -- what an agent does

    async def act(self, request: Request, chat: str, act: str) -> Response:
        """Claim, say, note, hand back, pass on, close, pass by, type."""
        visit, fields = await self._changing(request)
        if act not in self._acts:
            raise HTTPException(404, "There is no such thing to do.")
        result = await self._told(self._acts[act](visit, ConversationId(chat), fields))
        self._room.watch.wake()
        if act in ("claim", "hand-back", "pass-on", "close"):
            await self._told(self._room.watch.look())
        return JSONResponse({"ok": True, "seq": result.seq if isinstance(result, Entry) else None}, headers=HEADERS)

    async def set_state(self, request: Request) -> Response:
        """Available, busy or away."""
        visit, fields = await self._changing(request)
        if fields.get("state") not in list(State):
            raise HTTPException(422, "There is no such state.")
        await self._told(self._room.roster.set_state(visit.agent.id, State(fields["state"])))
        self._room.watch.wake()
        return JSONResponse({"ok": True}, headers=HEADERS)

    async def _type(self, visit: Visit, chat: ConversationId, _: object) -> None:
        case = self._room.board.cases.get(chat)
        if case and case.agent == visit.agent.id and case.holder is Holder.AGENT:
            self._room.live.show_typing(chat, visit.agent.name)

    # -- what all of them need

    async def _visit(self, request: Request) -> Visit | None:
        return await self._told(self._sessions.recognise(request.cookies, secure=is_secure(request)))

    async def _signed_in(self, request: Request) -> Visit:
        visit = await self._visit(request)
        if visit is None:
            raise HTTPException(401, SIGNED_OUT)
        return visit

    async def _changing(self, request: Request) -> tuple[Visit, dict[str, Any]]:
        """Whoever changes something, from our page, and the fields of the body. Raises HTTPException."""
        _refuse_other_pages(request)
        visit = await self._signed_in(request)
        if not has_token(request, visit):
            raise HTTPException(403, FOREIGN)
        try:
            fields = json.loads(await request.body() or b"{}")
        except ValueError:
            raise HTTPException(422, "The request cannot be read.") from None
        if not isinstance(fields, dict):
            raise HTTPException(422, "The request cannot be read.")
        return visit, fields

    async def _case(self, chat: ConversationId) -> tuple[Case, list[Entry]]:
        """A conversation that people are or were needed in, with its latest entries; no other one is the staff's to read."""
        case = await self._told(self._room.board.case(chat))
        if case is None or not case.records:
            raise HTTPException(404, "There is no such chat.")
        return case, list(await self._told(self._room.log.before(chat, case.last_seq + 1, MOST_SHOWN)))

    async def _told(self, work: Awaitable[T]) -> T:
        """The work's result; what is the matter becomes an answer that an agent can read."""
        try:
            return await work
        except DeskRefused as refused:
            raise HTTPException(409, refused.reason) from None
        except ClientIdReused as refused:
            raise HTTPException(409, refused.reason) from None
        except ConversationUnknown:
            raise HTTPException(404, "There is no such chat.") from None
        except FrontdeskError:
            raise HTTPException(503, AWAY) from None

    def _page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        shown = {"company": self._room.settings.company, **values}
        return HTMLResponse(TEMPLATES.get_template(template).render(shown), status, HEADERS)


def _refuse_other_pages(request: Request) -> None:
    if not origin_allowed(request.headers.get("origin"), request.headers.get("host"), ()):
        raise HTTPException(403, "Requests from this site are not allowed.")


def _id(fields: dict[str, Any]) -> str:
    id = fields.get("id")
    if not isinstance(id, str) or not 8 <= len(id) <= 64 or not id.isascii() or not id.isprintable():
        raise HTTPException(422, "The message has no id.")
    return id
