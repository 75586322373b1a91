"""The 14 journeys into the company's own system, through the real chat: without a model, and with one that calls tools.

A step is what the customer says and what the reply must hold. Without a model the words alone lead to the tool. With one the
same is said in words that no rule knows; the model is scripted, asks for tools and repeats what they tell.
"""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.backoffice.office import Slot
from bot.webchat.identity import COOKIE
from tests.api.conftest import TOKEN_SECRET
from tests.api.test_identity import customer_token
from tests.chat_client import ChatClient, open_http
from tests.e2e.company import Company, open_company, page_of
from tests.server import Server

SECONDS = 90.0
pytestmark = pytest.mark.timeout(400)  # two servers may have to start, and a slow machine makes the index first
THEIRS = "FV-20001"
"""A visit of the first customer, with which nobody else has anything to do."""
MOVED, BOOKED, CANCELLED, ASKER = "100200004", "100200006", "100200016", "100200010"
STATUS, ADDED, LISTED = "100200018", "100200022", "100200028"
EARLIER_TICKETS = {STATUS: "The line drops at night", ADDED: "The hub is hot", LISTED: "A bill came twice"}
BILL = r"bill LKB-\d+ of .* is £[\d.]+"
OUTAGE = r"^There is an outage of broadband in LF4, since 6:40am .* We expect it to be over by"
VISIT = rf"^Your repair visit \({THEIRS}\) is on \w+ \d+ \w+, .* Your engineer is \w+ \w+\.$"
MOVE = r"^I can move your installation visit FV-20004 from \w+ \d+ \w+, .* to \w+ \d+ \w+, .* Shall I do that\?$"
BOOK = r"^I can book a repair visit for your broadband at .* on \w+ \d+ \w+, .* Shall I do that\?$"
CANCEL = r"^I can cancel your installation visit FV-20016 on .* Shall I do that\?$"
FOREIGN = rf"^I can't find a visit {THEIRS} on your account\.$"
ACCOUNT = r"^Your account 100200003 is in the name of .*Mobile 07700 900002 \(SIM"
BILLS = r"Broadband bill LKB-\d+ of .*Mobile bill LKM-\d+"
SIGN_IN = "You are not signed in, so I cannot see an account. Please sign in and ask again."

Step = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A customer's way: `account` is "" for a visitor; `for_model` are the steps with a model."""

    account: str
    steps: tuple[Step, ...]
    for_model: tuple[Step, ...]


JOURNEYS = {
    "1 a bill is explained by amount": Journey(
        account="100200001",
        steps=(("why is my bill higher this month?", "^Which of your two lines is it"), ("the second one", BILL)),
        for_model=(("Can you tell me what makes up the amount that you took from me last month?", BILL),),
    ),
    "2 an outage in my area": Journey(
        account="100200014",
        steps=(("is there an outage in my area?", OUTAGE),),
        for_model=(("Nothing works on our street since this morning, do you know about it?", OUTAGE),),
    ),
    "3 where is my technician": Journey(
        account="100200001",
        steps=(("where is my technician?", VISIT),),
        for_model=(("Is somebody coming to my house, and when?", VISIT),),
    ),
    "4 an appointment is moved once it is confirmed": Journey(
        account=MOVED,
        steps=(
            ("I need to move my appointment", "^Which day suits you"),
            ("1", "^Which time suits you on "),
            ("1", MOVE),
            ("yes please", r"^That is done\. Your new time: an installation visit \(FV-20004\) on "),
        ),
        for_model=(
            ("Could the fitter come some other day?", MOVE),
            ("yes", r"^That is done\. Your new time: an installation visit \(FV-20004\) on "),
        ),
    ),
    "5 somebody else's appointment is not moved": Journey(
        account=ASKER,
        steps=((f"move appointment {THEIRS} to tuesday at 9am", FOREIGN), (f"cancel visit {THEIRS}", FOREIGN)),
        for_model=((f"Could the fitter come to {THEIRS} some other day?", FOREIGN),),
    ),
    "6 an appointment is booked": Journey(
        account=BOOKED,
        steps=(
            ("Can you book an engineer for me?", "^Which day suits you"),
            ("2", "^Which time suits you on "),
            ("the first one", BOOK),
            ("yes", r"^That is booked: a repair visit \(FV-5\d+\) on "),
        ),
        for_model=(
            ("My broadband is dead, can somebody come and look at it?", BOOK),
            ("yes please", r"^That is booked: a repair visit \(FV-5\d+\) on "),
        ),
    ),
    "7 an appointment is cancelled": Journey(
        account=CANCELLED,
        steps=(("please cancel my engineer visit", CANCEL), ("yes", r"^Your visit FV-20016 on .* is cancelled\.$")),
        for_model=(
            ("There is no need for anybody to come to my house any more", CANCEL),
            ("yes", r"^Your visit FV-20016 on .* is cancelled\.$"),
        ),
    ),
    "8 a ticket is opened": Journey(
        account="",
        steps=(
            ("open a ticket", "^What is the ticket about"),
            (
                "My hub restarts every night",
                r"^I can open a ticket about “My hub restarts every night”\. Shall I do that\?$",
            ),
            ("yes", r"^I have opened ticket T-\d+ for you: “My hub restarts every night”\."),
        ),
        for_model=(
            ("Please make a note that my hub restarts every night so that somebody follows it up", r"Shall I do that\?$"),
            ("yes", r"^I have opened ticket T-\d+ for you: “My hub restarts every night”\."),
        ),
    ),
    "9 a ticket's status is asked": Journey(
        account=STATUS,
        steps=(("any news on my ticket?", "“The line drops at night”, is open: our team is looking at it"),),
        for_model=(("What became of the outage that I reported?", "“The line drops at night”, is open: our team is"),),
    ),
    "10 a ticket is added to": Journey(
        account=ADDED,
        steps=(
            ("add something to my ticket", r"^What shall I add to ticket T-\d+\?$"),
            ("It is worse when it rains.", "“It is worse when it rains.” Shall I do that"),
            ("ok", r"^I have added that to ticket T-\d+\.$"),
            ("status of my ticket?", "you: It is worse when it rains."),
        ),
        for_model=(
            (
                "My broadband fault is worse when it rains, please let them know",
                "“It is worse when it rains.” Shall I do that",
            ),
            ("ok", r"^I have added that to ticket T-\d+\.$"),
        ),
    ),
    "11 tickets are listed": Journey(
        account=LISTED,
        steps=(("show my tickets", r"T-\d+, “A bill came twice” \(open\)"),),
        for_model=(("Which faults in my broadband have I reported?", r"T-\d+, “A bill came twice” \(open\)"),),
    ),
    "12 the account is looked up": Journey(
        account="100200003",
        steps=(("what plan am I on?", ACCOUNT),),
        for_model=(("Which speed did I agree to in my plan?", ACCOUNT),),
    ),
    "13 bills are listed": Journey(
        account=MOVED,
        steps=(("show me my last bills", BILLS),),
        for_model=(("Which of my payments are still due?", BILLS),),
    ),
    "14 who is not signed in is told so": Journey(
        account="",
        steps=(("why is my bill higher?", re.escape(SIGN_IN)), ("where is my technician?", re.escape(SIGN_IN))),
        for_model=(("Has an engineer been arranged for my house?", re.escape(SIGN_IN)),),
    ),
}


def script(move_to: Slot, book_at: Slot, tickets: Mapping[str, str]) -> list[list[dict[str, object]]]:
    """The model: it asks for a tool when a customer says these words, and repeats what any tool told."""

    def calls(said: str, tool: str, **arguments: object) -> list[dict[str, object]]:
        return [{"when": said}, {"tool": {"name": tool, "arguments": arguments}}]

    moving = {"day": move_to.day.isoformat(), "start_hour": move_to.start_hour}
    return [
        [{"when": "<tool_result"}, {"say": "{result}"}],
        calls("the amount that you took", "explain_invoice", line=1),
        calls("nothing works on our street", "service_status"),
        calls("coming to my house, and when", "list_bookings"),
        calls(f"come to {THEIRS}", "change_booking", number=THEIRS, **moving),
        calls("come some other day", "change_booking", number="FV-20004", **moving),
        calls("come and look at it", "book_appointment", day=book_at.day.isoformat(), start_hour=book_at.start_hour),
        calls("no need for anybody", "cancel_booking", number="FV-20016"),
        calls("somebody follows it up", "create_ticket", subject="My hub restarts every night", category="fault"),
        calls("what became of", "get_ticket", number=tickets[STATUS]),
        calls("please let them know", "update_ticket", number=tickets[ADDED], text="It is worse when it rains."),
        calls("have i reported", "list_tickets"),
        calls("agree to in my plan", "lookup_account"),
        calls("payments are still due", "list_invoices"),
        calls("engineer been arranged", "list_bookings"),
    ]


@pytest.fixture(scope="module")
def model_server(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product with a model that calls tools."""
    folder = tmp_path_factory.mktemp("model")
    data_dir = folder / "data"
    shutil.copytree(indexed, data_dir)
    (folder / "script.json").write_text(json.dumps(asyncio.run(prepare(data_dir))))
    env = {"LLM_PROVIDERS": "scripted,extractive", "LLM_SCRIPT": str(folder / "script.json")}
    env["CUSTOMER_TOKEN_SECRET"] = TOKEN_SECRET
    with Server(data_dir, env=env) as running:
        yield running


async def prepare(data_dir: Path) -> list[list[dict[str, object]]]:
    """Seed the tickets, and the script for the company as it is today."""
    async with open_company(data_dir) as company:
        tickets = {account: (await company.seed_ticket(account, about)).number for account, about in EARLIER_TICKETS.items()}
        return script(await company.free(MOVED), await company.free(BOOKED), tickets)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


async def arrive(server: Server, http: aiohttp.ClientSession, account: str) -> ChatClient:
    page = page_of(server, http, account)
    if not account:
        await page.sign_in()
    await page.connect(seconds=SECONDS)
    return page


async def go(page: ChatClient, steps: tuple[Step, ...]) -> None:
    for said, wanted in steps:
        reply = await page.ask(said, seconds=SECONDS)
        assert re.search(wanted, reply["output"], re.DOTALL), f"{said!r} was answered with {reply['output']!r}"


@pytest.mark.parametrize("name", JOURNEYS)
async def test_a_journey_without_a_model(server, http, name):
    journey = JOURNEYS[name]
    async with open_company(server.data_dir) as company:
        if journey.account in EARLIER_TICKETS:
            await company.seed_ticket(journey.account, EARLIER_TICKETS[journey.account])
        page = await arrive(server, http, journey.account)
        await go(page, journey.steps)
        assert {call.asker for call in await company.calls(page)} == {"routes"}
        await check(company)
    await page.close()


@pytest.mark.parametrize("name", JOURNEYS)
async def test_a_journey_with_a_model_that_calls_tools(model_server, http, name):
    journey = JOURNEYS[name]
    async with open_company(model_server.data_dir) as company:
        page = await arrive(model_server, http, journey.account)
        await go(page, journey.for_model)
        assert (await company.calls(page))[0].asker == "model"
        await check(company)
    await page.close()


async def test_a_visitor_who_signs_in_is_told_about_their_account_in_the_same_conversation(model_server, http):
    ask, visit = JOURNEYS["3 where is my technician"].for_model[0]
    page = await arrive(model_server, http, "")
    await go(page, ((ask, re.escape(SIGN_IN)),))
    headers = {"Cookie": page.cookie, "Origin": page.address}
    token = {"token": customer_token(sub="100200001")}
    async with http.post(f"{page.address}/chat/sign-in", json=token, headers=headers) as response:
        assert (await response.json())["claimed"] == 1
        page.cookie = f"{COOKIE}={response.cookies[COOKIE].value}"
    tab = page.tab(page.conversation)
    await tab.connect(seconds=SECONDS)
    await go(tab, ((ask, visit.removeprefix("^")),))
    assert SIGN_IN in [step["output"] for step in tab.steps.values()], "what was said before signing in is there"
    await tab.close()
    await page.close()


async def check(company: Company) -> None:
    """Whatever was asked for, the first customer's visit is where it was."""
    [visit] = await company.ahead("100200001")
    assert (visit.number, visit.changes) == (THEIRS, 0)


async def test_a_double_click_on_yes_makes_one_change(server, http):
    async with open_company(server.data_dir) as company:
        page = await arrive(server, http, "100200034")
        await go(page, (("open a ticket about the hub that buzzes", r"Shall I do that\?$"),))
        acks = await asyncio.gather(*(page.send("yes", seconds=SECONDS) for _ in range(2)))
        replies = [(await page.wait_for_reply(ack["seq"], seconds=SECONDS))["output"] for ack in acks]
        assert all("T-1" in reply or "done already" in reply for reply in replies), replies
        assert len(await company.tickets_of("100200034")) == 1
    await page.close()
