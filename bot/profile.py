"""Long-term memory: what is known about a customer beyond one conversation, each with its source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.accounts import DEVELOPERS
from bot.domain import ConversationId, CustomerId, EntryId
from bot.records import ERASED

VISITOR = "visitor-"
"""Begins the id of a customer who did not sign in."""
VALUE_CHARS = 200


class Trait(StrEnum):
    """What may be known about a customer: the closed list, in the order in which it is told."""

    NAME = "name"
    PLAN = "plan"
    DEVICE = "device"
    PREFERENCE = "preference"
    ISSUE = "issue"
    """A past question, and what became of it."""


MOST = {Trait.NAME: 1, Trait.PLAN: 4, Trait.DEVICE: 6, Trait.PREFERENCE: 6, Trait.ISSUE: 10}
"""How many of each are kept: the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One thing that is known, the entry that says so, and when that was said last."""

    trait: Trait
    value: str
    conversation: ConversationId
    entry: EntryId
    at: datetime

    @property
    def key(self) -> str:
        """What makes it the same thing when it is said again."""
        return " ".join(self.value.casefold().split())


class Profiles(Protocol):
    """What every store of profiles promises. Any method raises LogUnavailable when the store cannot be used."""

    async def profile(self, customer: CustomerId) -> Sequence[Known]:
        """What is known and not too old, by trait, the latest first; nothing for an anonymous customer."""
        ...

    async def learn(self, customer: CustomerId, known: Sequence[Known]) -> None:
        """Keep it; said again it is dated anew, and what is too much of its kind is dropped. To repeat it is harmless."""
        ...

    async def forget(self, customer: CustomerId, trait: Trait | None = None) -> int:
        """Delete everything, or one trait, and say how many things that were."""
        ...

    async def expire(self, before: datetime) -> int:
        """Delete what was last said before that moment, of all customers, and say how many things that were."""
        ...


def has_profile(customer: CustomerId) -> bool:
    """Whether it is somebody whom we know again: not a visitor, not erased, not a developer's replay."""
    return bool(customer) and customer != DEVELOPERS and not customer.startswith((VISITOR, ERASED))


def in_order(known: Sequence[Known]) -> list[Known]:
    """By trait, the latest first, and of each no more than are kept."""
    latest = sorted(known, key=lambda one: (one.at, one.entry, one.value), reverse=True)
    return [one for trait in Trait for one in [each for each in latest if each.trait is trait][: MOST[trait]]]
