"""Tools for engineer visits: see them, book, move and cancel one. The last three wait for the customer's yes."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field

from bot.backoffice.office import (
    LATE_PENCE,
    MOST_CHANGES,
    SHORT_NOTICE_HOURS,
    Line,
    Slot,
    Visit,
    VisitKind,
)
from bot.errors import ToolRefused
from bot.tools.account_tools import LineNumber, broadband_lines, own_account
from bot.tools.tool import Told, Work, tool
from bot.tools.words import ahead_words, clean, money, numbered, slot_words, visit_words

NO_VISITS = "There is no engineer visit on your account."
NO_BROADBAND = "There is no broadband on your account, so there is nothing an engineer can visit."
SUGGESTED = 4

VisitNumber = Annotated[
    str, Field(min_length=1, max_length=40, description="Number of the customer's visit, such as FV-20001.")
]
Day = Annotated[date, Field(description="Day of the visit, such as 2026-11-24.")]
StartHour = Annotated[int, Field(ge=0, le=23, description="Hour at which the slot starts: 8, 12 or 17 for homes.")]
Kind = Annotated[VisitKind, Field(description="What the engineer comes for.")]


@tool(account=True)
async def list_bookings(work: Work) -> Told:
    """The customer's own engineer visits that are still to come, with time and engineer."""
    visits = [visit for visit in await work.supplies.office.visits(work.account) if visit.is_ahead]
    if len(visits) == 1:
        return Told(words=ahead_words(visits[0]), value=tuple(visits))
    return Told(words=numbered([ahead_words(visit) for visit in visits]) or NO_VISITS, value=tuple(visits))


@tool(account=True)
async def free_appointments(work: Work, line: LineNumber = 1, kind: Kind = "repair") -> Told:
    """When an engineer can come to one of the customer's broadband lines."""
    slots = await work.supplies.office.free_slots(work.account, (await _line(work, line)).id, kind)
    words = numbered([slot_words(slot) for slot in slots[:12]])
    return Told(words=words or "There are no free times in the next two weeks.", value=tuple(slots))


async def plan_booking(work: Work, day: date, start_hour: int, line: int = 1, kind: VisitKind = "repair") -> str:
    """What would be booked. Raises ToolRefused where the time is not free."""
    chosen = await _line(work, line)
    slot = await _free(work, chosen.id, kind, (day, start_hour))
    article = "an" if kind == "installation" else "a"
    return f"book {article} {kind} visit for your {clean(chosen.label)} on {slot_words(slot)}"


@tool(account=True, plan=plan_booking, per_minute=10)
async def book_appointment(work: Work, day: Day, start_hour: StartHour, line: LineNumber = 1, kind: Kind = "repair") -> Told:
    """Book an engineer visit for one of the customer's broadband lines. The customer is asked before it is done."""
    chosen = await _line(work, line)
    slot = await _slot(work, chosen.id, kind, (day, start_hour))
    visit = await work.supplies.office.book(work.account, chosen.id, kind, slot, work.key)
    return Told(words=f"That is booked: {_lower(visit_words(visit))}.", value=visit)


async def plan_change(work: Work, number: str, day: date, start_hour: int) -> str:
    """What would be moved, and what it costs. Raises ToolRefused."""
    visit = await _ahead(work, number)
    if visit.changes >= MOST_CHANGES:
        raise ToolRefused(f"Visit {visit.number} was moved {MOST_CHANGES} times already. A colleague can help you further.")
    slot = await _free(work, visit.line, visit.kind, (day, start_hour))
    cost = _cost(visit, work)
    return f"move your {visit.kind} visit {clean(visit.number)} from {slot_words(visit.slot)} to {slot_words(slot)}{cost}"


@tool(account=True, plan=plan_change, per_minute=10)
async def change_booking(work: Work, number: VisitNumber, day: Day, start_hour: StartHour) -> Told:
    """Move one of the customer's own engineer visits to another time. The customer is asked before it is done."""
    mine = await _mine(work, number)
    slot = await _slot(work, mine.line, mine.kind, (day, start_hour))
    visit = await work.supplies.office.move(work.account, mine.number, slot, work.key)
    return Told(words=f"That is done. Your new time: {_lower(visit_words(visit))}.", value=visit)


async def plan_cancellation(work: Work, number: str) -> str:
    """What would be cancelled, and what it costs. Raises ToolRefused."""
    visit = await _ahead(work, number)
    return f"cancel your {visit.kind} visit {clean(visit.number)} on {slot_words(visit.slot)}{_cost(visit, work)}"


@tool(account=True, plan=plan_cancellation, per_minute=10)
async def cancel_booking(work: Work, number: VisitNumber) -> Told:
    """Cancel one of the customer's own engineer visits. The customer is asked before it is done."""
    mine = await _mine(work, number)
    visit = await work.supplies.office.cancel(work.account, mine.number, work.key)
    return Told(words=f"Your visit {clean(visit.number)} on {slot_words(visit.slot)} is cancelled.", value=visit)


async def _line(work: Work, line: int) -> Line:
    lines = broadband_lines(await own_account(work))
    if not lines:
        raise ToolRefused(NO_BROADBAND)
    if not 1 <= line <= len(lines):
        raise ToolRefused(f"There is no line {line} with broadband on your account.")
    return lines[line - 1]


async def _mine(work: Work, number: str) -> Visit:
    """The caller's visit; another customer's is as unknown as one that does not exist."""
    wanted = number.strip().casefold()
    for visit in await work.supplies.office.visits(work.account):
        if visit.number.casefold() == wanted:
            return visit
    raise ToolRefused(f"I can't find a visit {clean(number)} on your account.")


async def _ahead(work: Work, number: str) -> Visit:
    visit = await _mine(work, number)
    if not visit.is_ahead:
        raise ToolRefused(f"Visit {clean(visit.number)} is over or cancelled already.")
    return visit


async def _free(work: Work, line: str, kind: VisitKind, wanted: tuple[date, int]) -> Slot:
    slots = await work.supplies.office.free_slots(work.account, line, kind)
    for slot in slots:
        if (slot.day, slot.start_hour) == wanted:
            return slot
    nearest = sorted(slots, key=lambda slot: (abs(slot.day - wanted[0]), slot.day, slot.start_hour))[:SUGGESTED]
    offered = numbered([slot_words(slot) for slot in sorted(nearest, key=lambda slot: (slot.day, slot.start_hour))])
    raise ToolRefused(f"That time is not free. The nearest ones are:\n\n{offered}" if offered else "That time is not free.")


async def _slot(work: Work, line: str, kind: VisitKind, wanted: tuple[date, int]) -> Slot:
    """The slot as the back office offers it; once it is booked by this very change it is offered no more, and only named."""
    slots = await work.supplies.office.free_slots(work.account, line, kind)
    known = [slot for slot in slots if (slot.day, slot.start_hour) == wanted]
    own = [visit.slot for visit in await work.supplies.office.visits(work.account)]
    known += [slot for slot in own if (slot.day, slot.start_hour) == wanted]
    if not known:
        raise ToolRefused("That time is not free any more.")
    return known[0]


def _cost(visit: Visit, work: Work) -> str:
    """What a late change costs; the visit's hours are by the company's clock."""
    start = datetime.combine(visit.slot.day, time(visit.slot.start_hour % 24), tzinfo=work.supplies.zone)
    late = start.astimezone(UTC) - work.now < timedelta(hours=SHORT_NOTICE_HOURS)
    return f". This is less than {SHORT_NOTICE_HOURS} hours before the visit and costs {money(LATE_PENCE)}" if late else ""


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
