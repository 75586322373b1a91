"""What customers do, in a real browser against the real server. Pictures of each journey are in pytest's folder of it."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.e2e.visitor import FINISHED, Visitor
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

BILL = "my bill went up this month, why?"
ROUTER = "what does a red light on my router mean?"


async def test_a_question_gets_a_cited_answer_whose_citation_opens_the_passage(visitor: Visitor):
    await expect(visitor.page.get_by_text("AI assistant")).to_be_visible()
    await visitor.page.get_by_role("button", name="bill").first.click(trial=True)
    await visitor.picture("welcome")
    reply = await visitor.ask(BILL)
    await visitor.picture("answer")
    await expect(reply).to_contain_text("bill")

    citation = reply.get_by_role("link", name="1", exact=True)
    async with visitor.context.expect_page() as opening:
        await citation.click()
    article = await opening.value
    await expect(article.locator("h1")).to_contain_text("bill")
    anchor = article.url.rpartition("#")[2]
    passage = article.locator(f"#{anchor}")
    await expect(passage).to_be_in_viewport()
    quoted = re.sub(r"\s+", " ", (await passage.inner_text()).strip())[:60]
    assert quoted in re.sub(r"\s+", " ", await reply.inner_text())
    await article.screenshot(path=visitor.pictures / "article.png")


async def test_a_starter_question_is_answered(visitor: Visitor):
    await visitor.page.get_by_role("button", name="bill").first.click()
    await expect(visitor.replies()).to_have_count(1)


async def test_a_refresh_shows_the_same_conversation_and_it_goes_on(visitor: Visitor):
    await visitor.ask(BILL)
    before = await visitor.transcript()
    await visitor.address_of_conversation()
    await visitor.page.reload()
    await expect(visitor.replies()).to_have_count(1)
    assert await visitor.transcript() == before
    await visitor.ask(ROUTER)
    assert len(await visitor.transcript()) == 4


async def test_a_second_tab_shows_the_same_conversation_and_new_messages_appear_in_both(visitor: Visitor):
    await visitor.ask(BILL)
    second = await visitor.open_tab(await visitor.address_of_conversation())
    await expect(visitor.replies(second)).to_have_count(1)
    assert await visitor.transcript(second) == await visitor.transcript()
    await visitor.ask(ROUTER)
    await expect(visitor.replies(second)).to_have_count(2)
    await expect(second.locator(FINISHED)).to_have_count(2)
    assert await visitor.transcript(second) == await visitor.transcript()


async def test_a_page_that_stays_open_goes_on_after_the_server_was_killed(visitor: Visitor, server: Server):
    await visitor.ask(BILL)
    before = await visitor.transcript()
    visitor.is_server_away = True
    server.kill()
    await asyncio.to_thread(server.start)
    await visitor.ask_until_sent(ROUTER)
    visitor.is_server_away = False
    await expect(visitor.replies()).to_have_count(2)
    await expect(visitor.page.locator(FINISHED)).to_have_count(2)
    await visitor.picture("after-kill")
    await visitor.address_of_conversation()
    after = await visitor.transcript()
    assert after[:2] == before
    assert len(after) == 4
    await visitor.page.reload()
    await expect(visitor.replies()).to_have_count(2)
    assert await visitor.transcript() == after


async def test_thumbs_survive_a_reload(visitor: Visitor):
    await visitor.ask(BILL)
    async with visitor.page.expect_response("**/feedback"):
        await visitor.page.locator("button.positive-feedback-off").click()
    await expect(visitor.page.locator("button.positive-feedback-on")).to_be_visible()
    await visitor.address_of_conversation()
    await visitor.page.reload()
    await expect(visitor.page.locator("button.positive-feedback-on")).to_be_visible()
    await expect(visitor.page.locator("button.negative-feedback-off")).to_be_visible()


async def test_a_phone_needs_no_sideways_scrolling(phone: Visitor):
    await phone.page.get_by_role("button", name="bill").first.click(trial=True)
    assert await phone.overflow() <= 0
    await phone.picture("phone-welcome")
    reply = await phone.ask(BILL)
    await expect(reply).to_be_visible()
    assert await phone.overflow() <= 0
    await phone.picture("phone-answer")
    await phone.page.goto(phone.address + "/help/bill-higher-than-usual")
    assert await phone.overflow() <= 0
    await phone.picture("phone-article")


async def test_the_keyboard_alone_asks_opens_a_citation_and_comes_back(visitor: Visitor):
    press, type_text = visitor.page.keyboard.press, visitor.page.keyboard.type
    await _tab_to(visitor, "#chat-input")
    await type_text(BILL)
    await visitor.send()
    await expect(visitor.replies()).to_have_count(1)
    await expect(visitor.page.locator("a[href^='/help/']").first).to_be_visible()
    await visitor.page.locator("#chat-input").focus()
    await _tab_to(visitor, "a[href^='/help/']", backwards=True)
    async with visitor.context.expect_page() as opening:
        await press("Enter")
    article = await opening.value
    assert "/help/" in article.url


async def _tab_to(visitor: Visitor, selector: str, *, backwards: bool = False) -> None:
    for _ in range(40):
        if await visitor.page.evaluate("selector => !!document.activeElement?.matches(selector)", selector):
            return
        await visitor.page.keyboard.press("Shift+Tab" if backwards else "Tab")
    pytest.fail(f"the tab key does not reach {selector}")
