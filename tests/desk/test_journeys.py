"""A customer and an agent in two browsers, against the real server; pictures are in pytest's folder of each."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.desk.agent_client import AgentClient
from tests.desk.conftest import Hire, add_agent, let_in
from tests.e2e.visitor import Visitor, open_context
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PASSWORD = "four words are enough"
LATE = "what is the late fee?"


class Colleague:
    """An agent's browser. Whatever they do, nothing is asked of a foreign host and no error is on the console."""

    def __init__(self, context: BrowserContext, page: Page, account: AgentClient, pictures: Path) -> None:
        self.context, self.page, self.account, self.pictures = context, page, account, pictures
        self.wrong: list[str] = []
        self.is_server_away = False
        context.on("request", lambda request: self._watch(request.url))
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))

    @classmethod
    async def arrive(cls, browser: Browser, account: AgentClient, pictures: Path, width: int = 1280) -> "Colleague":
        context = await open_context(browser, viewport={"width": width, "height": 860})
        name, _, value = account.cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": account.address}])
        colleague = cls(context, await context.new_page(), account, pictures)
        await colleague.page.goto(f"{account.address}/desk")
        await expect(colleague.page.locator("#connection")).to_have_attribute("data-state", "live")
        return colleague

    async def claim(self, words: str) -> None:
        """Open the waiting chat that says these words, by keyboard, and take it."""
        row = self.page.locator("#queue .open", has_text=words)
        await expect(row).to_be_visible()
        await row.focus()
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("button", name="Claim this chat")).to_be_focused()
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("#text")).to_be_focused()
        await expect(self.page.locator("#mine .open[aria-current='true']")).to_have_count(1)

    async def say(self, words: str) -> None:
        await self.page.locator("#text").fill(words)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("#log .entry.agent", has_text=words)).to_have_count(1)

    async def picture(self, name: str) -> None:
        await self.page.screenshot(path=self.pictures / f"{name}.png")

    async def leave(self) -> None:
        await self.context.close()
        assert self.wrong == []

    def _watch(self, url: str) -> None:
        if not url.startswith((self.account.address, "data:", "blob:")):
            self.wrong.append(url)

    def _hear(self, kind: str, words: str) -> None:
        if kind == "error" and not self.is_server_away:
            self.wrong.append(words)


@pytest.fixture
async def customer(desk: Server, browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    someone = await Visitor.arrive(browser, desk.address, tmp_path, width=1280)
    yield someone
    await someone.leave()


@pytest.fixture
async def phone(desk: Server, browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    someone = await Visitor.arrive(browser, desk.address, tmp_path, width=390)
    yield someone
    await someone.leave()


@pytest.fixture
async def colleague(browser: Browser, hire: Hire, tmp_path: Path) -> AsyncIterator[Colleague]:
    someone = await Colleague.arrive(browser, await hire("Zoe Martin"), tmp_path)
    yield someone
    await someone.leave()


async def see(page: Page, words: str) -> None:
    await expect(page.get_by_text(words).first).to_be_visible()


async def test_from_the_bot_to_a_person_and_back_with_a_rating(customer: Visitor, colleague: Colleague):
    await customer.ask(LATE)
    await customer.ask_until_sent("that is no help, get me a human now")
    await see(customer.page, "Waiting for a colleague")
    await colleague.claim("that is no help")
    await see(customer.page, "Zoe Martin has joined the chat")
    await expect(colleague.page.locator("#packet")).to_contain_text("Asked for a person")
    await colleague.picture("claimed")

    await colleague.say("Hello, I'm Zoe. I see the late fee.")
    reply = customer.replies().last
    await expect(reply).to_contain_text("I see the late fee")
    await expect(reply.locator(".message-content[data-author='Zoe Martin']")).to_be_visible()
    await customer.ask_until_sent("Thank you Zoe, what is it?")
    await expect(colleague.page.locator("#log .entry.customer").last).to_contain_text("what is it?")

    await expect(colleague.page.locator("#suggestion")).to_contain_text("£7.50")
    await colleague.page.get_by_role("button", name="Edit and send").click()
    await expect(colleague.page.locator("#text")).to_be_focused()
    await colleague.page.keyboard.press("Enter")
    await expect(colleague.page.locator("#text")).to_have_value("")
    await expect(customer.replies().last).to_contain_text("£7.50")
    await expect(customer.replies().last.get_by_role("link", name="1", exact=True)).to_be_visible()

    await colleague.page.keyboard.press("Escape")
    await colleague.page.keyboard.press("n")
    await expect(colleague.page.locator("#text")).to_be_focused()
    await colleague.page.keyboard.type("SECRET: waived once already")
    await expect(colleague.page.locator("#text")).to_have_value("SECRET: waived once already")
    await colleague.page.keyboard.press("Enter")
    await expect(colleague.page.locator("#log .entry.note")).to_contain_text("waived once")
    await colleague.picture("talking")
    await customer.picture("talking")

    await colleague.page.keyboard.press("Escape")
    await colleague.page.keyboard.press("h")
    await colleague.page.get_by_label("Hand back").get_by_role("button", name="Hand back").click()
    await see(customer.page, "How was your chat with")
    assert "SECRET" not in await customer.page.content()
    await customer.page.get_by_role("radio", name="5 stars").click()
    await expect(customer.page.get_by_label("Anything to add?")).to_be_focused()
    await customer.page.keyboard.type("Quick and kind")
    await expect(customer.page.get_by_label("Anything to add?")).to_have_value("Quick and kind")
    await customer.page.keyboard.press("Enter")
    await see(customer.page, "Thank you for telling us")
    await expect(await customer.ask(LATE)).to_contain_text("£7.50")
    await expect(colleague.page.locator("#mine .open")).to_have_count(0)
    await customer.ask("thank you, goodbye")
    await see(customer.page, "How was your chat with the assistant?")
    await customer.page.get_by_role("radio", name="3 stars").click()
    await customer.page.get_by_role("button", name="Send", exact=True).click()
    await see(customer.page, "Thank you for telling us")


async def test_a_customer_with_a_phone_waits_talks_and_goes_back(phone: Visitor, colleague: Colleague):
    await phone.ask_until_sent("a human please, from my phone")
    await see(phone.page, "Waiting for a colleague")
    assert await phone.overflow() <= 0
    await colleague.claim("from my phone")
    colleague.is_server_away = True  # a refusal is an error on the console
    await colleague.page.locator("#text").fill("x" * 10_000)
    await colleague.page.keyboard.press("Enter")
    await see(colleague.page, "That is 10,000 characters")
    await expect(colleague.page.locator("#text")).to_have_value("x" * 10_000)
    await colleague.say("Hello there, how can I help?")
    await expect(phone.replies().last).to_contain_text("how can I help")
    assert await phone.overflow() <= 0
    await phone.picture("phone")
    await phone.page.get_by_role("button", name="Back to the assistant").click()
    await see(phone.page, "You are talking to the assistant again")
    await expect(colleague.page.locator("#mine .open")).to_have_count(0)


async def test_a_customer_who_comes_back_finds_the_chat_with_the_person(customer: Visitor, colleague: Colleague):
    await customer.ask_until_sent("a human please, I may go away")
    await colleague.claim("I may go away")
    await customer.address_of_conversation()
    await colleague.say("Take your time")
    await customer.page.reload()
    await see(customer.page, "Take your time")
    await see(customer.page, "You are talking to")
    await expect(customer.replies().last.locator(".message-content[data-author='Zoe Martin']")).to_be_visible()
    await customer.ask_until_sent("I am back")
    await expect(colleague.page.locator("#log .entry.customer").last).to_contain_text("I am back")


async def test_out_of_hours_is_said_and_the_way_back_is_open(closed_desk: Server, browser: Browser, tmp_path: Path):
    customer = await Visitor.arrive(browser, closed_desk.address, tmp_path, width=1280)
    await customer.ask_until_sent("a human please")
    await see(customer.page, "not at the desk now")
    await see(customer.page, "A colleague answers here when they are back")
    await customer.picture("out-of-hours")
    await customer.page.get_by_role("button", name="Back to the assistant").click()
    await see(customer.page, "You are talking to the assistant again")
    await expect(await customer.ask(LATE)).to_contain_text("£7.50")
    await customer.leave()


async def test_a_customer_is_told_that_the_agent_was_lost(customer: Visitor, colleague: Colleague):
    await customer.ask_until_sent("a human please, and do not get lost")
    await colleague.claim("do not get lost")
    await colleague.say("I am here")
    await colleague.context.close()
    await see(customer.page, "seems to have lost the connection")
    await see(customer.page, "Waiting for Zoe Martin to come back")


async def test_who_is_signed_out_in_the_middle_of_a_message_keeps_it(desk: Server, customer: Visitor, colleague: Colleague):
    await customer.ask_until_sent("a human please, and stay signed in")
    await colleague.claim("stay signed in")
    await colleague.page.locator("#text").fill("A long and careful answer")
    colleague.is_server_away = True  # a refusal is an error on the console
    await colleague.context.clear_cookies()
    await colleague.page.keyboard.press("Enter")
    again = colleague.page.locator("#again")
    await expect(again.get_by_label("Password")).to_be_focused()
    await again.get_by_label("Password").fill(PASSWORD)
    await colleague.page.keyboard.press("Enter")
    await expect(colleague.page.locator("#log .entry.agent")).to_contain_text("A long and careful answer")
    await expect(customer.replies().last).to_contain_text("careful answer")


async def test_both_pages_recover_from_a_killed_server_and_nothing_is_lost_or_doubled(
    desk: Server, customer: Visitor, colleague: Colleague
):
    await customer.ask_until_sent("a human please, whatever happens")
    await colleague.claim("whatever happens")
    await colleague.say("Before the crash")
    await expect(customer.replies().last).to_contain_text("Before the crash")
    customer.is_server_away = colleague.is_server_away = True
    desk.kill()
    await expect(colleague.page.locator("#connection")).to_have_attribute("data-state", "lost")
    await colleague.page.locator("#text").fill("Written while it was away")
    await colleague.page.keyboard.press("Enter")
    await see(colleague.page, "cannot be reached")
    await asyncio.to_thread(desk.start)
    await expect(colleague.page.locator("#connection")).to_have_attribute("data-state", "live")
    await colleague.page.locator("#text").press("Enter")
    await expect(customer.replies().last).to_contain_text("while it was away")
    await customer.ask_until_sent("I read both")
    await expect(colleague.page.locator("#log .entry.customer").last).to_contain_text("I read both")
    said = await colleague.page.locator("#log .entry.agent .words").all_inner_texts()
    assert said == ["Before the crash", "Written while it was away"]
    await expect(customer.replies()).to_have_count(2)
    assert [await customer.replies().nth(n).inner_text() for n in (0, 1)]


async def test_the_keyboard_alone_works_the_desk(browser: Browser, desk: Server, http, customer: Visitor, tmp_path: Path):
    account = let_in(AgentClient(desk.address, http, (await add_agent(desk.data_dir, "Max")).id), desk)
    colleague = await Colleague.arrive(browser, account, tmp_path, width=820)
    await customer.ask_until_sent("a human please, by keyboard")
    await colleague.claim("by keyboard")
    press, box = colleague.page.keyboard.press, colleague.page.locator("#text")
    await press("/")
    await expect(colleague.page.locator("#canned-list li").first).to_be_focused()
    await press("ArrowDown")
    await press("Enter")
    await expect(box).to_be_focused()
    await expect(box).to_have_value(re.compile("Thank you for waiting"))
    await press("Enter")
    await expect(box).to_have_value("")
    await expect(customer.replies().last).to_contain_text("Thank you for waiting")
    await press("Escape")
    await expect(colleague.page.locator(".lists .open[aria-current='true']")).to_be_focused()
    await press("/")
    await expect(colleague.page.locator("#words")).to_be_focused()
    await colleague.page.keyboard.type("late fee")
    await expect(colleague.page.locator("#found .hit").first).to_contain_text("late payment")
    await press("Escape")
    await expect(colleague.page.locator(".lists .open[aria-current='true']")).to_be_focused()
    await press("c")
    await colleague.page.get_by_label("How did it go?").select_option("no_reply")
    await colleague.page.get_by_role("button", name="Close chat").press("Enter")
    await see(customer.page, "has closed this chat")
    assert int(await colleague.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")) <= 0
    await colleague.leave()
