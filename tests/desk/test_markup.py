"""Markup of all kinds as customer, message, note and suggestion, in both views: nothing runs and nothing is fetched."""

import asyncio
import json
import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.backoffice.office import CustomerAccount, Invoice, Line, Slot, Visit
from bot.desk.behalf import CHANGES, Known
from bot.desk.cases import Case
from bot.domain import AgentId, ConversationId, CustomerId, Draft, Held, Holder, Kind, Speaker
from bot.errors import MessageRefused
from bot.guard import clean_text
from bot.pages.desk.render_customer import Form, render_customer, render_form, render_ticket
from bot.sql.log import SqlLog, open_log
from bot.sql.store import open_store
from bot.sql.tickets import SqlTickets
from bot.tickets import NewTicket, Note, Priority, Ticket, TicketNumber, TicketStatus
from bot.webchat.identity import COOKIE, SECRET, sign
from tests.desk.agent_client import AgentClient
from tests.desk.conftest import DEMO_ACCOUNT, add_agent, desk_server, let_in
from tests.e2e.visitor import open_context
from tests.server import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

OURS = ROOT / "tests" / "cases" / "markup.jsonl"
NAUGHTY = Path(os.environ.get("FRONTDESK_TEST_BLNS", ROOT.parent / "shared" / "data" / "security" / "blns")) / "blns.json"
TICKETS = 10
"""As many as the desk lists; each takes up to 100 notes."""
CHAT_STRINGS = 150
"""Strings of one conversation, three entries each: what a page shows of a long one."""
HANDLERS = """() => [...document.querySelectorAll('#log *, #queue *, #mine *, #packet *, #customer *, [data-step-type] *')]
  .filter((e) => [...e.attributes].some((a) => /^on/i.test(a.name)
      || (/^(href|src|action|formaction|xlink:href|data|poster|background)$/i.test(a.name)
        && /^\\s*(javascript|vbscript):/i.test(a.value)))
    || ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'LINK', 'STYLE', 'BASE', 'FORM'].includes(e.tagName)
    || (e.tagName === 'IMG' && new URL(e.src).host !== location.host)).map((e) => e.outerHTML.slice(0, 200))"""


def ours() -> list[str]:
    return [json.loads(line)["text"] for line in OURS.read_text(encoding="utf-8").splitlines()]


def naughty() -> list[str]:
    if not NAUGHTY.exists():
        pytest.skip(f"no {NAUGHTY.name}: set FRONTDESK_TEST_BLNS to the folder of the Big List of Naughty Strings")
    return list(json.loads(NAUGHTY.read_text(encoding="utf-8")))


def storable(strings: Iterable[str]) -> list[str]:
    """As they are stored when customers send them; those that are refused are not."""
    kept = []
    for text in strings:
        try:
            kept.append(clean_text(text, 8000))
        except MessageRefused:
            continue
    return kept


class Observer:
    """What a browser did that it must not have done."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.wrong: list[str] = []
        context.on("request", lambda request: self._ask(request.url, address))
        context.on("dialog", lambda dialog: self._say(dialog.message))
        context.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))

    def _ask(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.wrong.append(f"asked for {url}")

    def _say(self, words: str) -> None:
        self.wrong.append(f"a dialog said {words}")

    async def look(self, page: Page) -> None:
        assert await page.evaluate("window.__ran") is None
        assert await page.evaluate(HANDLERS) == []
        assert self.wrong == []


async def fill(log: SqlLog, customer: CustomerId, agent: AgentId, strings: list[str]) -> list[ConversationId]:
    """Conversations in which customer, agent and note say each of the strings; the agent holds them."""
    held = Held(holder=Holder.AGENT, agent=agent)
    chats = []
    for start in range(0, len(strings), CHAT_STRINGS):
        chat = ConversationId(str(uuid4()))
        await log.open(chat, customer)
        chats.append(chat)
        escalation = {"reason": strings[start], "rule": strings[start], "evidence": {"words": strings[start]}}
        drafts = [
            Draft(
                conversation=chat,
                speaker=Speaker.SYSTEM,
                kind=Kind.NOTICE,
                text="Somebody has joined.",
                data={"escalation": {**escalation, "note": strings[start]}},
                moves_to=held,
            )
        ]
        for text in strings[start : start + CHAT_STRINGS]:
            said = {"conversation": chat, "text": text}
            drafts.append(Draft(speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, **said))
            drafts.append(Draft(speaker=Speaker.AGENT, kind=Kind.MESSAGE, data={"author": "Zoe"}, **said))
            drafts.append(Draft(speaker=Speaker.AGENT, kind=Kind.NOTE, data={"author": text}, **said))
        await asyncio.gather(*(log.append(draft) for draft in drafts))
    return chats


async def open_tickets(folder: Path, customer: str, strings: list[str]) -> int:
    """Tickets of which each has one of the strings as its subject, and notes until every string is one."""
    store = open_store(None, folder)
    tickets = SqlTickets(store)
    now = datetime.now(UTC)
    try:
        numbers = []
        for text in strings[:TICKETS]:
            wanted = NewTicket(customer=customer, conversation=ConversationId("x"), subject=text, key=str(uuid4()))
            numbers.append((await tickets.open(wanted)).number)
        for place, text in enumerate(strings):
            note = Note(at=now, by=Speaker.CUSTOMER, text=text)
            await tickets.add(customer, numbers[place % len(numbers)], note, str(uuid4()))
    finally:
        await store.close()
    return len(numbers)


def customer_panel(strings: list[str]) -> str:
    """What the desk shows of a customer whose name, tickets, lines, visits and bills are these strings."""
    day, now = date(2026, 11, 20), datetime(2026, 11, 20, tzinfo=UTC)
    html = []
    for text in strings:
        line = Line(id=text, kind="broadband", plan=text, label=text, monthly_pence=1)
        account = CustomerAccount(number=text, name=text, email=text, phone=text, postcode=text, since=day, lines=(line,))
        slot = Slot(day=day, start_hour=8, end_hour=12)
        visit = Visit(number=text, account=text, line=text, kind="repair", slot=slot, status="booked", engineer=text)
        bill = Invoice(
            number=text, account=text, line=text, kind="broadband", issued=day, due=day, is_paid=False, charges=()
        )
        ticket = Ticket(
            number=TicketNumber(text),
            customer=text,
            conversation=ConversationId(text),
            subject=text,
            category=text,
            priority=Priority.NORMAL,
            status=TicketStatus.OPEN,
            opened=now,
            updated=now,
            notes=(Note(at=now, by=Speaker.CUSTOMER, text=text),),
        )
        known = Known(number=text, account=account, tickets=(ticket,), visits=(visit,), bills=(bill,), may=CHANGES)
        case = Case(id=ConversationId(text), customer=CustomerId(text))
        asked = {"number": text, "status": text, "line": text, "kind": text}
        html += [render_customer(known, case), render_ticket(ticket)]
        for tool in sorted(CHANGES):
            form = render_form(Form(tool=tool, asked=asked, lines=[line], slots=[slot], moved=visit))
            html.append(form.replace('<form id="tool-form"', "<div").replace("</form>", "</div>"))
    return "".join(html)


async def queue(log: SqlLog, strings: list[str]) -> None:
    """A waiting customer for each of the strings, who is called so and says so."""
    for text in strings:
        chat = ConversationId(str(uuid4()))
        await log.open(chat, CustomerId(text[:200]))
        await log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text))
        data = {"escalation": {"reason": text, "rule": text}, "turn": {"reading": {"intent": text, "language": text}}}
        moved = Held(holder=Holder.QUEUE)
        said = {"conversation": chat, "speaker": Speaker.SYSTEM, "kind": Kind.NOTICE, "text": text}
        await log.append(Draft(data={**data, "team": text}, moves_to=moved, **said))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: nobody else waits there, and nobody else meets these customers."""
    with desk_server(tmp_path_factory.mktemp("crowded"), ["00:00-24:00"]) as running:
        yield running


@pytest.mark.parametrize("strings", [ours, naughty], ids=["ours", "naughty"])
async def test_nothing_that_anybody_writes_runs_or_is_fetched(crowded: Server, browser: Browser, http, strings):
    texts = storable(strings())
    assert len(texts) >= 200
    secret = (crowded.data_dir / "secret").read_text().strip()
    account = await add_agent(crowded.data_dir, capacity=20)
    staff = let_in(AgentClient(crowded.address, http, account.id), crowded)
    customer = CustomerId(f"visitor-{uuid4()}")
    log = await asyncio.to_thread(open_log, None, crowded.data_dir)
    try:
        chats = await fill(log, customer, account.id, texts)
        with_tickets = await open_tickets(crowded.data_dir, f"account:{DEMO_ACCOUNT}", texts)
        await queue(log, texts)
        context = await open_context(browser)
        name, _, value = staff.cookie.partition("=")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(SECRET, secret)
            visitor = sign(customer, time.time())
        await context.add_cookies(
            [
                {"name": name, "value": value, "url": crowded.address},
                {"name": COOKIE, "value": visitor, "url": crowded.address},
            ]
        )
        observer = Observer(context, crowded.address)
        page = await context.new_page()
        await look_at_desk(page, crowded.address, observer, len(chats), len(texts))
        await look_at_customer(page, observer, with_tickets, customer_panel(texts))
        for chat in chats:
            page = await context.new_page()
            await page.goto(f"{crowded.address}/thread/{chat}")
            await expect(page.locator('[data-step-type="assistant_message"]').last).to_be_visible()
            await page.wait_for_timeout(500)
            await observer.look(page)
            await page.close()
        await context.close()
    finally:
        for waiting in (*await log.held(Holder.QUEUE), *await log.held(Holder.AGENT)):
            said = {"conversation": waiting.id, "speaker": Speaker.SYSTEM, "kind": Kind.NOTICE, "text": ""}
            await log.append(Draft(moves_to=Held(holder=Holder.CLOSED), **said))
        await log.close()


async def look_at_customer(page: Page, observer: Observer, tickets: int, panel: str) -> None:
    """The customer's tickets with all their notes, then every string in each place of the panel, as the page puts it in."""
    await page.locator("#mine .open").first.click()
    await page.locator("#tab-packet").click()
    subjects = page.locator("#customer [data-act=ticket]")
    await expect(subjects).to_have_count(tickets, timeout=60_000)
    for place in range(tickets):
        await subjects.nth(place).click()
        await expect(page.locator("#customer .history").nth(place).locator("li").first).to_be_visible(timeout=60_000)
    await observer.look(page)
    await page.evaluate("html => { document.getElementById('customer').innerHTML = html; }", panel)
    await observer.look(page)


async def look_at_desk(page: Page, address: str, observer: Observer, mine: int, waiting: int) -> None:
    """The lists with every string as a customer's name, then each chat, a search, and the packet."""
    await page.goto(f"{address}/desk")
    await expect(page.locator("#mine .open")).to_have_count(mine)
    await expect(page.locator("#queue .open")).to_have_count(waiting)
    await observer.look(page)
    for place in range(mine):
        await page.locator("#mine .open").nth(place).click()
        await expect(page.locator("#mine .open").nth(place)).to_have_attribute("aria-current", "true")
        await expect(page.locator("#log .entry.note").last).to_be_visible()
        await observer.look(page)
    await page.locator("#queue .open").last.click()
    await expect(page.get_by_role("button", name="Claim this chat")).to_be_focused()
    await page.keyboard.press("/")
    await expect(page.locator("#words")).to_be_focused()
    await page.keyboard.type("<img src=x onerror=window.__ran=1>")
    await page.keyboard.press("Enter")
    await expect(page.locator("#found .hit").first).to_be_visible()
    await observer.look(page)
