"""What every back office promises: held by the demo company on both databases and by the HTTP adapter."""

import asyncio
from datetime import timedelta

import pytest

from bot.backoffice.office import Backoffice, Slot
from bot.backoffice.seed import CUSTOMERS, make_company
from bot.errors import ToolRefused
from tests.tools.talk import MOBILE_ONLY, NO_VISIT, NOW, ONE_LINE, TWO_LINES

TODAY = NOW.date()


async def first_slot(office: Backoffice, account: str) -> tuple[str, Slot]:
    found = await office.account(account)
    assert found
    line = found.lines[0].id
    return line, (await office.free_slots(account, line, "repair"))[0]


async def test_an_account_has_its_lines_and_an_unknown_one_is_none(office: Backoffice):
    found = await office.account(TWO_LINES)
    assert found
    assert [line.kind for line in found.lines] == ["broadband", "broadband"]
    assert await office.account("999") is None
    assert await office.account("../outages") is None


async def test_invoices_are_the_accounts_own_latest_first(office: Backoffice):
    invoices = await office.invoices(ONE_LINE)
    assert invoices
    assert {one.account for one in invoices} == {ONE_LINE}
    assert [one.issued for one in invoices] == sorted((one.issued for one in invoices), reverse=True)
    assert len(await office.invoices(ONE_LINE, limit=1)) == 1


async def test_slots_are_ahead_and_in_order_and_none_for_a_mobile_line(office: Backoffice):
    line, first = await first_slot(office, ONE_LINE)
    slots = await office.free_slots(ONE_LINE, line, "repair")
    assert first.day > TODAY
    assert list(slots) == sorted(slots, key=lambda slot: (slot.day, slot.start_hour))
    assert not await office.free_slots(MOBILE_ONLY, f"MB-{MOBILE_ONLY}-1", "repair")


async def test_a_visit_is_booked_moved_and_cancelled(office: Backoffice):
    line, slot = await first_slot(office, NO_VISIT)
    booked = await office.book(NO_VISIT, line, "repair", slot, "k1")
    assert (booked.slot, booked.status) == (slot, "booked")
    later = (await office.free_slots(NO_VISIT, line, "repair"))[-1]
    moved = await office.move(NO_VISIT, booked.number, later, "k2")
    assert (moved.slot, moved.changes) == (later, 1)
    assert (await office.cancel(NO_VISIT, booked.number, "k3")).status == "cancelled"
    assert not [visit for visit in await office.visits(NO_VISIT) if visit.is_ahead]


async def test_the_same_key_changes_once(office: Backoffice):
    line, slot = await first_slot(office, NO_VISIT)
    first, second = await asyncio.gather(*(office.book(NO_VISIT, line, "repair", slot, "k") for _ in range(2)))
    assert first == second
    assert len([visit for visit in await office.visits(NO_VISIT) if visit.is_ahead]) == 1
    later = (await office.free_slots(NO_VISIT, line, "repair"))[-1]
    moved = [await office.move(NO_VISIT, first.number, later, "m") for _ in range(2)]
    assert [one.changes for one in moved] == [1, 1]


async def test_a_slot_takes_two_visits_and_no_third_however_many_ask_at_once(office: Backoffice):
    line, slot = await first_slot(office, NO_VISIT)
    asked = (office.book(NO_VISIT, line, "repair", slot, f"k{n}") for n in range(4))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, ToolRefused) for one in outcomes) == 2
    assert len([visit for visit in await office.visits(NO_VISIT) if visit.slot == slot]) == 2


async def test_another_accounts_visit_cannot_be_moved_or_cancelled(office: Backoffice):
    theirs = (await office.visits(TWO_LINES))[0]
    _, slot = await first_slot(office, ONE_LINE)
    for change in (office.move(ONE_LINE, theirs.number, slot, "k1"), office.cancel(ONE_LINE, theirs.number, "k2")):
        with pytest.raises(ToolRefused):
            await change
    assert (await office.visits(TWO_LINES))[0] == theirs


async def test_a_key_of_another_account_is_another_key(office: Backoffice):
    line, slot = await first_slot(office, NO_VISIT)
    mine = await office.book(NO_VISIT, line, "repair", slot, "k")
    other_line, other_slot = await first_slot(office, ONE_LINE)
    theirs = await office.book(ONE_LINE, other_line, "repair", other_slot, "k")
    assert (theirs.account, mine.account) == (ONE_LINE, NO_VISIT)


async def test_a_visit_that_is_over_or_a_slot_that_is_not_offered_is_refused(office: Backoffice):
    line, slot = await first_slot(office, NO_VISIT)
    booked = await office.book(NO_VISIT, line, "repair", slot, "k1")
    sunday = Slot(day=TODAY + timedelta(days=2), start_hour=8, end_hour=12)
    with pytest.raises(ToolRefused):
        await office.move(NO_VISIT, booked.number, sunday, "k2")
    await office.cancel(NO_VISIT, booked.number, "k3")
    with pytest.raises(ToolRefused):
        await office.cancel(NO_VISIT, booked.number, "k4")


async def test_a_visit_is_moved_three_times_at_most(office: Backoffice):
    line, slot = await first_slot(office, NO_VISIT)
    booked = await office.book(NO_VISIT, line, "repair", slot, "k")
    slots = await office.free_slots(NO_VISIT, line, "repair")
    for turn in range(3):
        await office.move(NO_VISIT, booked.number, slots[turn + 2], f"k{turn}")
    with pytest.raises(ToolRefused):
        await office.move(NO_VISIT, booked.number, slots[8], "k9")


async def test_outages_are_those_of_the_area(office: Backoffice):
    assert [one.kind for one in await office.outages("lf4 2ab")] == ["outage"]
    assert not await office.outages("LF1 1AA")


def test_the_company_is_fictional_and_the_same_for_the_same_day():
    company = make_company(TODAY)
    assert company == make_company(TODAY)
    assert len({one.number for one in company.accounts}) == CUSTOMERS
    assert all(one.email.endswith("@example.com") and one.phone.startswith("07700 900") for one in company.accounts)
    assert len({one.number for one in company.invoices}) == len(company.invoices)
    assert len({one.number for one in company.visits}) == len(company.visits)
