"""The errands about bills, the account, outages and tickets; and the table of all errands."""

from collections.abc import Mapping

from bot.backoffice.office import CustomerAccount
from bot.tickets import SUBJECT_CHARS, Ticket, TicketStatus
from bot.tools.errands import Acted, Errand, Run
from bot.tools.network_tools import WHICH_POSTCODE
from bot.tools.routes import Option
from bot.tools.visit_errands import book_visit, cancel_visit, move_visit, where_visit, which
from bot.tools.words import line_words, ticket_words

WHAT_ABOUT = "What is the ticket about? Please tell me in a sentence."
WHAT_TO_ADD = "What shall I add to ticket {number}?"
SHORTEST_SUBJECT = 3
CATEGORIES: Mapping[str, str] = {  # by the intents of Larkfield and of any company
    "billing_question": "billing",
    "billing_dispute": "billing",
    "payment_problem": "billing",
    "refund": "billing",
    "broadband_fault": "fault",
    "broadband_setup": "fault",
    "outage": "fault",
    "mobile_fault": "fault",
    "mobile_service": "fault",
    "fault_or_damage": "fault",
    "how_to": "fault",
    "appointment": "appointment",
    "order_status": "order",
    "order_change": "order",
    "delivery": "order",
    "returns": "order",
    "new_order": "order",
    "login_account": "account",
}


async def explain_bill(run: Run) -> Acted:
    """Why a bill is what it is, by amount: the one that was named, else the latest of the line that is meant."""
    if number := run.slots.get("bill"):
        return run.tell(await run.call("explain_invoice", number=number))
    told = await run.call("lookup_account")
    account = told.value
    if not isinstance(account, CustomerAccount):
        return run.tell(told)
    service = run.slots.get("service")
    options = [(str(n), line_words(one)) for n, one in enumerate(account.lines, 1) if service in (None, one.kind)]
    if len(options) > 1 and "line" not in run.slots:
        return run.ask("line", which(len(options), "lines"), options)
    line = int(run.slots.get("line") or (options[0][0] if options else "0"))
    return run.tell(await run.call("explain_invoice", line=line))


async def list_bills(run: Run) -> Acted:
    """The latest bills."""
    return run.tell(await run.call("list_invoices"))


async def show_account(run: Run) -> Acted:
    """The account with its lines."""
    return run.tell(await run.call("lookup_account"))


async def check_outage(run: Run) -> Acted:
    """Whether there is an outage: at the postcode that was named, else at the customer's own."""
    postcode = run.slots.get("postcode", "")
    if not postcode and run.tools.caller.account is None:
        return run.ask("postcode", WHICH_POSTCODE)
    return run.tell(await run.call("service_status", postcode=postcode))


async def open_ticket(run: Run) -> Acted:
    """Open a ticket: what it is about."""
    subject = " ".join(run.slots.get("subject", "").split())
    if len(subject) < SHORTEST_SUBJECT:
        return run.ask("subject", WHAT_ABOUT)
    category = CATEGORIES.get(run.guess.name, "other") if run.guess.in_scope else "other"
    return run.tell(await run.call("create_ticket", subject=_short(subject), category=category))


async def ticket_status(run: Run) -> Acted:
    """Where a ticket stands: the one that was named, the only one, or all of them."""
    if number := run.slots.get("number"):
        return run.tell(await run.call("get_ticket", number=number))
    told = await run.call("list_tickets")
    if isinstance(told.value, tuple) and len(told.value) == 1:
        return run.tell(await run.call("get_ticket", number=told.value[0].number))
    return run.tell(told)


async def list_tickets(run: Run) -> Acted:
    """All tickets."""
    return run.tell(await run.call("list_tickets"))


async def add_to_ticket(run: Run) -> Acted:
    """Add to a ticket: which one, and what."""
    if "number" not in run.slots:
        told = await run.call("list_tickets")
        tickets = [one for one in told.value if isinstance(one, Ticket)] if isinstance(told.value, tuple) else []
        tickets = [one for one in tickets if one.status is not TicketStatus.CLOSED]
        if not tickets:
            return run.tell(told)
        options: list[Option] = [(one.number, ticket_words(one)) for one in tickets]
        if len(options) > 1:
            return run.ask("number", which(len(options), "tickets"), options)
        run.slots["number"] = options[0][0]
    number = run.slots["number"]
    if not (text := run.slots.get("text", "")):
        told = await run.call("get_ticket", number=number)
        return run.ask("text", WHAT_TO_ADD.format(number=number)) if told.is_done else run.tell(told)
    return run.tell(await run.call("update_ticket", number=number, text=text))


def _short(subject: str) -> str:
    """The subject, cut at a word; the whole message stands in the conversation."""
    if len(subject) <= SUBJECT_CHARS:
        return subject
    return f"{subject[: SUBJECT_CHARS - 1].rsplit(' ', 1)[0]}…"


ERRANDS: Mapping[str, Errand] = {
    "where_visit": where_visit,
    "book_visit": book_visit,
    "move_visit": move_visit,
    "cancel_visit": cancel_visit,
    "explain_bill": explain_bill,
    "list_bills": list_bills,
    "account": show_account,
    "outage": check_outage,
    "open_ticket": open_ticket,
    "ticket_status": ticket_status,
    "list_tickets": list_tickets,
    "add_to_ticket": add_to_ticket,
}
"""Every errand by the name of its rule in bot/policies/errands.yaml."""
