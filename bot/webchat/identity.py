"""Who a visitor is: a random id in a signed cookie. Nothing about visitors is stored."""

import os
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import jwt
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.responses import Response

from bot.domain import CustomerId
from bot.errors import SettingsInvalid
from bot.settings import Settings

COOKIE = "access_token"
LIFETIME_SECONDS = 90 * 24 * 3600
RENEW_AFTER_SECONDS = 24 * 3600
SIGNED_IN_SECONDS = 8 * 3600
"""A customer's visit ends then; the company says anew who it is."""
SECRET = "CHAINLIT_AUTH_SECRET"  # noqa: S105  the name of the variable, not the secret

_SHORTEST_SECRET = 32
_ANONYMOUS = "visitor-"
_CLAIMS = ["exp", "iat", "identifier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A visitor whose cookie is genuine; `stale` if it should be given out anew so that it does not run out.

    `visit` is what is over with a sign-in or sign-out; `until` is when a signed-in customer's ends (seconds since 1970).
    """

    id: CustomerId
    stale: bool
    visit: str
    until: float | None = None

    @property
    def signed_in(self) -> bool:
        """Whether the company has said who it is."""
        return not self.id.startswith(_ANONYMOUS)


def use_secret(settings: Settings) -> None:
    """Set the secret that signs cookies, for Chainlit too: the setting, or one made once and kept in DATA_DIR.

    Raises SettingsInvalid if it cannot be kept or read.
    """
    os.environ[SECRET] = settings.chainlit_auth_secret or kept_secret(settings.data_dir / "secret")


def kept_secret(path: Path) -> str:
    """The secret in this file, made at the first start; processes that start together agree on one.

    Raises SettingsInvalid naming the file.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_once(path, secrets.token_hex(32))
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"The secret that signs visitors' cookies cannot be kept in {path}: {error}") from None
    if len(secret) < _SHORTEST_SECRET:
        raise SettingsInvalid(f"{path} is damaged: delete it (visitors get new identities) or set CHAINLIT_AUTH_SECRET.")
    return secret


def _write_once(path: Path, text: str) -> None:
    """Write the whole file at once unless another process was first; temporary files are made with mode 0600."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".secret-", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)
        except FileExistsError:
            return


def new_visitor() -> Visitor:
    """Somebody we have not seen before."""
    id = f"{_ANONYMOUS}{uuid.uuid4()}"
    return Visitor(id=CustomerId(id), stale=True, visit=id)


def new_visit(customer: CustomerId, now: float) -> Visitor:
    """A customer who signs in."""
    return Visitor(id=customer, stale=True, visit=secrets.token_urlsafe(16), until=now + SIGNED_IN_SECONDS)


def read_visitor(cookies: Mapping[str, str], now: float) -> Visitor | None:
    """The visitor behind these cookies, or None if there is no genuine, valid one."""
    try:
        claims = jwt.decode(cookies.get(COOKIE, ""), os.environ[SECRET], ["HS256"], {"require": _CLAIMS})
    except jwt.InvalidTokenError:
        return None
    id, visit = str(claims["identifier"]), (claims.get("metadata") or {}).get("visit")
    return Visitor(
        id=CustomerId(id),
        stale=now - claims["iat"] > RENEW_AFTER_SECONDS,
        visit=visit or id,
        until=float(claims["exp"]) if visit else None,
    )


def sign(visitor: CustomerId, now: float, visit: str = "", until: float | None = None) -> str:
    """The visitor's token, as Chainlit's routes read it too."""
    claims: dict[str, Any] = {
        "identifier": visitor,
        "display_name": None,
        "metadata": {"visit": visit} if visit else {},
        "iat": now,
        "exp": until or now + LIFETIME_SECONDS,
    }
    return jwt.encode(claims, os.environ[SECRET], algorithm="HS256")


def give_cookie(response: Response, visitor: Visitor, now: float, *, secure: bool) -> None:
    """Put the visitor's identity into the browser; scripts cannot read it, other sites cannot send it along."""
    response.set_cookie(
        COOKIE,
        sign(visitor.id, now, visitor.visit if visitor.until else "", visitor.until),
        max_age=int(visitor.until - now) if visitor.until else LIFETIME_SECONDS,
        httponly=True,
        secure=secure,
        samesite="lax",
    )


def take_cookie(response: Response, *, secure: bool) -> None:
    """Take the visitor's identity out of the browser."""
    response.delete_cookie(COOKIE, httponly=True, secure=secure, samesite="lax")


class VisitorRate:
    """New visitors per minute and network address; counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def allows(self, address: str) -> bool:
        """Count one new visitor from this address; False over the limit."""
        return await self._limiter.hit(self._limit, "visitors", network_of(address))


def network_of(address: str) -> str:
    """What to count an address under: itself, or for IPv6 its /64, which one subscriber has whole."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
