"""What tools tell, in words: amounts, days, visits, bills, outages and tickets, for customers and models alike."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo

from bot.backoffice.office import CustomerAccount, Invoice, Line, Outage, Slot, Visit
from bot.domain import Speaker
from bot.tickets import Ticket, TicketStatus

STATUS_WORDS = {
    TicketStatus.OPEN: "open: our team is looking at it",
    TicketStatus.WAITING: "waiting for your answer",
    TicketStatus.SOLVED: "solved",
    TicketStatus.CLOSED: "closed",
}
BY_WORDS = {Speaker.CUSTOMER: "you", Speaker.AGENT: "our team", Speaker.BOT: "our assistant", Speaker.SYSTEM: "our system"}
OUTAGE_WORDS = {"outage": "There is an outage", "possible": "There may be a problem", "planned": "There is planned work"}


def money(pence: int) -> str:
    """£34, £7.50, -£5."""
    pounds, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}£{pounds:,}{f'.{rest:02d}' if rest else ''}"


def day_words(day: date) -> str:
    """Tuesday 24 November."""
    return f"{day:%A} {day.day} {day:%B}"


def hour_words(hour: int) -> str:
    """8am, 12 noon, 5pm."""
    if hour in (0, 24):
        return "midnight"
    return "12 noon" if hour == 12 else f"{hour}am" if hour < 12 else f"{hour - 12}pm"


def time_words(slot: Slot) -> str:
    """8am to 12 noon."""
    return f"{hour_words(slot.start_hour)} to {hour_words(slot.end_hour)}"


def slot_words(slot: Slot) -> str:
    """Tuesday 24 November, 8am to 12 noon."""
    return f"{day_words(slot.day)}, {time_words(slot)}"


def local(at: datetime, zone: tzinfo) -> datetime:
    """A moment by the company's clock; one without a time zone is UTC, as a back office may write it."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)


def moment_words(at: datetime, zone: tzinfo) -> str:
    """6:40am on Friday 20 November, by the company's clock."""
    at = local(at, zone)
    return f"{at.hour % 12 or 12}:{at.minute:02d}{'am' if at.hour < 12 else 'pm'} on {day_words(at.date())}"


_PLAIN: Mapping[str, str | int | None] = {
    "[": "(",
    "]": ")",
    "<": "‹",
    ">": "›",
    "`": "'",
    "|": "/",
    "#": " ",
    "*": " ",
    "\\": "/",
}
_LINK = re.compile(r"(?<=\w)://|(?<=www)\.", re.IGNORECASE)


def clean(text: str) -> str:
    """Text of another system or person on one line, without what Markdown would make of it, links included."""
    kept = "".join(sign if sign.isprintable() else " " for sign in text)
    return _LINK.sub(" ", " ".join(kept.translate(str.maketrans(dict(_PLAIN))).split()))


def numbered(lines: Sequence[str]) -> str:
    """A numbered list."""
    return "\n".join(f"{place}. {line}" for place, line in enumerate(lines, start=1))


def line_words(line: Line) -> str:
    """Broadband at 1 Mill Lane (Full Fibre 300, £34 a month)."""
    label = clean(line.label)
    return f"{label[:1].upper()}{label[1:]} ({clean(line.plan)}, {money(line.monthly_pence)} a month)"


def account_words(account: CustomerAccount) -> str:
    """The account and its lines."""
    since = f"{account.since.day} {account.since:%B %Y}"
    head = f"Your account {account.number} is in the name of {clean(account.name)}, and you have been with us since {since}."
    lines = numbered([line_words(line) for line in account.lines])
    return f"{head}\n\n{'Your line:' if len(account.lines) == 1 else 'Your lines:'}\n\n{lines}" if lines else head


def invoice_words(invoice: Invoice) -> str:
    """Broadband bill LKB-1 of 11 November 2026: £34, paid."""
    paid = "paid" if invoice.is_paid else f"due on {invoice.due.day} {invoice.due:%B}"
    issued = f"{invoice.issued.day} {invoice.issued:%B %Y}"
    return f"{invoice.kind.capitalize()} bill {clean(invoice.number)} of {issued}: {money(invoice.pence)}, {paid}"


def visit_words(visit: Visit) -> str:
    """A repair visit (FV-20001) on Tuesday 24 November, 8am to 12 noon."""
    article = "An" if visit.kind == "installation" else "A"
    return f"{article} {visit.kind} visit ({clean(visit.number)}) on {slot_words(visit.slot)}"


def ahead_words(visit: Visit) -> str:
    """A visit that is to come, with who comes."""
    engineer = f" Your engineer is {clean(visit.engineer)}." if visit.engineer else ""
    way = " The engineer is on the way." if visit.status == "on_the_way" else ""
    return f"Your {visit.kind} visit ({clean(visit.number)}) is on {slot_words(visit.slot)}.{engineer}{way}"


def outage_words(outage: Outage, zone: tzinfo) -> str:
    """An outage with its expected end."""
    end = f" We expect it to be over by {moment_words(outage.expected, zone)}." if outage.expected else ""
    start = "from" if outage.kind == "planned" else "since"
    began = moment_words(outage.began, zone)
    head = f"{OUTAGE_WORDS[outage.kind]} of {outage.service} in {clean(outage.area)}, {start} {began}"
    return f"{head.replace('problem of', 'problem with').replace('work of', 'work on')}. {clean(outage.text)}{end}"


def ticket_words(ticket: Ticket) -> str:
    """T-10423, “Hub replaced twice” (open)."""
    return f"{ticket.number}, “{clean(ticket.subject)}” ({ticket.status})"


def history_words(ticket: Ticket, zone: tzinfo) -> str:
    """The ticket with its last notes; their days are the company's."""
    opened = local(ticket.opened, zone)
    notes = [(local(note.at, zone), note) for note in ticket.notes[-5:]]
    lines = [f"- {at.day} {at:%B}, {BY_WORDS[note.by]}: {clean(note.text)}" for at, note in notes]
    head = f"Ticket {ticket.number}, “{clean(ticket.subject)}”, is {STATUS_WORDS[ticket.status]}."
    head = f"{head} It was opened on {opened.day} {opened:%B %Y}."
    return "\n".join([head, *(["", *lines] if lines else [])])
