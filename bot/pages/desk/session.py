"""Who of the staff is signed in: a signed cookie of their own, a token against forged requests, limits on guessing."""

import asyncio
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.requests import Request
from starlette.responses import Response

from bot.domain import AgentId
from bot.staff import Agent, Staff, is_password
from bot.webchat.identity import SECRET, network_of

LIFETIME_SECONDS = 12 * 3600
PER_ADDRESS = 60
"""Sign-ins tried a minute from one network address."""
PER_ACCOUNT = 5
"""Sign-ins tried a minute for one account."""
TOKEN_HEADER = "x-desk-token"  # noqa: S105  the name of the header
_AUDIENCE = "staff"
_NAME = "frontdesk_staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who is signed in; `token` must come with every change."""

    agent: Agent
    token: str


class TooManyAttempts(Exception):
    """Too many sign-ins from this address or for this account."""


class Sessions:
    """Sign-ins of one process; any process knows them, because the cookie says all."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._per_address, self._per_account = RateLimitItemPerMinute(PER_ADDRESS), RateLimitItemPerMinute(PER_ACCOUNT)

    async def sign_in(self, address: str, id: str, password: str) -> Agent | None:
        """The account, or None for a wrong id or password, which look alike. Raises TooManyAttempts or LogUnavailable."""
        account = id.strip().casefold()[:40]
        here = await self._limiter.hit(self._per_address, "address", network_of(address))
        if not (here and await self._limiter.hit(self._per_account, "account", account)):
            raise TooManyAttempts
        agent = await self._staff.agent(AgentId(account)) if account else None
        return agent if await asyncio.to_thread(is_password, agent, password) else None

    def give_cookie(self, response: Response, agent: Agent, *, secure: bool) -> str:
        """A new session, whatever there was before; returns its token."""
        now, session = int(time.time()), secrets.token_urlsafe(18)
        claims = {
            "aud": _AUDIENCE,
            "sub": agent.id,
            "epoch": agent.epoch,
            "sid": session,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        cookie = jwt.encode(claims, signing_key(), algorithm="HS256")
        name = cookie_name(secure=secure)
        response.set_cookie(name, cookie, max_age=LIFETIME_SECONDS, path="/", httponly=True, secure=secure, samesite="lax")
        return _token(session)

    def take_cookie(self, response: Response, *, secure: bool) -> None:
        """Let this browser out."""
        response.delete_cookie(cookie_name(secure=secure), path="/", httponly=True, secure=secure, samesite="lax")

    async def recognise(self, cookies: Mapping[str, str], *, secure: bool) -> Visit | None:
        """Who this is; None without a genuine, valid cookie of an account that is as it was then. Raises LogUnavailable."""
        try:
            claims = jwt.decode(
                cookies.get(cookie_name(secure=secure), ""),
                signing_key(),
                ["HS256"],
                {"require": ["exp", "aud", "sub"]},
                audience=_AUDIENCE,
            )
        except jwt.InvalidTokenError:
            return None
        agent = await self._staff.agent(AgentId(str(claims["sub"])))
        if agent is None or agent.disabled or agent.epoch != claims.get("epoch"):
            return None
        return Visit(agent=agent, token=_token(str(claims.get("sid"))))


def is_secure(request: Request) -> bool:
    """Whether the page came over TLS."""
    return request.url.scheme == "https"


def cookie_name(*, secure: bool) -> str:
    """Over TLS the browser itself holds the cookie to this host and path."""
    return f"__Host-{_NAME}" if secure else _NAME


def has_token(request: Request, visit: Visit) -> bool:
    """Whether the request comes from a page of this visit."""
    return hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), visit.token.encode())


def _token(session: str) -> str:
    return hmac.new(signing_key(), f"token:{session}".encode(), "sha256").hexdigest()


def signing_key() -> bytes:
    """The key of what only this staff's pages may bring back."""
    return hmac.digest(os.environ[SECRET].encode(), _AUDIENCE.encode(), "sha256")
