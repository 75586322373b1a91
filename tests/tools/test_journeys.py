"""The 14 journeys without a model, and what bends them: each message at the level of the errands, on the demo company."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.audit import Ruling
from bot.backoffice.demo import DemoOffice
from bot.backoffice.office import CustomerAccount, Visit
from bot.domain import ConversationId, CustomerId, Outcome, Speaker
from bot.errors import BackofficeDown
from bot.tools.errands import ALREADY, NOT_DONE
from bot.tools.toolbox import FAILED, Toolbox
from tests.tools.talk import MOBILE_ONLY, NO_VISIT, NOW, ONE_LINE, TWO_LINES, Talk, build_toolbox, guess

HOUR = timedelta(hours=1)


async def ahead(toolbox: Toolbox, account: str) -> list[Visit]:
    return [visit for visit in await toolbox.supplies.office.visits(account) if visit.is_ahead]


async def test_journey_1_a_bill_is_explained_by_amount(toolbox):
    talk = Talk(toolbox, account=TWO_LINES)
    asked = await talk.say("why is my bill higher this month?", guess("billing_question", 0.9, in_scope=True))
    assert asked.startswith("Which of your two lines is it?")
    told = await talk.say("the second one")
    now, before = [one for one in await toolbox.supplies.office.invoices(TWO_LINES) if one.line.endswith("-2")][:2]
    assert f"£{(now.pence - before.pence) / 100:g} more than the one before" in told
    assert "Welcome discount of £5 has ended: £5 more" in told


async def test_journey_2_an_outage_in_the_customers_area(toolbox):
    talk = Talk(toolbox, account="100200004")
    assert "outage of broadband in LF4" in await talk.say("is there an outage in my area?", guess("outage"))


async def test_journey_2b_a_visitor_is_asked_for_the_postcode(toolbox):
    talk = Talk(toolbox, account=None)
    assert "postcode" in await talk.say("Is the internet down in my area?")
    assert "outage of broadband in LF4" in await talk.say("it's lf4 2ab")
    assert "planned work on broadband in LF7" in await talk.say("and what about LF7 1AA?")


async def test_times_and_days_are_told_by_the_companys_clock(store):
    summer_night = datetime(2026, 7, 14, 23, 30, tzinfo=UTC)  # the 15th in London
    office = DemoOffice(store, lambda: summer_night)
    talk = Talk(build_toolbox(store, office, zone=ZoneInfo("Europe/London")), account=ONE_LINE, now=summer_night)
    told = await talk.say("is there an outage in my area?", guess("outage"))
    assert "since 7:40am on Tuesday 14 July" in told
    assert "over by 4:40pm on Tuesday 14 July" in told
    assert "on Thursday 16 July" in await talk.say("I need to move my appointment to tomorrow")


async def test_journey_3_where_is_my_technician(toolbox):
    told = await Talk(toolbox, account=TWO_LINES).say("where is my technician?")
    [visit] = await ahead(toolbox, TWO_LINES)
    assert visit.number in told
    assert visit.engineer in told


async def test_journey_4_an_appointment_is_moved_with_confirmation(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    [before] = await ahead(toolbox, ONE_LINE)
    assert "Which day suits you?" in await talk.say("I need to move my appointment")
    assert "Which time suits you on Tuesday 24 November?" in await talk.say("tuesday")
    proposed = await talk.say("in the morning please")
    assert "to Tuesday 24 November, 8am to 12 noon. Shall I do that?" in proposed
    assert await ahead(toolbox, ONE_LINE) == [before]
    assert "new time" in await talk.say("yes, move it to Tuesday 9 to 12")
    [after] = await ahead(toolbox, ONE_LINE)
    assert (after.slot.day.isoformat(), after.slot.start_hour, after.number) == ("2026-11-24", 8, before.number)


async def test_the_day_that_a_customer_cannot_make_is_not_taken_for_the_new_one(toolbox):
    [visit] = await ahead(toolbox, ONE_LINE)
    assert visit.slot.day.isoformat() == "2026-12-02"
    assert "Which day suits you?" in await Talk(toolbox, account=ONE_LINE).say("I can't make my appointment on 2 December")


async def test_journey_5_somebody_elses_appointment_is_not_moved(toolbox):
    [theirs] = await ahead(toolbox, TWO_LINES)
    talk = Talk(toolbox, account=ONE_LINE)
    for said in (f"move appointment {theirs.number} to tuesday at 9am", f"cancel visit {theirs.number}"):
        assert f"can't find a visit {theirs.number} on your account" in await talk.say(said)
        assert talk.acted
        assert talk.acted.open is None
    assert await ahead(toolbox, TWO_LINES) == [theirs]
    assert Ruling.REFUSED in [record.ruling for record in await toolbox.audit.calls(talk.conversation)]


async def test_journey_6_an_appointment_is_booked(toolbox):
    talk = Talk(toolbox, account=TWO_LINES)
    assert "Which of your two lines" in await talk.say("Can you book an engineer for me?")
    assert "Which day" in await talk.say("1")
    assert "Which time" in await talk.say("the 24th of November")
    assert "broadband at 1 Mill Lane on Tuesday 24 November, 12 noon to 5pm" in await talk.say("2")
    assert "That is booked" in await talk.say("yes please")
    assert len(await ahead(toolbox, TWO_LINES)) == 2


async def test_journey_7_an_appointment_is_cancelled(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    assert "Shall I do that?" in await talk.say("please cancel my engineer visit")
    assert "is cancelled" in await talk.say("yes")
    assert not await ahead(toolbox, ONE_LINE)


@pytest.mark.parametrize(
    ("said", "errand"),
    [
        ("I won't need the engineer after all", "cancel"),
        ("the engineer needn't come any more", "cancel"),
        ("I'd like the engineer on another day, Tuesday is bad", "move"),
        ("could the technician come a bit later instead?", "move"),
    ],
)
async def test_what_is_not_wanted_is_not_booked(toolbox, said, errand):
    talk = Talk(toolbox, account=ONE_LINE)
    asked = await talk.say(said)
    assert talk.acted
    assert talk.acted.open
    assert talk.acted.open.errand == f"{errand}_visit", asked


async def test_journey_8_a_ticket_is_opened_with_its_category(toolbox):
    talk = Talk(toolbox, account=None)
    assert "What is the ticket about?" in await talk.say("open a ticket")
    fault = guess("broadband_fault", 0.8, in_scope=True)
    assert "“My hub restarts every night”. Shall I do that?" in await talk.say("My hub restarts every night", fault)
    assert "T-10423" in await talk.say("yes")
    [ticket] = await toolbox.supplies.tickets.of("ana")
    assert (ticket.subject, ticket.category) == ("My hub restarts every night", "fault")


async def open_ticket(talk: Talk, subject: str = "my hub is broken") -> None:
    await talk.say(f"open a ticket about {subject}")
    await talk.say("yes")


async def test_journey_9_a_tickets_status_is_asked(toolbox):
    talk = Talk(toolbox, account=None)
    await open_ticket(talk)
    for said in ("any news on my ticket?", "what's the status of T-10423", "t10423"):
        assert "T-10423, “my hub is broken”, is open" in await talk.say(said)


async def test_journey_10_a_ticket_is_added_to(toolbox):
    talk = Talk(toolbox, account=None)
    await open_ticket(talk)
    assert "What shall I add to ticket T-10423?" in await talk.say("add something to my ticket")
    assert "“It is worse when it rains.” Shall I do that?" in await talk.say("It is worse when it rains.")
    assert "added" in await talk.say("ok")
    assert "It is worse when it rains." in await talk.say("status of my ticket?")


async def test_journey_11_tickets_are_listed(toolbox):
    talk = Talk(toolbox, account=None)
    assert await talk.say("show my tickets") == "You have no tickets."
    await open_ticket(talk, "my hub is broken")
    await open_ticket(talk, "my bill is late")
    told = await talk.say("show my tickets")
    assert "T-10423" in told
    assert "T-10424" in told
    assert "Which of your two tickets" in await talk.say("add to my ticket: it is fixed")
    assert "ticket T-10423: “it is fixed”" in await talk.say("the one about the hub being broken T-10423")


async def test_journey_12_the_account_is_looked_up(toolbox):
    told = await Talk(toolbox, account=MOBILE_ONLY).say("what plan am I on?")
    assert "100200003" in told
    assert "a month" in told


async def test_journey_13_bills_are_listed(toolbox):
    told = await Talk(toolbox, account=ONE_LINE).say("show me my last bills")
    assert (told.count("Broadband bill LKB-"), told.count("Mobile bill LKM-")) == (3, 3)


async def test_journey_14_who_is_not_signed_in_is_told_so_below_what_the_articles_say(toolbox):
    talk = Talk(toolbox, account=None)
    for said in ("why is my bill higher?", "where is my technician?", "what plan am i on?", "cancel my engineer visit"):
        assert "not signed in" in await talk.say(said)
        assert talk.acted
        assert talk.acted.below


async def test_a_no_changes_nothing(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    assert await talk.say("no thanks") == NOT_DONE
    assert await talk.say("yes") == ""
    assert len(await ahead(toolbox, ONE_LINE)) == 1


async def test_a_second_yes_does_nothing_more(toolbox):
    talk = Talk(toolbox, account=None)
    await open_ticket(talk)
    assert await talk.say("yes") == ALREADY
    assert len(await toolbox.supplies.tickets.of("ana")) == 1


async def test_a_yes_that_was_sent_twice_before_the_reply_makes_one_change(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    first = await talk.say("yes")
    del talk.entries[-1]  # the second turn sees what was said before its message, and that is not yet the reply
    assert await talk.say("yes") == first


async def test_only_the_next_message_confirms_also_when_the_one_between_had_no_reply(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    await talk.say("wait, what does that cost?")
    del talk.entries[-1]
    assert await talk.say("yes") == ""
    assert len(await ahead(toolbox, ONE_LINE)) == 1


@pytest.mark.parametrize("speaker", [Speaker.AGENT, Speaker.SYSTEM])
async def test_what_somebody_else_than_the_bot_left_is_not_open(toolbox, speaker):
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    talk.entries[-1] = replace(talk.entries[-1], speaker=speaker)
    assert await talk.say("yes") == ""
    assert len(await ahead(toolbox, ONE_LINE)) == 1


async def test_thanks_after_a_change_is_left_to_courtesy(toolbox):
    talk = Talk(toolbox, account=None)
    await open_ticket(talk)
    assert await talk.say("great, thanks") == ""


async def test_a_yes_after_another_turn_confirms_nothing(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    assert await talk.say("how much is Full Fibre 300?") == ""
    assert await talk.say("yes") == ""
    assert len(await ahead(toolbox, ONE_LINE)) == 1


async def test_a_yes_an_hour_later_is_asked_again_and_then_done(toolbox):
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    told = await talk.say("yes", after=HOUR)
    assert "That was a while ago" in told
    assert "Shall I do that?" in told
    assert len(await ahead(toolbox, ONE_LINE)) == 1
    assert "is cancelled" in await talk.say("yes")


@pytest.mark.parametrize(
    "said", ["yes but not tuesday", "yes, on Wednesday", "yes if it is free", "yes book tuesday at 5pm"]
)
async def test_a_yes_to_something_else_is_no_yes(toolbox, said):
    talk = Talk(toolbox, account=NO_VISIT)
    assert "Shall I do that?" in await talk.say("book an engineer visit for tuesday at 9am")
    await talk.say(said)
    assert not await ahead(toolbox, NO_VISIT)


async def test_another_day_is_proposed_anew(toolbox):
    talk = Talk(toolbox, account=NO_VISIT)
    await talk.say("book an engineer visit for tuesday at 9am")
    assert "Wednesday 25 November, 8am to 12 noon" in await talk.say("rather wednesday")
    assert "That is booked" in await talk.say("yes")


async def test_a_day_that_is_not_free_is_said_and_others_are_offered(toolbox):
    talk = Talk(toolbox, account=NO_VISIT)
    told = await talk.say("book an engineer for sunday")
    assert "no free time on Sunday 22 November" in told
    assert "Monday 23 November" in told


async def test_a_slot_that_was_taken_before_the_yes_is_not_booked(toolbox):
    talk = Talk(toolbox, account=NO_VISIT)
    await talk.say("book an engineer visit for tuesday at 9am")
    office = toolbox.supplies.office
    slot = next(s for s in await office.free_slots(NO_VISIT, f"BB-{NO_VISIT}-1", "repair") if s.day.day == 24)
    neighbours = [one.number for one in await neighbours_of(toolbox)]
    for key in ("a", "b"):
        await office.book(neighbours[0], f"BB-{neighbours[0]}-1", "repair", slot, key)
    assert "not free" in await talk.say("yes")
    assert not await ahead(toolbox, NO_VISIT)


async def neighbours_of(toolbox: Toolbox) -> list[CustomerAccount]:
    """Other accounts with broadband in the area of NO_VISIT."""
    numbers = [str(100_200_002 + ten) for ten in range(10, 100, 10)]
    found = [await toolbox.supplies.office.account(number) for number in numbers]
    return [one for one in found if one and one.lines[0].kind == "broadband"]


async def test_an_answer_that_is_not_understood_is_asked_for_once_more_and_then_dropped(toolbox):
    talk = Talk(toolbox, account=NO_VISIT)
    await talk.say("book an engineer")
    assert "I didn't catch that. Which day suits you?" in await talk.say("blue")
    assert await talk.say("blue") == ""


async def test_another_question_in_between_goes_to_the_articles(toolbox):
    talk = Talk(toolbox, account=NO_VISIT)
    await talk.say("book an engineer")
    assert await talk.say("what does an engineer visit cost if the fault is in my own wiring?") == ""


async def test_how_something_works_is_left_to_the_articles(toolbox):
    talk = Talk(toolbox, account=TWO_LINES)
    for said in (
        "how do I cancel my engineer appointment?",
        "How can I change my appointment?",
        "what happens if I miss my engineer visit",
        "the engineer didn't turn up",
        "how do I read my bill",
        "I want to cancel my broadband contract",
        "track my order LF-204815",
    ):
        assert await talk.say(said) == "", said


async def test_a_message_that_is_surely_about_something_else_is_no_errand(toolbox):
    talk = Talk(toolbox, account=TWO_LINES)
    sure = guess("scam_report", 0.95, in_scope=True)
    assert await talk.say("someone called and said: where is my technician", sure) == ""


async def test_a_ticket_that_does_not_exist_or_is_somebody_elses_is_not_found(toolbox):
    await open_ticket(Talk(toolbox, account=None, customer=CustomerId("bob"), conversation=ConversationId("bobs")))
    talk = Talk(toolbox, account=None)
    assert "can't find a ticket T-10423 of yours" in await talk.say("what is the status of T-10423?")
    assert "can't find a ticket T-99999 of yours" in await talk.say("what is the status of T-99999?")
    assert "can't find" in await talk.say("add to ticket T-10423: I pay nothing")


class Down(DemoOffice):
    """A back office that cannot be reached."""

    async def account(self, account: str) -> CustomerAccount | None:
        raise BackofficeDown("down")

    async def cancel(self, *arguments: Any) -> Visit:
        raise BackofficeDown("down")


async def test_a_back_office_that_is_down_is_told_and_named_for_the_escalation_rules(store):
    talk = Talk(build_toolbox(store, Down(store, lambda: NOW)))
    assert await talk.say("what plan am I on?") == FAILED
    assert talk.acted
    assert (talk.acted.failure, talk.acted.outcome) == ("lookup_account", Outcome.ABSTAINED)


async def test_a_yes_that_the_back_office_did_not_hear_can_be_said_again(store):
    toolbox = build_toolbox(store)
    talk = Talk(toolbox, account=ONE_LINE)
    await talk.say("cancel my visit")
    talk.toolbox = build_toolbox(store, Down(store, lambda: NOW))
    assert "Say yes again" in await talk.say("yes")
    talk.toolbox = toolbox
    assert "is cancelled" in await talk.say("yes")


async def test_every_call_is_in_the_replys_data_for_the_trace(toolbox):
    talk = Talk(toolbox, account=TWO_LINES)
    await talk.say("where is my technician?")
    assert talk.acted
    assert [(call[0], call[1]) for call in talk.acted.data["calls"]] == [("list_bookings", Ruling.DONE)]


async def test_two_conversations_do_not_see_each_others_proposals(toolbox):
    first = Talk(toolbox, account=ONE_LINE)
    await first.say("cancel my visit")
    second = Talk(toolbox, account=ONE_LINE, conversation=ConversationId("second"))
    assert await second.say("yes") == ""
    assert len(await ahead(toolbox, ONE_LINE)) == 1
