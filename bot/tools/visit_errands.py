"""The errands about engineer visits."""

from collections.abc import Sequence
from datetime import date

from bot.backoffice.office import CustomerAccount, Slot, Visit
from bot.tools.account_tools import broadband_lines
from bot.tools.errands import Acted, Run
from bot.tools.routes import Option
from bot.tools.visit_tools import NO_BROADBAND
from bot.tools.words import day_words, line_words, time_words, visit_words

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
NOTHING_BOOKED = "There is no engineer visit booked on your account."
DAYS_OFFERED = 5
FULL = "There are no free times in the next two weeks. A colleague can help you further."


async def where_visit(run: Run) -> Acted:
    """When the engineer comes."""
    return run.tell(await run.call("list_bookings"))


async def book_visit(run: Run) -> Acted:
    """Book a visit: which line, which day, which time."""
    told = await run.call("lookup_account")
    if not isinstance(told.value, CustomerAccount):
        return run.tell(told)
    lines = broadband_lines(told.value)
    if not lines:
        return run.say(NO_BROADBAND)
    if len(lines) > 1 and "line" not in run.slots:
        return run.ask("line", which(len(lines), "lines"), [(str(n), line_words(one)) for n, one in enumerate(lines, 1)])
    line, kind = int(run.slots.get("line", "1")), run.slots.get("kind", "repair")
    told = await run.call("free_appointments", line=line, kind=kind)
    slots = _slots(told.value)
    if not told.is_done or not slots:
        return run.tell(told)
    slot = _choose_slot(run, slots)
    if isinstance(slot, Acted):
        return slot
    return run.tell(
        await run.call("book_appointment", day=slot.day.isoformat(), start_hour=slot.start_hour, line=line, kind=kind)
    )


async def move_visit(run: Run) -> Acted:
    """Move a visit: which one, which day, which time."""
    visit = await _which_visit(run)
    if isinstance(visit, Acted):
        return visit
    if run.slots.get("day") == visit.slot.day.isoformat():  # "I can't make Tuesday's appointment" names the old day
        run.slots.pop("day")
        run.slots.pop("hour", None)
    told = await run.call("lookup_account")
    if not isinstance(told.value, CustomerAccount):
        return run.tell(told)
    places = [n for n, line in enumerate(broadband_lines(told.value), start=1) if line.id == visit.line]
    told = await run.call("free_appointments", line=places[0] if places else 1, kind=visit.kind)
    slots = _slots(told.value)
    if not told.is_done or not slots:
        return run.tell(told)
    slot = _choose_slot(run, slots)
    if isinstance(slot, Acted):
        return slot
    arguments = {"number": visit.number, "day": slot.day.isoformat(), "start_hour": slot.start_hour}
    return run.tell(await run.call("change_booking", **arguments))


async def cancel_visit(run: Run) -> Acted:
    """Cancel a visit: which one."""
    visit = await _which_visit(run)
    return visit if isinstance(visit, Acted) else run.tell(await run.call("cancel_booking", number=visit.number))


def which(count: int, what: str) -> str:
    """The question which of several is meant."""
    return f"Which of your {NUMBERS[count] if count < len(NUMBERS) else count} {what} is it?"


async def _which_visit(run: Run) -> Visit | Acted:
    """The visit that is meant. A number that is not the customer's is refused by the tool, and recorded."""
    told = await run.call("list_bookings")
    if not told.is_done:
        return run.tell(told)
    visits = [one for one in told.value if isinstance(one, Visit)] if isinstance(told.value, tuple) else []
    if number := run.slots.get("visit"):
        mine = [one for one in visits if one.number == number]
        return mine[0] if mine else run.tell(await run.call("cancel_booking", number=number))
    if not visits:
        return run.say(NOTHING_BOOKED)
    if len(visits) > 1:
        return run.ask("visit", which(len(visits), "visits"), [(one.number, visit_words(one)) for one in visits])
    run.slots["visit"] = visits[0].number
    return visits[0]


def _slots(value: object) -> list[Slot]:
    return [one for one in value if isinstance(one, Slot)] if isinstance(value, tuple) else []


def _choose_slot(run: Run, slots: Sequence[Slot]) -> Slot | Acted:
    """The free slot that the customer named, or a question for the day or the time."""
    if not slots:
        return run.say(FULL)
    days = list(dict.fromkeys(slot.day for slot in slots))
    if "day" not in run.slots:
        return run.ask("day", "Which day suits you?", _days(days))
    day = date.fromisoformat(run.slots["day"])
    if day not in days:
        run.slots.pop("day")
        nearest = sorted(sorted(days, key=lambda one: abs(one - day))[:DAYS_OFFERED])
        return run.ask("day", f"There is no free time on {day_words(day)}. Which of these days suits you?", _days(nearest))
    there = [slot for slot in slots if slot.day == day]
    hour = int(run.slots.pop("hour", "-1"))
    named = [slot for slot in there if slot.start_hour <= hour < slot.end_hour]
    if not named and len(there) > 1:
        taken = "That time is not free. " if hour >= 0 else ""
        words = f"{taken}Which time suits you on {day_words(day)}?"
        return run.ask("hour", words, [(str(slot.start_hour), time_words(slot)) for slot in there])
    slot = (named or there)[0]
    run.slots["hour"] = str(slot.start_hour)
    return slot


def _days(days: Sequence[date]) -> list[Option]:
    return [(day.isoformat(), day_words(day)) for day in days[:DAYS_OFFERED]]
