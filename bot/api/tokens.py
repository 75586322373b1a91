"""Our own tokens: a customer's session, its renewal, and a session of the staff. Signed with keys of their own."""

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from bot.domain import AgentId, CustomerId
from bot.settings import Settings
from bot.webchat.identity import LIFETIME_SECONDS, kept_secret

STAFF_SECONDS = 8 * 3600
_ALGORITHMS = ["HS256"]
_NEEDED = ["exp", "iat", "aud", "sub"]
_LONGEST = 4096
MOST_KEPT = 10_000
"""Sessions whose tokens are remembered as genuine."""
Use = Literal["session", "renew", "staff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Whose session, which one, and until when (seconds since 1970); `signed_in` if the company vouches for who it is."""

    customer: CustomerId
    id: str
    signed_in: bool
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVisit:
    """Whose visit, and the epoch of the account in which it began; it ends with the next epoch."""

    agent: AgentId
    epoch: int


class Tokens:
    """Signs and reads our tokens."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.chainlit_auth_secret or kept_secret(settings.data_dir / "secret")
        uses: tuple[Use, ...] = ("session", "renew", "staff")
        self._keys = {use: hmac.digest(secret.encode(), f"frontdesk api {use}".encode(), "sha256") for use in uses}
        self._session_seconds = settings.session_seconds
        self._read_before: dict[str, Session] = {}

    def begin(self, customer: CustomerId, *, signed_in: bool, most_seconds: float | None = None) -> tuple[Session, str]:
        """A new session with its token."""
        seconds = self._session_seconds if most_seconds is None else min(self._session_seconds, most_seconds)
        return self._session(customer, secrets.token_urlsafe(16), seconds, signed_in=signed_in)

    def go_on(self, session: Session) -> tuple[Session, str]:
        """The same session with a new token."""
        return self._session(session.customer, session.id, self._session_seconds, signed_in=session.signed_in)

    def renewal(self, session: Session) -> str:
        """A token that only renews this session; an anonymous customer has nothing else to come back with."""
        return self._sign("renew", {"sub": session.customer, "sid": session.id, "kind": "visitor"}, LIFETIME_SECONDS)

    def read_session(self, token: str) -> Session | None:
        """The session of a genuine, valid token; to check it again with each message took 6% of the server's time."""
        known = self._read_before.get(token)
        if known is not None and known.until > time.time():
            return known
        session = self._read("session", token)
        if session is not None:
            if len(self._read_before) >= MOST_KEPT:
                self._read_before.clear()
            self._read_before[token] = session
        return session

    def read_renewal(self, token: str) -> Session | None:
        """The session that a genuine, valid token renews."""
        return self._read("renew", token)

    def staff(self, visit: StaffVisit) -> str:
        """A token for somebody of the staff."""
        return self._sign("staff", {"sub": visit.agent, "epoch": visit.epoch}, STAFF_SECONDS)

    def read_staff(self, token: str) -> StaffVisit | None:
        """The visit of a genuine, valid token."""
        claims = self._claims("staff", token)
        return StaffVisit(agent=AgentId(str(claims["sub"])), epoch=int(claims["epoch"])) if claims else None

    def _session(self, customer: CustomerId, id: str, seconds: float, *, signed_in: bool) -> tuple[Session, str]:
        kind = "customer" if signed_in else "visitor"
        token = self._sign("session", {"sub": customer, "sid": id, "kind": kind}, seconds)
        return Session(customer=customer, id=id, signed_in=signed_in, until=time.time() + seconds), token

    def _sign(self, use: Use, claims: dict[str, object], seconds: float) -> str:
        now = time.time()
        times = {"aud": f"frontdesk/{use}", "iat": int(now), "exp": int(now + seconds)}
        return jwt.encode({**claims, **times}, self._keys[use], algorithm=_ALGORITHMS[0])

    def _read(self, use: Use, token: str) -> Session | None:
        claims = self._claims(use, token)
        if claims is None:
            return None
        return Session(
            customer=CustomerId(str(claims["sub"])),
            id=str(claims["sid"]),
            signed_in=claims["kind"] == "customer",
            until=float(claims["exp"]),
        )

    def _claims(self, use: Use, token: str) -> dict[str, Any] | None:
        if len(token) > _LONGEST:
            return None
        try:
            return dict(jwt.decode(token, self._keys[use], _ALGORITHMS, {"require": _NEEDED}, audience=f"frontdesk/{use}"))
        except jwt.InvalidTokenError:
            return None
