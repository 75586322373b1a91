"""When the demo company's engineers come: the slots of its help articles, and how many visits an area takes."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.backoffice.office import Slot, VisitKind

SUNDAY = 6
FRIDAY = 4
DAYS_AHEAD = 14
VISITS_A_SLOT = 2
"""Visits that one area takes in one slot."""


def slots_of(day: date, kind: VisitKind) -> Iterator[Slot]:
    """The slots of a day: two from Monday to Saturday, and for repairs the evening from Monday to Thursday."""
    if day.weekday() == SUNDAY:
        return
    yield Slot(day=day, start_hour=8, end_hour=12)
    yield Slot(day=day, start_hour=12, end_hour=17)
    if kind == "repair" and day.weekday() < FRIDAY:
        yield Slot(day=day, start_hour=17, end_hour=20)


def slots_ahead(today: date, kind: VisitKind) -> list[Slot]:
    """Every slot of the next two weeks, from tomorrow on."""
    days = (today + timedelta(days=ahead) for ahead in range(1, DAYS_AHEAD + 1))
    return [slot for day in days for slot in slots_of(day, kind)]


def area_of(postcode: str) -> str:
    """The first half of a postcode: `LF4 2AB` and `lf42ab` are in LF4."""
    compact = "".join(postcode.split()).upper()
    return compact[:-3] if len(compact) > 4 else compact
