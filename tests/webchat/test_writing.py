"""A reply on the page while it is being written, through the real server: a scripted model that can be held midway."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import aiohttp
import pytest

from tests.chat_client import ChatClient
from tests.server import Server
from tests.webchat.writing_texts import HOLDABLE, SENTENCES

PAUSE_SECONDS = 0.2
QUESTION = "what is the late fee?"


@pytest.fixture(scope="module")
def writing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose model says three sentences, each after a pause; it can be held after the first."""
    folder = tmp_path_factory.mktemp("writing")
    steps = [step for n, said in enumerate(SENTENCES, 1) for step in ({"text": f"{said} [{n}] "}, {"wait": PAUSE_SECONDS})]
    (folder / "script.json").write_text(json.dumps([steps]))
    env = {
        "LLM_PROVIDERS": "scripted",
        "LLM_SCRIPT": str(folder / "script.json"),
        "MESSAGES_PER_MINUTE": "100000",
        **HOLDABLE,
    }
    with Server(folder / "data", app="tests/webchat/writing_app.py", env=env) as running:
        yield running


@pytest.fixture
async def page(writing_server: Server, http: aiohttp.ClientSession) -> AsyncIterator[ChatClient]:
    page = ChatClient(writing_server.address, http)
    await page.sign_in()
    await page.connect()
    yield page
    await page.request("POST", "/test/let")
    await page.close()


async def hold(page: ChatClient) -> None:
    """The model says no more than its first sentence until it is let."""
    assert (await page.request("POST", "/test/hold"))[0] == 200


async def let(page: ChatClient) -> None:
    assert (await page.request("POST", "/test/let"))[0] == 200


def drafts(page: ChatClient) -> list[str]:
    """What the page was shown of replies before they were finished, in order."""
    return [data["output"] for name, data in page.events if name == "new_message" and is_draft(data["id"])]


def is_draft(step: str) -> bool:
    return step.startswith("writing-")


async def until_no_draft(page: ChatClient) -> None:
    await page.until(lambda: not any(map(is_draft, page.steps)))


async def until_a_draft(page: ChatClient) -> None:
    await page.until(lambda: any(map(is_draft, page.steps)))


async def test_sentences_come_before_the_finished_reply_and_then_make_room_for_it(page: ChatClient) -> None:
    reply = await page.ask(QUESTION)
    await until_no_draft(page)
    seen = drafts(page)
    assert seen[0] == SENTENCES[0]
    assert len(seen) >= 2
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert "[1](/help/late#p0)" in reply["output"]
    names = [name if name != "new_message" else data["id"].split("-")[0] for name, data in page.events]
    final = names.index("turn")
    assert names.index("writing") < final
    assert names[final + 1] == "delete_message"
    assert [step["output"] for step in page.steps.values() if step["type"] == "assistant_message"] == [reply["output"]]


async def test_what_is_being_written_tells_the_browser_its_words_and_nothing_else(page: ChatClient) -> None:
    await page.ask(QUESTION)
    shown = [data for name, data in page.events if name == "new_message" and is_draft(data["id"])]
    fields = {"id", "threadId", "type", "name", "output", "createdAt", "streaming", "metadata"}
    assert all(set(step) == fields and step["metadata"] == {} for step in shown)
    assert len({(step["id"], step["createdAt"]) for step in shown}) == 1
    assert "Note\\:this" in shown[-1]["output"]


async def test_waiting_dots_make_room_for_words_and_the_stop_button_stays(page: ChatClient) -> None:
    await hold(page)
    ack = await page.send(QUESTION)
    await page.until(lambda: page.working)
    await until_a_draft(page)
    await page.until(lambda: "thinking" not in page.steps)
    assert page.working
    await let(page)
    await page.wait_for_reply(ack["seq"])


async def test_a_reply_stopped_in_the_middle_leaves_a_notice_and_no_draft(page: ChatClient) -> None:
    await hold(page)
    ack = await page.send(QUESTION)
    await until_a_draft(page)
    await page.stop()
    notice = await page.wait_for_reply(ack["seq"])
    await until_no_draft(page)
    assert notice["type"] == "system_message"
    assert "assistant_message" not in [step["type"] for step in page.steps.values()]


async def test_a_second_tab_and_a_refreshed_page_see_what_was_written_before_they_came(page: ChatClient) -> None:
    await hold(page)
    ack = await page.send(QUESTION)
    await until_a_draft(page)
    tab = page.tab(page.conversation)
    await tab.connect()
    await until_a_draft(tab)
    await let(page)
    reply = await tab.wait_for_reply(ack["seq"])
    await until_no_draft(tab)
    assert drafts(tab)[0].startswith(SENTENCES[0])
    assert [step["output"] for step in tab.steps.values() if step["type"] == "assistant_message"] == [reply["output"]]
    await tab.close()


async def test_a_page_that_comes_back_in_the_middle_shows_the_reply_once(page: ChatClient) -> None:
    await hold(page)
    ack = await page.send(QUESTION)
    await until_a_draft(page)
    await page.drop()
    await page.connect()
    await let(page)
    reply = await page.wait_for_reply(ack["seq"])
    await until_no_draft(page)
    assert [step["output"] for step in page.steps.values() if step["type"] == "assistant_message"] == [reply["output"]]


async def test_nothing_is_kept_when_the_pages_are_closed_and_the_replies_finished(page: ChatClient) -> None:
    await hold(page)
    for _ in range(5):
        tab = page.tab()
        await tab.connect()
        await tab.send(QUESTION)
        await until_a_draft(tab)
        await tab.close()
    await page.drop()
    await let(page)
    async with asyncio.timeout(120):
        while (await page.request("GET", "/test/live"))[1]:  # noqa: ASYNC110  the server is another process
            await asyncio.sleep(0.05)
