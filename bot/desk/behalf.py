"""On behalf of a customer: what agents look up and change, with the bot's own tools, checks and audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.accounts import Account
from bot.audit import Ruling
from bot.backoffice.office import CustomerAccount, Invoice, Visit
from bot.clerk import VISITOR, Clerk
from bot.desk.cases import Case
from bot.desk.desk import TEXT_KEPT, Desk
from bot.domain import Holder, Reason
from bot.errors import DeskRefused
from bot.llm.stream import ToolRequest
from bot.staff import Agent, Role
from bot.tickets import Ticket, ticket_priority
from bot.tools.calls import Called, Proposal
from bot.tools.tool import Role as ToolRole
from bot.tools.toolbox import ToolTurn

CHANGES = frozenset("create_ticket update_ticket set_ticket_status book_appointment change_booking cancel_booking".split())
"""The tools that change something; an agent is shown what will be done and confirms it."""
LOOKUPS = frozenset({"get_ticket", "free_appointments"})
NOTHING_HERE = "Nothing can be looked up or changed here: neither a back office nor tickets are set up."
NOT_YOURS = f"Only who has this chat can change anything for its customer. {TEXT_KEPT}"
UNCERTAIN = "Our system did not answer in time. Confirm once more: it is done, and only once."
_ROLES = {Role.AGENT: ToolRole.AGENT, Role.DEVELOPER: ToolRole.AGENT, Role.ADMIN: ToolRole.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a chat's customer; `number` is their account's, lent from the demo company where `is_lent`.

    `may` are the changes that the agent can make, `missing` is what could not be looked up.
    """

    number: str | None = None
    is_lent: bool = False
    account: CustomerAccount | None = None
    tickets: tuple[Ticket, ...] = ()
    visits: tuple[Visit, ...] = ()
    bills: tuple[Invoice, ...] = ()
    may: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()


class Behalf:
    """Calls tools for the customer of a case. Who that is comes from the conversation, who asks from the sign-in."""

    def __init__(self, clerk: Clerk | None, desk: Desk) -> None:
        self._clerk, self._desk = clerk, desk

    async def look(self, agent: Agent, case: Case, request: str) -> Known:
        """What is known of the customer; each look is in the audit log."""
        if self._clerk is None:
            return Known()
        turn = self._begin(agent, case, request)
        offered = {spec.name for spec in turn.specs()}
        values: dict[str, Any] = {}
        missing = []
        for name, what in _LOOKS.items():
            if name in offered:
                called = await turn.call(ToolRequest(id=request, name=name, arguments={}))
                values[name] = called.value
                missing += [what] if called.ruling is not Ruling.DONE else []
        number = turn.caller.account
        return Known(
            number=number,
            is_lent=number is not None and case.customer.startswith(VISITOR),
            account=values.get("lookup_account"),
            tickets=tuple(values.get("list_tickets") or ()),
            visits=tuple(values.get("list_bookings") or ()),
            bills=tuple(values.get("list_invoices") or ())[:3],
            may=frozenset(offered & CHANGES) if _has(agent, case) else frozenset(),
            missing=tuple(missing),
        )

    async def find(self, agent: Agent, case: Case, wanted: ToolRequest) -> Called:
        """One of the lookups. Raises DeskRefused."""
        if wanted.name not in LOOKUPS:
            raise DeskRefused("There is no such thing to look up.")
        called = await self._begin(agent, case, wanted.id).call(wanted)
        return _allowed(called)

    async def propose(self, agent: Agent, case: Case, wanted: ToolRequest) -> Proposal:
        """What would be changed, in words; nothing is done yet. Raises DeskRefused saying why it cannot be."""
        _check(agent, case, wanted.name)
        called = _allowed(await self._begin(agent, case, wanted.id).call(wanted))
        if called.proposal is None:
            raise DeskRefused("There is nothing to confirm.")
        return called.proposal

    async def confirm(self, agent: Agent, case: Case, proposal: Proposal, request: str) -> str:
        """Make the change, once however often it is confirmed, and note it in the chat. Raises DeskRefused.

        Returns what may be told to the customer.
        """
        _check(agent, case, proposal.tool)
        called = _allowed(await self._begin(agent, case, request).confirm(proposal), uncertain=UNCERTAIN)
        text = f"Done for the customer: {proposal.words}.\n{called.words}"
        await self._desk.note(agent, case.id, text, f"done-{request}")
        return called.words

    def _begin(self, agent: Agent, case: Case, request: str) -> ToolTurn:
        if self._clerk is None:
            raise DeskRefused(NOTHING_HERE)
        whose = Account(customer=case.customer, conversation=case.id, seq=case.last_seq)
        reason = Reason(case.reason) if case.reason in set(Reason) else None
        priority = ticket_priority(reason, case.frustration)
        return self._clerk.serve(whose, _ROLES[agent.role], f"desk:{agent.id}:{request}", priority)


_LOOKS: Mapping[str, str] = {
    "lookup_account": "the account",
    "list_tickets": "tickets",
    "list_bookings": "visits",
    "list_invoices": "bills",
}


def _has(agent: Agent, case: Case) -> bool:
    return case.holder is Holder.AGENT and case.agent == agent.id


def _check(agent: Agent, case: Case, tool: str) -> None:
    if tool not in CHANGES:
        raise DeskRefused("There is no such thing to do.")
    if not _has(agent, case):
        raise DeskRefused(NOT_YOURS)


def _allowed(called: Called, uncertain: str = "") -> Called:
    """The call, if something came of it. Raises DeskRefused."""
    if called.ruling in (Ruling.DONE, Ruling.PROPOSED):
        return called
    raise DeskRefused(uncertain if uncertain and called.ruling is Ruling.FAILED else called.words)
