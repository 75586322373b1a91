"""The staff: who may work at the desk, what they can do, and their passwords, of which only the argon2 hash is kept."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.domain import AgentId
from bot.errors import StaffInvalid

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
MOST_CHATS = 20
DEFAULT_CAPACITY = 4
_ID = re.compile(r"[a-z][a-z0-9.-]{1,39}")
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_NAME_SIGNS = frozenset(" .'’-")


class Role(StrEnum):
    """What somebody of the staff may do; each role may do what the one before it may."""

    AGENT = "agent"
    DEVELOPER = "developer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Somebody of the staff. `skills` are intents, `capacity` the chats at a time, `epoch` grows with each change.

    An agent without teams or skills is offered everything.
    """

    id: AgentId
    name: str
    role: Role
    password_hash: str
    teams: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    capacity: int = DEFAULT_CAPACITY
    disabled: bool = False
    epoch: int = 0


class Staff(Protocol):
    """The accounts of the staff. Any method raises LogUnavailable when the store cannot be used."""

    async def add(self, agent: Agent) -> None:
        """Keep a new account. Raises StaffInvalid if the id is taken."""
        ...

    async def agent(self, id: AgentId) -> Agent | None:
        """The account, or None if there is none."""
        ...

    async def agents(self) -> Sequence[Agent]:
        """All accounts, by id."""
        ...

    async def change(self, agent: Agent) -> None:
        """Keep the account as it is now; its epoch becomes one higher, which ends its visits."""
        ...

    async def remove(self, id: AgentId) -> None:
        """Forget the account; nothing happens if there is none."""
        ...


def new_agent(id: str, name: str, password: str, role: Role = Role.AGENT, capacity: int = DEFAULT_CAPACITY) -> Agent:
    """An account with these details. Raises StaffInvalid saying what is wrong."""
    if not _ID.fullmatch(id):
        raise StaffInvalid(f"{id!r} is no id: 2 to 40 small letters, digits, dots and hyphens, beginning with a letter")
    if not 1 <= capacity <= MOST_CHATS:
        raise StaffInvalid(f"capacity: 1 to {MOST_CHATS} chats at a time (is {capacity})")
    return Agent(
        id=AgentId(id),
        name=check_name(name),
        role=role,
        password_hash=hash_password(password),
        capacity=capacity,
        epoch=secrets.randbelow(2**30),  # so that no visit of an account before it with the same id opens this one
    )


def check_name(name: str) -> str:
    """A name as customers read it. Raises StaffInvalid: letters, spaces, dots, apostrophes and hyphens only."""
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(plain) <= 60 or not all(sign in _NAME_SIGNS or unicodedata.category(sign)[0] in "LM" for sign in plain):
        raise StaffInvalid(f"{name!r} is no name: up to 60 letters, spaces, dots, apostrophes and hyphens")
    return plain


def check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Names of teams or intents, each once. Raises StaffInvalid."""
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise StaffInvalid(f"{label!r} is no team or intent: small letters, digits, underscores and hyphens")
    return tuple(dict.fromkeys(labels))


def new_password() -> str:
    """A password of 96 random bits."""
    return secrets.token_urlsafe(12)


def hash_password(password: str) -> str:
    """The argon2id hash with its own salt and costs. Raises StaffInvalid for a password that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise StaffInvalid(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return PasswordHasher().hash(password)


def is_password(agent: Agent | None, password: str) -> bool:
    """Whether this opens the account; takes as long where there is none. Takes tens of milliseconds: call it in a thread."""
    try:
        PasswordHasher().verify(agent.password_hash if agent else _nobodys_hash(), password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    return agent is not None and not agent.disabled


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return PasswordHasher().hash(secrets.token_hex(16))
