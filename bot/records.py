"""What is asked of all conversations at once, and of one person: search, export, erasure, and tokens that are spent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from bot.domain import Conversation, CustomerId, Holder

ERASED = "erased-"
"""Begins the customer's id of a conversation whose customer was erased; nothing can be appended to it."""
ERASED_DATA = {"erased": True}
"""What stands in the data of an erased entry; its text is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which conversations to find; `text` stands in one of their entries, whatever its case.

    `before` is the last one of the page before: those that changed earlier come next.
    """

    text: str = ""
    customer: CustomerId | None = None
    holder: Holder | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure took away."""

    conversations: int
    entries: int


class PersonalData(Protocol):
    """A store that holds something about customers: what it has can be told, and taken away for good."""

    name: str
    """Its key in an export."""

    async def export(self, customer: CustomerId) -> Mapping[str, Any]:
        """All it holds about the customer, as JSON. Raises LogUnavailable."""
        ...

    async def erase(self, customer: CustomerId) -> Mapping[str, int]:
        """Take it away, byte by byte, and tell how much of what it was; again is harmless. Raises LogUnavailable."""
        ...


class Records(PersonalData, Protocol):
    """The log's records. Any method raises LogUnavailable when the store cannot be used."""

    async def search(self, wanted: Wanted) -> Sequence[Conversation]:
        """Conversations that have at least one entry, those that changed last first."""
        ...

    async def escalations(self, limit: int, before: datetime | None = None) -> Sequence[Mapping[str, Any]]:
        """The times that people were needed, the latest first; only those before that moment."""
        ...

    async def claim(self, visitor: CustomerId, customer: CustomerId) -> int:
        """Make the visitor's conversations the customer's, and say how many."""
        ...

    async def spend(self, token: str, until: datetime) -> bool:
        """Note that a token or session is spent, at least until then; False if it was already."""
        ...

    async def spent(self, prefix: str, since: datetime) -> Sequence[str]:
        """Those beginning with `prefix` that were spent since then and would still be valid."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A log that has records."""

    records: Records
