import asyncio

from tests.chat_client import ChatClient
from tests.webchat.conftest import NewPage

PAGES = 200


async def kept_by(page: ChatClient) -> dict[str, int]:
    status, counts = await page.request("GET", "/test/kept")
    assert status == 200
    return dict(counts)


async def wait_until_kept(page: ChatClient, wanted: dict[str, int], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while await kept_by(page) != wanted:  # noqa: ASYNC110  the server is another process
            await asyncio.sleep(0.1)


async def test_nothing_is_kept_of_pages_that_went_away(new_page: NewPage) -> None:
    """Stock Chainlit keeps every message of every session for ever."""
    watcher = await new_page(connected=False)
    await wait_until_kept(watcher, {"views": 0, "chainlit": 0, "followers": 0})
    pages = [await new_page(connected=False, keep=False) for _ in range(PAGES)]
    for page in pages:
        await page.connect()
        await page.ask("hello")
    await wait_until_kept(watcher, {"views": PAGES, "chainlit": 0, "followers": PAGES})
    for page in pages[: PAGES // 2]:
        await page.close(clear=True)
    for page in pages[PAGES // 2 :]:
        await page.drop()
    await wait_until_kept(watcher, {"views": 0, "chainlit": 0, "followers": 0})


async def test_a_page_that_comes_back_again_and_again_is_kept_once(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("hello")
    await wait_until_kept(page, {"views": 1, "chainlit": 0, "followers": 1})
    for _ in range(20):
        await page.drop()
        await page.connect()
    await page.ask("hello again")
    await wait_until_kept(page, {"views": 1, "chainlit": 0, "followers": 1})
