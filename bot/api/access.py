"""Who may do what: the one place where a token becomes a person, and a person's rights are checked."""

import asyncio
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.api.customer_tokens import CustomerTokens
from bot.api.ended import Ended
from bot.api.problems import Refused
from bot.api.seams import Seams
from bot.api.tokens import Session, StaffVisit, Tokens
from bot.domain import AgentId
from bot.staff import Agent, Role, is_password
from bot.webchat.identity import LIFETIME_SECONDS

SIGNED_OUT = "session:"
DEVELOPER = AgentId("developer")
"""The account of whoever knows DEVELOPER_PASSWORD."""
_NO_SESSION = "Begin a session first: POST /api/v1/chat/session, then send its token as `Authorization: Bearer …`."
_NO_STAFF = "Log in first: POST /api/v1/staff/session, then send its token as `Authorization: Bearer …`."
_RANKS = (Role.AGENT, Role.DEVELOPER, Role.ADMIN)


class Scope(StrEnum):
    """What a route asks of its caller."""

    CHAT = "chat"
    AGENT = "agent"
    DEVELOPER = "developer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody of the staff who is logged in."""

    id: AgentId
    name: str
    role: Role


class Access:
    """Turns tokens into people."""

    def __init__(self, seams: Seams) -> None:
        settings = seams.bot.settings
        self.tokens = Tokens(settings)
        self.customers = CustomerTokens(settings, seams.records)
        self._staff = seams.staff
        self._password = settings.developer_password
        self._ended = Ended(seams.records, SIGNED_OUT)

    # -- customers

    async def session(self, token: str) -> Session:
        """The customer's session. Raises Refused (401)."""
        session = self.tokens.read_session(token)
        if session is None:
            raise Refused(401, "session", f"This session is not valid, or has run out. {_NO_SESSION}")
        if await self.has_ended(session):
            raise Refused(401, "signed_out", f"This session was signed out. {_NO_SESSION}")
        return session

    async def has_ended(self, session: Session) -> bool:
        """Whether it was signed out, here or (up to a second ago) in another process."""
        return await self._ended.has(session.id)

    async def end(self, session: Session) -> None:
        """Sign out: the session, its renewals and its sockets are over."""
        until = datetime.fromtimestamp(session.until, UTC) + timedelta(seconds=LIFETIME_SECONDS)
        await self._ended.end(session.id, until)

    # -- staff

    async def log_in(self, id: str, password: str) -> tuple[StaffMember, str]:
        """Somebody of the staff, and their token. Raises Refused (401), which does not tell what was wrong."""
        member, epoch = await self._by_password(id, password)
        if member is None:
            raise Refused(401, "login", "There is no account with this id and password. Try again, or ask an administrator.")
        return member, self.tokens.staff(StaffVisit(agent=member.id, epoch=epoch))

    async def member(self, token: str, role: Role) -> StaffMember:
        """Somebody of the staff who may do what this role may. Raises Refused (401 or 403)."""
        visit = self.tokens.read_staff(token)
        member = await self._visiting(visit) if visit else None
        if member is None:
            raise Refused(401, "staff_session", f"This is no valid session of the staff. {_NO_STAFF}")
        if _RANKS.index(member.role) < _RANKS.index(role):
            raise Refused(403, "role", f"This needs the role {role}; your account has the role {member.role}.")
        return member

    async def _by_password(self, id: str, password: str) -> tuple[StaffMember | None, int]:
        if id == DEVELOPER and self._password:
            given, wanted = password.encode("utf-8", "replace"), self._password.get_secret_value().encode()
            return (_DEVELOPER if hmac.compare_digest(given, wanted) else None), self._epoch()
        agent = await self._staff.agent(AgentId(id)) if self._staff else None
        if self._staff is None or not await asyncio.to_thread(is_password, agent, password) or agent is None:
            return None, 0
        return _member(agent), agent.epoch

    async def _visiting(self, visit: StaffVisit) -> StaffMember | None:
        if visit.agent == DEVELOPER and self._password:
            return _DEVELOPER if visit.epoch == self._epoch() else None
        agent = await self._staff.agent(visit.agent) if self._staff else None
        valid = agent is not None and not agent.disabled and agent.epoch == visit.epoch
        return _member(agent) if agent and valid else None

    def _epoch(self) -> int:
        """Another password ends every visit under the one before."""
        secret = self._password.get_secret_value() if self._password else ""
        return int.from_bytes(hmac.digest(b"epoch", secret.encode(), "sha256")[:6], "big")


_DEVELOPER = StaffMember(id=DEVELOPER, name="Developer", role=Role.DEVELOPER)

_bearer_customer = HTTPBearer(auto_error=False, scheme_name="customer", description="The token of a chat session.")
_bearer_staff = HTTPBearer(auto_error=False, scheme_name="staff", description="The token of a session of the staff.")
_CustomerToken = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_customer)]
_StaffToken = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_staff)]


def access_of(request: Request) -> Access:
    """The access of the application that answers."""
    access: Access = request.app.state.access
    return access


def seams_of(request: Request) -> Seams:
    """What the application stands on."""
    seams: Seams = request.app.state.seams
    return seams


async def _access(request: Request) -> Access:
    return access_of(request)  # a dependency that is no coroutine would be run in a thread


async def _seams(request: Request) -> Seams:
    return seams_of(request)


async def _customer(request: Request, token: _CustomerToken) -> Session:
    if token is None:
        raise Refused(401, "session", _NO_SESSION)
    return await access_of(request).session(token.credentials)


async def _agent(request: Request, token: _StaffToken) -> StaffMember:
    return await _require(request, token, Role.AGENT)


async def _developer(request: Request, token: _StaffToken) -> StaffMember:
    return await _require(request, token, Role.DEVELOPER)


async def _admin(request: Request, token: _StaffToken) -> StaffMember:
    return await _require(request, token, Role.ADMIN)


async def _admin_or_own(request: Request, customer: str, token: _StaffToken, own: _CustomerToken) -> StaffMember | Session:
    """An administrator, or the customer whose data it is."""
    access = access_of(request)
    if own is not None:
        session = access.tokens.read_session(own.credentials)
        if session is not None and session.customer == customer:
            return await access.session(own.credentials)
        if session is not None:
            raise Refused(403, "role", "These data are another customer's. Ask for your own, or log in as an administrator.")
    return await _require(request, token, Role.ADMIN)


async def _require(request: Request, token: HTTPAuthorizationCredentials | None, role: Role) -> StaffMember:
    if token is None:
        raise Refused(401, "staff_session", _NO_STAFF)
    return await access_of(request).member(token.credentials, role)


Customer = Annotated[Session, Depends(_customer)]
AnAgent = Annotated[StaffMember, Depends(_agent)]
ADeveloper = Annotated[StaffMember, Depends(_developer)]
AnAdmin = Annotated[StaffMember, Depends(_admin)]
AdminOrOwner = Annotated[StaffMember | Session, Depends(_admin_or_own)]
Parts = Annotated[Seams, Depends(_seams)]
Gatekeeper = Annotated[Access, Depends(_access)]
GUARDS = (_customer, _agent, _developer, _admin, _admin_or_own)
"""Every route depends on one of these, or stands in the list of those that are open (tests/api)."""


def _member(agent: Agent) -> StaffMember:
    return StaffMember(id=agent.id, name=agent.name, role=agent.role)
