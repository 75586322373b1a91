"""The audit log: every tool call and every refusal, who asked for it and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from bot.domain import ConversationId, CustomerId

Asker = Literal["model", "routes", "desk"]
"""Who wanted the call: a language model, the bot's own rules, or a person at the desk."""


class Ruling(StrEnum):
    """What came of a call: the closed list."""

    DONE = "done"
    PROPOSED = "proposed"
    """A change that waits for the customer's yes."""
    CONFIRMED = "confirmed"
    """The customer said yes; written before the change is made."""
    REFUSED = "refused"
    FAILED = "failed"
    """The company's system or a database did not answer, or answered wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as it is kept: `arguments` is JSON, cut; `reason` is why it was refused or failed, in our words.

    `customer`, `conversation` and `seq` say on whose behalf, from the conversation. `key` names the change that a writing
    call makes; `result` is what it told, cut.
    """

    tool: str
    arguments: str
    customer: CustomerId
    account: str | None
    conversation: ConversationId
    seq: int
    role: str
    asker: Asker
    ruling: Ruling
    at: datetime
    took_ms: float
    reason: str = ""
    key: str = ""
    result: str = ""


class Audit(Protocol):
    """Where calls are recorded. Any method raises LogUnavailable when the store cannot be used."""

    async def record(self, call: CallRecord) -> None:
        """Keep a call; returns when it is on disk."""
        ...

    async def is_begun(self, key: str) -> bool:
        """Whether a change of this key was confirmed before, so that it is made at most once more under the same key."""
        ...

    async def expire(self, before: datetime) -> int:
        """Delete the calls from before that moment, and say how many those were."""
        ...

    async def calls(self, conversation: ConversationId) -> Sequence[CallRecord]:
        """The calls of a conversation, in order."""
        ...
