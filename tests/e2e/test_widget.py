"""The widget on plain pages of another port of the same site, with a strict policy of their own, in Chromium."""

import asyncio
import json
import shutil
import sqlite3
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from tests.e2e.visitor import MILLISECONDS, open_context
from tests.server import Server

QUESTION = "My bill went up this month, why?"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src {chat}; connect-src {chat} {socket}; img-src data:; base-uri 'none'">
<link rel="icon" href="data:,">
<script src="{chat}/widget.js" data-title="Larkfield help" data-colour="#0b6b4f" defer></script>
</head><body><h1>{title}</h1><p><a href="second.html">second</a></p></body></html>"""
LOOK_MS = 15_000
"""How often the widget sees whether it has heard anything."""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *ignored: object) -> None:
        return


class Wire:
    """What lies between a page and the server; it can die without a word."""

    def __init__(self) -> None:
        self.joined, self.pongs, self.is_dead = 0, 0, False
        self._answered = asyncio.Event()

    def join(self, page: WebSocketRoute) -> None:
        self.joined += 1
        server = page.connect_to_server()
        server.on_message(lambda said: self._pass_on(page, said))

    def _pass_on(self, page: WebSocketRoute, said: str | bytes) -> None:
        if self.is_dead:
            return
        self.pongs += json.loads(said)["type"] == "pong"
        self._answered.set()
        page.send(said)

    async def until_answered(self, pings: int) -> None:
        async with asyncio.timeout(MILLISECONDS / 1000):
            while self.pongs < pings:
                self._answered.clear()
                await self._answered.wait()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, chromium: str, indexed: Path) -> Iterator[tuple[str, Server]]:
    """The company's site, and the chat on another port."""
    folder = tmp_path_factory.mktemp("shop")
    data_dir = tmp_path_factory.mktemp("widget") / "data"
    shutil.copytree(indexed, data_dir)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as pages:
        site = f"http://127.0.0.1:{pages.server_port}"
        env = {"ALLOWED_ORIGINS": json.dumps([site]), "ENVIRONMENT": "development"}
        chat = Server(data_dir, app="tests/e2e/widget_app.py", env=env)
        for name, title in (("index.html", "The shop"), ("second.html", "Another page")):
            socket = chat.address.replace("http", "ws")
            (folder / name).write_text(PAGE.format(title=title, chat=chat.address, socket=socket), encoding="utf-8")
        serving = threading.Thread(target=pages.serve_forever)
        serving.start()
        try:
            with chat:
                yield site, chat
        finally:
            pages.shutdown()
            serving.join()


@pytest.fixture
async def context(shop: tuple[str, Server], browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await open_context(browser, viewport={"width": 1280, "height": 860}, color_scheme="light")
    errors: list[str] = []
    made.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    made.on("weberror", lambda error: errors.append(str(error.error)))
    yield made
    await made.close()
    assert errors == []


async def ask(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.keyboard.press("Enter")


async def height_of(element: Locator) -> float:
    """Its pixels on the page."""
    place = await element.bounding_box()
    assert place
    return place["height"]


async def test_ask_go_to_another_page_ask_for_a_person_and_be_told_of_the_answer(
    shop: tuple[str, Server], context: BrowserContext, tmp_path: Path
) -> None:
    site, chat = shop
    page = await context.new_page()
    await page.goto(site)
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await ask(page, QUESTION)
    reply = page.locator(".line.bot:not([aria-busy])").nth(1)
    await expect(reply.locator(".sources a").first).to_be_visible()
    source = await reply.locator(".sources a").first.get_attribute("href")
    assert source is not None
    assert source.startswith(f"{chat.address}/help/")
    told = await reply.inner_text()
    await page.screenshot(path=tmp_path / "widget-answer.png")

    await page.get_by_role("link", name="second").click()
    await expect(page.get_by_role("heading", name="Another page")).to_be_visible()
    await expect(page.locator(".line.customer")).to_have_text(QUESTION)
    assert await page.locator(".line.bot:not([aria-busy])").nth(1).inner_text() == told

    await page.get_by_role("button", name="Talk to a person").click()
    await expect(page.locator(".line.customer").nth(1)).to_contain_text("talk to a person")
    await expect(page.get_by_role("heading", name="Waiting for a colleague")).to_be_visible()
    await expect(page.locator(".line").nth(4)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    kept = await page.evaluate("Object.entries(localStorage).find(([key]) => key.startsWith('frontdesk'))[1]")
    answer = json.dumps({"conversation": json.loads(kept)["conversation"], "text": "Hello, this is **Maya**."})
    request = urllib.request.Request(f"{chat.address}/test/agent", answer.encode(), {"Content-Type": "application/json"})
    (await asyncio.to_thread(urllib.request.urlopen, request)).close()
    launcher = page.get_by_role("button", name="Open the chat, 1 unread message")
    await expect(launcher).to_be_visible()
    await page.screenshot(path=tmp_path / "widget-unread.png")
    await launcher.press("Enter")
    await expect(page.locator(".line.agent strong")).to_have_text("Maya")
    await expect(page.get_by_role("heading", name="Chat with a colleague")).to_be_visible()
    await expect(page.locator(".badge")).to_be_hidden()


async def test_on_a_phone_the_chat_fills_the_screen_and_nothing_is_cut_off(
    shop: tuple[str, Server], browser: Browser, tmp_path: Path
) -> None:
    size = {"width": 390, "height": 844}
    context = await open_context(browser, viewport=size, is_mobile=True, has_touch=True, color_scheme="dark")
    page = await context.new_page()
    await page.goto(shop[0])
    await page.get_by_role("button", name="Open the chat").tap()
    await ask(page, QUESTION)
    await expect(page.locator(".sources a").first).to_be_visible()
    panel = await page.get_by_role("dialog").bounding_box()
    assert panel == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.screenshot(path=tmp_path / "widget-phone.png")
    box = page.get_by_label("Your message")
    one_line = await height_of(box)
    await box.fill("Lines that are not ended by hand, as on a phone. " * 3)
    assert await height_of(box) > 2 * one_line
    await page.get_by_role("button", name="Send").tap()
    await expect(page.locator(".line.customer")).to_have_count(2)
    assert await height_of(box) == one_line
    await page.get_by_role("button", name="Close the chat").tap()
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
    await context.close()


async def test_what_was_written_without_a_connection_is_sent_once_there_is_one(
    shop: tuple[str, Server], browser: Browser
) -> None:
    """Offline, Chromium keeps the socket open and holds back what comes in, the news of its end with it."""
    context = await open_context(browser)
    page = await context.new_page()
    await page.goto(shop[0])
    await page.get_by_role("button", name="Open the chat").click()
    await ask(page, QUESTION)
    await expect(page.locator(".line.customer:not(.pending)")).to_have_count(1)
    await context.set_offline(True)
    status = page.get_by_role("status")
    await expect(status).to_contain_text("No connection")
    await ask(page, "And what does it cost?")
    await expect(page.locator(".line.customer.pending")).to_have_count(1)
    await context.set_offline(False)
    await expect(page.locator(".line.customer:not(.pending)")).to_have_count(2)
    await expect(page.locator(".line.customer.pending")).to_have_count(0)
    await expect(status).not_to_contain_text("No connection")
    await context.close()


async def test_a_chat_whose_server_goes_away_says_so_and_goes_on_once_it_is_back(
    shop: tuple[str, Server], browser: Browser
) -> None:
    site, chat = shop
    context = await open_context(browser)
    page = await context.new_page()
    await page.goto(site)
    await page.get_by_role("button", name="Open the chat").click()
    await ask(page, QUESTION)
    await expect(page.locator(".line.customer:not(.pending)")).to_have_count(1)
    chat.kill()
    try:
        await expect(page.get_by_role("status")).to_contain_text("No connection")
        await ask(page, "And what does it cost?")
        await expect(page.locator(".line.customer.pending")).to_have_count(1)
    finally:
        await asyncio.to_thread(chat.start)
    await expect(page.locator(".line.customer:not(.pending)")).to_have_count(2)
    await expect(page.locator(".line.customer.pending")).to_have_count(0)
    await expect(page.get_by_role("status")).not_to_contain_text("No connection")
    await context.close()


async def test_a_connection_that_died_without_a_word_is_noticed_and_replaced(
    shop: tuple[str, Server], browser: Browser
) -> None:
    """The page's clock is the test's, and what comes from the server goes through the test."""
    context = await open_context(browser)
    page = await context.new_page()
    wire = Wire()
    await page.route_web_socket("**/ws", wire.join)
    await page.clock.install()
    await page.goto(shop[0])
    await page.get_by_role("button", name="Open the chat").click()
    await ask(page, QUESTION)
    await expect(page.locator(".sources a").first).to_be_visible()
    status = page.get_by_role("status")
    for heard in range(4):
        await page.clock.run_for(LOOK_MS)
        await wire.until_answered(heard + 1)
    await expect(status).not_to_contain_text("No connection")
    assert wire.joined == 1
    wire.is_dead = True
    await page.clock.run_for(4 * LOOK_MS)
    await expect(status).to_contain_text("No connection")
    wire.is_dead = False
    await page.clock.run_for(LOOK_MS)
    await expect(status).not_to_contain_text("No connection")
    await context.close()


async def test_how_it_was_is_asked_after_thanks_and_kept(
    shop: tuple[str, Server], context: BrowserContext, tmp_path: Path
) -> None:
    site, chat = shop
    page = await context.new_page()
    await page.goto(site)
    await page.get_by_role("button", name="Open the chat").click()
    await ask(page, QUESTION)
    await expect(page.locator(".sources a").first).to_be_visible()
    await ask(page, "Thank you, that's all")
    rating = page.get_by_role("region", name="How was it?")
    await expect(rating).to_contain_text("How was your chat with the assistant?")
    await rating.get_by_role("radio", name="4 stars").click()
    await expect(rating.get_by_label("Anything to add?")).to_be_focused()
    await page.screenshot(path=tmp_path / "widget-stars.png")
    await page.keyboard.type("Quick")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Thank you for telling us")
    await expect(rating).to_be_hidden()
    with closing(sqlite3.connect(chat.data_dir / "frontdesk.db")) as database:
        kept = database.execute("SELECT text, data FROM entries WHERE kind = 'feedback'").fetchall()
    assert [(text, json.loads(data)["rating"]) for text, data in kept] == [("Quick", 4)]


async def test_the_demo_shop_has_the_widget(shop: tuple[str, Server], context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{shop[1].address}/demo")
    await page.get_by_role("button", name="Open the chat").click()
    await ask(page, QUESTION)
    await expect(page.locator(".sources a").first).to_be_visible()
    await page.get_by_role("link", name="See the prices").click()
    await expect(page.locator(".sources a").first).to_be_visible()
