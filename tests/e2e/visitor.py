"""A visitor in a real browser: what they do, what they see, and what their browser asks of whom."""

from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

REPLY = '[data-step-type="assistant_message"]'
QUESTION = '[data-step-type="user_message"]'
FINISHED = "button.positive-feedback-off, button.positive-feedback-on"
"""A reply can be rated once it is finished; until then it may be replaced."""
MILLISECONDS = 120_000
"""For whatever a page does on a machine that has much else to do."""
AGAIN_MILLISECONDS = 300


async def open_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser profile of its own, that waits as long as a slow machine needs."""
    context = await browser.new_context(**options)
    context.set_default_timeout(MILLISECONDS)
    return context


class Visitor:
    """One person with one browser profile; `page` is the tab in front of them."""

    def __init__(self, context: BrowserContext, address: str, pictures: Path) -> None:
        self.context, self.address, self.pictures = context, address, pictures
        self.page: Page
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.is_server_away = False
        context.on("request", self._watch_request)
        context.on("console", self._watch_console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    @classmethod
    async def arrive(cls, browser: Browser, address: str, pictures: Path, width: int) -> "Visitor":
        """Open the chat in a window of this width in pixels; a narrow one is a phone."""
        is_phone = width < 600
        size = {"width": width, "height": 844 if is_phone else 860}
        context = await open_context(browser, viewport=size, is_mobile=is_phone, has_touch=is_phone)
        visitor = cls(context, address, pictures)
        visitor.page = await visitor.open_tab("/")
        return visitor

    async def open_tab(self, path: str) -> Page:
        """Another tab of the same browser."""
        page = await self.context.new_page()
        await page.goto(self.address + path)
        await expect(page.locator("#chat-input")).to_be_visible()
        return page

    async def ask(self, text: str) -> Locator:
        """Send a question, and wait until one more reply is there and finished."""
        replies = self.replies()
        before = await replies.count()
        await self.ask_until_sent(text)
        await expect(replies).to_have_count(before + 1)
        await expect(replies.nth(before).locator(FINISHED)).to_be_visible()
        return replies.nth(before)

    async def ask_until_sent(self, text: str) -> None:
        """Type a question and send it, without waiting for the reply."""
        box = self.page.locator("#chat-input")
        await box.click()
        await self.page.keyboard.type(text)
        while await box.input_value() != text:  # the page builds its box anew while it becomes ready
            await box.fill(text)
        await self.send()

    async def send(self) -> None:
        """Press Enter until the page sends what is typed, as one does while it has no server or is not ready yet."""
        questions = self.page.locator(QUESTION)
        before = await questions.count()
        while await questions.count() == before:
            await self.page.keyboard.press("Enter")
            await self.page.wait_for_timeout(AGAIN_MILLISECONDS)

    async def address_of_conversation(self) -> str:
        """The path of the conversation, once the page has moved there."""
        await self.page.wait_for_url("**/thread/*")
        return self.page.url.removeprefix(self.address)

    def replies(self, page: Page | None = None) -> Locator:
        """The bot's replies on the page."""
        return (page or self.page).locator(REPLY)

    async def transcript(self, page: Page | None = None) -> list[str]:
        """What stands on the page, in its order."""
        return await (page or self.page).locator(f"{QUESTION}, {REPLY}").all_inner_texts()

    async def picture(self, name: str) -> None:
        """Keep what the page looks like."""
        await self.page.screenshot(path=self.pictures / f"{name}.png")

    async def overflow(self) -> int:
        """Pixels that the page is wider than its window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    async def leave(self) -> None:
        """Close everything, and see that nothing went elsewhere and nothing went wrong on the way."""
        await self.context.close()
        assert not self.foreign, self.foreign
        assert not self.errors, self.errors

    def _watch_request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def _watch_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self.is_server_away:
            self.errors.append(f"{message.text} {message.location['url']}")
