"""The accounts: what the language models took for each customer and day, and how much of the day's tokens is left."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bot.domain import ConversationId, CustomerId, Usage

DEVELOPERS = CustomerId("developers")
"""On their account go the turns that are run again; it has no cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """On whose account a turn goes: the customer, and the message `seq` of the conversation that it answers."""

    customer: CustomerId
    conversation: ConversationId
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a turn took, on the day (UTC) it began; `reserved` are the tokens that were set aside for it."""

    account: Account
    day: date
    usage: tuple[Usage, ...]
    reserved: int = 0

    @property
    def tokens(self) -> int:
        """All tokens of the bill."""
        return sum((one.prompt_tokens or 0) + (one.completion_tokens or 0) for one in self.usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a customer took on a day: `tokens` with those set aside for calls under way, `cost` in US dollars.

    `unpriced` counts the calls whose price nobody knows; they are not in `cost`.
    """

    tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0


class Accounts(Protocol):
    """What every book of accounts promises; any method raises LogUnavailable when the store cannot be used."""

    async def reserve(self, customer: CustomerId, day: date, tokens: int, most: int) -> bool:
        """Set tokens aside, unless the customer's day would then have more than `most`; however many ask at once."""
        ...

    async def record(self, bill: Bill) -> None:
        """Keep what a turn took, and give back what was set aside for it, in one step."""
        ...

    async def spent(self, customer: CustomerId, day: date) -> Spent:
        """What the customer took that day."""
        ...
