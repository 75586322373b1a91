"""Who is a developer: whoever knows DEVELOPER_PASSWORD, by a signed cookie of its own; off without a password."""

import hashlib
import hmac
import os
import time
from collections.abc import Mapping

import jwt
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.responses import Response

from bot.settings import Settings
from bot.webchat.identity import SECRET, network_of

COOKIE = "frontdesk_developer"
LIFETIME_SECONDS = 8 * 3600
ATTEMPTS_PER_MINUTE = 10
"""Passwords tried from one network address."""
_AUDIENCE = "developer"


class Developers:
    """The developer role of one process; `is_on` says whether there is one at all."""

    def __init__(self, settings: Settings) -> None:
        password = settings.developer_password
        self.is_on = password is not None
        self._password = password.get_secret_value() if password else ""
        self._limit = RateLimitItemPerMinute(ATTEMPTS_PER_MINUTE)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def may_try(self, address: str) -> bool:
        """Count one attempt from this network address; False over the limit."""
        return await self._limiter.hit(self._limit, "developer", network_of(address))

    def is_password(self, text: str) -> bool:
        """Whether this is the password; takes as long for a wrong one."""
        return self.is_on and hmac.compare_digest(_digest(text), _digest(self._password))

    def recognise(self, cookies: Mapping[str, str]) -> bool:
        """Whether these cookies hold a genuine, valid one of a developer."""
        token = cookies.get(COOKIE)
        if not self.is_on or not token:
            return False
        try:
            jwt.decode(token, self._key(), ["HS256"], {"require": ["exp", "aud"]}, audience=_AUDIENCE)
        except jwt.InvalidTokenError:
            return False
        return True

    def give_cookie(self, response: Response, *, secure: bool) -> None:
        """Let this browser in; scripts cannot read the cookie and no other site can send it along."""
        claims = {"aud": _AUDIENCE, "exp": int(time.time()) + LIFETIME_SECONDS}
        token = jwt.encode(claims, self._key(), algorithm="HS256")
        response.set_cookie(COOKIE, token, max_age=LIFETIME_SECONDS, httponly=True, secure=secure, samesite="strict")

    def take_cookie(self, response: Response, *, secure: bool) -> None:
        """Let this browser out."""
        response.delete_cookie(COOKIE, httponly=True, secure=secure, samesite="strict")

    def _key(self) -> bytes:
        """Hangs on the password too, so that a new one ends every visit under the old."""
        return hmac.digest(os.environ[SECRET].encode(), f"{_AUDIENCE}:{self._password}".encode(), "sha256")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).digest()
