"""The clerk: what the bot looks up and does for a customer, with a back office and tickets behind it.

Who the customer is comes from the conversation. Visitors have no account; where the demo company stands behind the bot,
they may be lent one of its customers'.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from bot.accounts import Account
from bot.classify import IntentGuess
from bot.domain import CustomerId, Entry, Escalation, Reading, Reason
from bot.errors import FrontdeskError, LogUnavailable
from bot.tickets import NewTicket, Priority, ticket_priority
from bot.tools.errands import Acted, Errands
from bot.tools.tool import Caller, Role
from bot.tools.toolbox import Toolbox, ToolTurn

logger = logging.getLogger(__name__)

FLAGS_SECONDS = 1.0
HANDED_OVER = "Chat with a colleague"
SAYS_NOTHING = frozenset({"", "human", "greeting", "off_topic"})
"""Intents that do not say what a ticket is about."""
VISITOR = "visitor-"
"""What the ids of customers begin with who have not signed in."""


class Closable(Protocol):
    """What the tickets and the demo company are kept in."""

    async def close(self) -> None:
        """Let work under way finish and release every connection."""
        ...


class Clerk:
    """Calls tools for the customer of a turn; nothing that anybody wrote says who that is."""

    def __init__(self, toolbox: Toolbox, errands: Errands, store: Closable, demo_account: str | None = None) -> None:
        self._toolbox = toolbox
        self._store = store
        self._errands = errands
        self._demo_account = demo_account

    def account(self, customer: CustomerId) -> str | None:
        """The customer's number in the back office, or None for a visitor."""
        return self._demo_account if customer.startswith(VISITOR) else str(customer)

    async def flags(self, whose: Account) -> tuple[str, ...]:
        """What the company minds about the customer (`vip`, `vulnerable`); nothing of a visitor, or when it cannot say."""
        account = self.account(whose.customer)
        if account is None:
            return ()
        try:
            async with asyncio.timeout(FLAGS_SECONDS):
                found = await self._toolbox.supplies.office.account(account)
                return found.flags if found else ()
        except (FrontdeskError, TimeoutError) as failure:
            logger.info("conversation %s: nothing is known of its customer: %r", whose.conversation, failure)
            return ()

    async def act(self, asked: Entry, earlier: Sequence[Entry], whose: Account, reading: Reading) -> Acted | None:
        """What is done about a message without a model; None: nothing, the articles answer it."""
        guess = IntentGuess(
            name=reading.intent, confidence=reading.confidence, also=reading.also, in_scope=reading.in_scope, by="model"
        )
        return await self._errands.act(guess, asked, earlier, self._caller(whose, reading), datetime.now(UTC))

    def begin(self, whose: Account, reading: Reading) -> ToolTurn:
        """The tools that a model may use in this turn."""
        return self._toolbox.begin(self._caller(whose, reading))

    def serve(self, whose: Account, role: Role, request: str, priority: Priority = Priority.NORMAL) -> ToolTurn:
        """The tools for a person at the desk, on behalf of this customer; `request` names who asks for what."""
        caller = Caller(
            customer=whose.customer,
            conversation=whose.conversation,
            seq=whose.seq,
            role=role,
            account=self.account(whose.customer),
            priority=priority,
            request=request,
        )
        return self._toolbox.begin(caller, asker="desk")

    async def open_ticket(self, asked: Entry, whose: Account, reading: Reading, escalation: Escalation) -> str:
        """The number of the ticket that a handover opens, once per message; "" when it could not be opened."""
        caller = self._caller(whose, reading, escalation)
        wanted = NewTicket(
            customer=caller.owner,
            conversation=asked.conversation,
            subject=_handover_subject(reading, escalation),
            key=f"{asked.conversation}:{asked.seq}:handover",
            category=reading.intent or "other",
            priority=caller.priority,
        )
        try:
            return (await self._toolbox.supplies.tickets.open(wanted)).number
        except LogUnavailable:
            logger.exception("conversation %s: the handover has no ticket", asked.conversation)
            return ""

    async def close(self) -> None:
        """Release the back office's connections, and the store."""
        await self._toolbox.supplies.office.close()
        await self._store.close()

    def _caller(self, whose: Account, reading: Reading, escalation: Escalation | None = None) -> Caller:
        return Caller(
            customer=whose.customer,
            conversation=whose.conversation,
            seq=whose.seq,
            account=self.account(whose.customer),
            priority=ticket_priority(escalation.reason if escalation else None, reading.frustration),
        )


def _handover_subject(reading: Reading, escalation: Escalation) -> str:
    """What a customer may read in the list of their tickets: what it was about, never why a rule handed it over."""
    says_nothing = escalation.reason is Reason.CRISIS or reading.intent in SAYS_NOTHING
    return HANDED_OVER if says_nothing else f"{HANDED_OVER}: {reading.intent.replace('_', ' ')}"
