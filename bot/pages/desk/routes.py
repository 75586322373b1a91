"""The desk under `/desk`: for who is signed in, and changes only from its own page, with its token."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from bot.desk.cases import Case
from bot.desk.room import Room
from bot.domain import ConversationId, Entry, Holder
from bot.errors import LogUnavailable
from bot.pages.desk.access import HEADERS, MOST_SHOWN, Access, read_id, refuse_other_pages, told
from bot.pages.desk.render import render_board, render_chat, render_live, render_packet, render_suggestion
from bot.pages.desk.reports import ReportRoutes
from bot.pages.desk.session import TooManyAttempts, Visit, is_secure
from bot.pages.desk.stream import PageStream, show
from bot.pages.desk.tools import ToolRoutes
from bot.pages.rendering import TEMPLATES
from bot.roster import State

MOST_LISTED = 5
"""Earlier chats in the packet."""

Act = Callable[[Visit, ConversationId, dict[str, Any]], Awaitable[object]]


class DeskRoutes:
    """The routes of one room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._access = Access(room)
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
        add("/live", self.live, methods=["GET"])
        self.router.include_router(ToolRoutes(self._access).router)
        self.router.include_router(ReportRoutes(self._access).router)
        add("/chats/{chat}/{act}", self.act, methods=["POST"])
        self._acts: dict[str, Act] = {
            "claim": lambda v, chat, _: room.desk.claim(v.agent, chat),
            "say": lambda v, chat, f: room.desk.say(v.agent, chat, f.get("text"), read_id(f), f.get("citations")),
            "note": lambda v, chat, f: room.desk.note(v.agent, chat, f.get("text"), read_id(f)),
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
        refuse_other_pages(request)
        fields = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        id, password = (fields.get(name, [""])[0] for name in ("id", "password"))
        wants_json = "application/json" in request.headers.get("accept", "")
        try:
            agent = await self._access.sessions.sign_in(request.client.host if request.client else "", id, password)
            problem, status = ("", 200) if agent else ("That id and password do not fit together.", 403)
        except TooManyAttempts:
            agent, problem, status = None, "Too many attempts. Please wait a minute and try again.", 429
        except LogUnavailable:
            agent, problem, status = None, "Nobody can sign in at the moment. Please try again soon.", 503
        if agent is None:
            if wants_json:
                return JSONResponse({"problem": problem}, status, HEADERS)
            return self._page("desk_login.html", status, id=id, problem=problem)
        if not wants_json:  # a page that was signed out in the middle of something stays as it was
            takes_chats = "quiet" not in fields
            await told(self._room.roster.set_state(agent.id, State.AVAILABLE if takes_chats else State.AWAY))
        response: Response = JSONResponse({}, headers=HEADERS) if wants_json else RedirectResponse("/desk", 303, HEADERS)
        token = self._access.sessions.give_cookie(response, agent, secure=is_secure(request))
        response.headers["X-Desk-Token"] = token
        return response

    async def sign_out(self, request: Request) -> Response:
        """Back to the form; the browser forgets the session, and no customer waits for somebody who has gone home."""
        refuse_other_pages(request)
        if visit := await self._access.visit(request):
            await told(self._room.sign_out(visit.agent))
        response = RedirectResponse("/desk/login", 303, HEADERS)
        self._access.sessions.take_cookie(response, secure=is_secure(request))
        return response

    # -- what the page shows

    async def page(self, request: Request) -> Response:
        """The desk."""
        visit = await self._access.visit(request)
        if visit is None:
            return RedirectResponse("/desk/login", 303, HEADERS)
        board = render_board(self._room, visit.agent)
        return self._page("desk.html", visit=visit, board=board, states=list(State))

    async def events(self, request: Request) -> Response:
        """The stream of changes."""
        visit = await self._access.signed_in(request)

        async def is_welcome() -> bool:
            return await self._access.visit(request) is not None

        stream = PageStream(self._room, visit.agent, is_welcome)
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(stream.lines(), headers=headers, media_type="text/event-stream")

    async def chat(self, request: Request, chat: str) -> Response:
        """One chat with its packet."""
        visit = await self._access.signed_in(request)
        case = await self._access.case(chat)
        entries = await self._access.entries(case)
        return JSONResponse(
            {
                "id": case.id,
                "seq": entries[-1].seq if entries else 0,  # the case may be ahead of them by now
                "html": render_chat(self._room, visit.agent, case, entries),
                "packet": await told(self._packet(case, entries)),
            },
            headers=HEADERS,
        )

    async def packet(self, request: Request, chat: str) -> Response:
        """The packet as it is now."""
        await self._access.signed_in(request)
        case = await self._access.case(chat)
        entries = await self._access.entries(case)
        return JSONResponse({"packet": await told(self._packet(case, entries))}, headers=HEADERS)

    async def _packet(self, case: Case, entries: Sequence[Entry]) -> str:
        """The packet with the customer's earlier chats. Raises LogUnavailable."""
        chats = await self._room.log.conversations(case.customer, MOST_LISTED + 1)
        past = [chat for chat in chats if chat.id != case.id][:MOST_LISTED]
        return render_packet(case, entries, self._room, past)

    async def live(self, request: Request) -> Response:
        """The conversations that the assistant has, for whoever wants to step in."""
        await self._access.signed_in(request)
        cases = await told(self._room.live_cases())
        return JSONResponse({"html": render_live(cases, self._room), "count": len(cases)}, headers=HEADERS)

    async def entries(self, request: Request, chat: str, after: int = 0) -> Response:
        """What a page missed."""
        await self._access.signed_in(request)
        case = await self._access.case(chat)
        found = await told(self._room.log.after(case.id, after, MOST_SHOWN))
        return JSONResponse([show(entry, self._room) for entry in found], headers=HEADERS)

    async def suggestion(self, request: Request, chat: str) -> Response:
        """A reply from the articles, or none."""
        await self._access.signed_in(request)
        entries = await self._access.entries(await self._access.case(chat))
        found = await told(self._room.suggester.suggest(entries))
        html = render_suggestion(found)
        text, citations = (found.text, found.citations) if found else ("", ())
        return JSONResponse({"html": html, "text": text, "citations": citations}, headers=HEADERS)

    async def search(self, request: Request, q: str = "") -> Response:
        """Passages of the articles."""
        await self._access.signed_in(request)
        hits = await told(self._room.suggester.search(q))
        return JSONResponse({"html": TEMPLATES.get_template("desk_found.html").render(hits=hits, q=q)}, headers=HEADERS)

    # -- what an agent does

    async def act(self, request: Request, chat: str, act: str) -> Response:
        """Claim, say, note, hand back, pass on, close, pass by, type."""
        visit, fields = await self._access.changing(request)
        if act not in self._acts:
            raise HTTPException(404, "There is no such thing to do.")
        result = await told(self._acts[act](visit, ConversationId(chat), fields))
        self._room.watch.wake()
        if act == "claim":
            self._room.watch.on_taken(ConversationId(chat))
        if act in ("claim", "hand-back", "pass-on", "close"):
            await told(self._room.watch.look())
        return JSONResponse({"ok": True, "seq": result.seq if isinstance(result, Entry) else None}, headers=HEADERS)

    async def set_state(self, request: Request) -> Response:
        """Available, busy or away."""
        visit, fields = await self._access.changing(request)
        if fields.get("state") not in list(State):
            raise HTTPException(422, "There is no such state.")
        await told(self._room.roster.set_state(visit.agent.id, State(fields["state"])))
        await told(self._room.watch.read_people())
        self._room.board.tell()  # every page of theirs shows it at once
        return JSONResponse({"ok": True}, headers=HEADERS)

    async def _type(self, visit: Visit, chat: ConversationId, _: object) -> None:
        case = self._room.board.cases.get(chat)
        if case and case.agent == visit.agent.id and case.holder is Holder.AGENT:
            self._room.show_typing(chat, visit.agent.name)

    def _page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        settings = self._room.settings
        shown = {"company": settings.company, "company_sign_in": bool(settings.oidc_issuer), **values}
        return HTMLResponse(TEMPLATES.get_template(template).render(shown), status, HEADERS)
