"""What an agent looks up and does on behalf of a customer: first shown in words, then confirmed, then done once."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import jwt
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import JSONResponse, Response

from bot.backoffice.office import Slot
from bot.desk.behalf import Behalf
from bot.desk.cases import Case
from bot.errors import DeskRefused
from bot.llm.stream import ToolRequest
from bot.pages.desk.access import HEADERS, Access, read_id, told
from bot.pages.desk.render_customer import Form, render_customer, render_form, render_ticket
from bot.pages.desk.session import Visit, signing_key
from bot.tickets import Ticket
from bot.tools.account_tools import broadband_lines
from bot.tools.calls import PROPOSAL_MINUTES, Proposal, read_proposal

_AUDIENCE = "proposal"
_WHOLE = ("line", "start_hour")
"""Arguments that are numbers; a form has only words."""
LATE = "That was a while ago, so nothing was done. Please start again."


class ToolRoutes:
    """The routes under `/chats/{chat}` that stand before the acts of the desk itself."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._behalf: Behalf = access.room.behalf
        self.router = APIRouter(include_in_schema=False, prefix="/chats/{chat}")
        self.router.add_api_route("/customer", self.customer, methods=["GET"])
        self.router.add_api_route("/ticket", self.ticket, methods=["GET"])
        self.router.add_api_route("/form", self.form, methods=["GET"])
        self.router.add_api_route("/propose", self.propose, methods=["POST"])
        self.router.add_api_route("/confirm", self.confirm, methods=["POST"])

    async def customer(self, request: Request, chat: str) -> Response:
        """What is known of the customer, with what can be changed."""
        visit, case = await self._reading(request, chat)
        known = await told(self._behalf.look(visit.agent, case, uuid4().hex))
        return JSONResponse({"html": render_customer(known, case)}, headers=HEADERS)

    async def ticket(self, request: Request, chat: str, number: str = "") -> Response:
        """One ticket with its history."""
        visit, case = await self._reading(request, chat)
        wanted = ToolRequest(id=uuid4().hex, name="get_ticket", arguments={"number": number})
        called = await told(self._behalf.find(visit.agent, case, wanted))
        html = render_ticket(called.value) if isinstance(called.value, Ticket) else ""
        return JSONResponse({"html": html}, headers=HEADERS)

    async def form(self, request: Request, chat: str) -> Response:
        """The form of a change; for a visit with the times that are free."""
        visit, case = await self._reading(request, chat)
        asked = {"number": "", "status": "", "line": "1", "kind": "repair", **request.query_params}
        name = asked.get("tool", "")
        known = await told(self._behalf.look(visit.agent, case, uuid4().hex))
        if name not in known.may:
            raise HTTPException(409, "Claim this chat to do this for the customer.")
        lines = broadband_lines(known.account) if known.account else []
        moved = next((one for one in known.visits if one.number == asked.get("number")), None)
        if moved:
            asked["line"] = str(next((place for place, line in enumerate(lines, 1) if line.id == moved.line), 1))
            asked["kind"] = moved.kind
        slots = await self._slots(visit, case, asked) if name in ("book_appointment", "change_booking") else ()
        html = render_form(Form(tool=name, asked=asked, lines=lines, slots=slots, moved=moved))
        return JSONResponse({"html": html}, headers=HEADERS)

    async def propose(self, request: Request, chat: str) -> Response:
        """What would be done, in words, and what confirms it."""
        visit, fields = await self._access.changing(request)
        case = await self._access.case(chat)
        wanted = ToolRequest(id=read_id(fields), name=str(fields.get("tool", "")), arguments=read_arguments(fields))
        proposal = await told(self._behalf.propose(visit.agent, case, wanted))
        return JSONResponse({"words": proposal.words, "proposal": seal(proposal, visit, wanted.id)}, headers=HEADERS)

    async def confirm(self, request: Request, chat: str) -> Response:
        """Do what was proposed; the same again does nothing more."""
        visit, fields = await self._access.changing(request)
        case = await self._access.case(chat)
        proposal, id = unseal(str(fields.get("proposal", "")), visit, case)
        words = await told(self._behalf.confirm(visit.agent, case, proposal, id))
        self._access.room.watch.wake()
        return JSONResponse({"ok": True, "words": words}, headers=HEADERS)

    async def _reading(self, request: Request, chat: str) -> tuple[Visit, Case]:
        visit = await self._access.signed_in(request)
        return visit, await self._access.case(chat)

    async def _slots(self, visit: Visit, case: Case, asked: Mapping[str, str]) -> Sequence[Slot]:
        arguments = {"line": _number(asked["line"]), "kind": asked["kind"]}
        wanted = ToolRequest(id=uuid4().hex, name="free_appointments", arguments=arguments)
        try:
            found = (await self._behalf.find(visit.agent, case, wanted)).value
        except DeskRefused:
            return ()
        return found if isinstance(found, tuple) else ()


def read_arguments(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The tool's arguments from a form's fields: a slot is a day and an hour, numbers are numbers."""
    given = fields.get("arguments")
    arguments = {str(name): value for name, value in given.items()} if isinstance(given, dict) else {}
    day, _, hour = str(arguments.pop("slot", "")).partition("T")
    if day:
        arguments |= {"day": day, "start_hour": hour}
    return {name: _number(value) if name in _WHOLE else value for name, value in arguments.items()}


def seal(proposal: Proposal, visit: Visit, id: str) -> str:
    """A proposal that only this visit can confirm, for some minutes."""
    claims = {**proposal.as_data(), "chat": proposal.conversation, "agent": visit.agent.id, "id": id}
    until = int(time.time()) + PROPOSAL_MINUTES * 60
    return jwt.encode({**claims, "aud": _AUDIENCE, "exp": until}, signing_key(), algorithm="HS256")


def unseal(sealed: str, visit: Visit, case: Case) -> tuple[Proposal, str]:
    """The proposal and the id of its request. Raises HTTPException if it is not this agent's, or too old."""
    try:
        claims = jwt.decode(sealed, signing_key(), ["HS256"], {"require": ["exp", "aud"]}, audience=_AUDIENCE)
    except jwt.ExpiredSignatureError:
        raise HTTPException(409, LATE) from None
    except jwt.InvalidTokenError:
        raise HTTPException(422, "The request cannot be read.") from None
    proposal = read_proposal(claims, case.id)
    if proposal is None or (claims.get("chat"), claims.get("agent")) != (case.id, visit.agent.id):
        raise HTTPException(422, "The request cannot be read.")
    return proposal, str(claims.get("id"))


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4 else value
