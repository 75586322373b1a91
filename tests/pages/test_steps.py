"""Over the socket: a developer's page gets each turn's steps, a customer's page nothing of them, whatever it sends."""

import json

import pytest

from tests.chat_client import ChatClient
from tests.pages.conftest import Developer

TRACE_WORDS = ("trace-", "retrieve", "answerable", "passages", '"tool"', "/developer", "prompted", "0.9,")


async def page_of(developer: Developer, cookie: str | None = None) -> ChatClient:
    """The chat as this browser opens it."""
    page = ChatClient(developer.address, developer.http)
    await page.sign_in()
    page.cookie = f"{page.cookie}; {developer.cookie if cookie is None else cookie}"
    await page.connect()
    return page


def tools(page: ChatClient) -> list[str]:
    return [step["name"] for step in page.steps.values() if step["type"] == "tool"]


async def test_a_developers_page_shows_the_steps_of_each_turn_and_the_way_to_its_page(developer: Developer) -> None:
    page = await page_of(developer)
    await page.ask("what is the late fee?")
    assert tools(page) == ["read", "decide", "retrieve", "answer", "write", "check", "decide again"]
    first, _, retrieve, *_ = (step for step in page.steps.values() if step["type"] == "tool")
    assert "2 passages, answerable 0.90" in retrieve["output"]
    path = first["output"].split("(")[1].rstrip(")")
    assert (await developer.request("GET", path))[0] == 200
    _, settings = await page.request("GET", "/project/settings?language=en-US")
    assert settings["ui"]["cot"] == "tool_call"
    again = page.tab(page.conversation)
    await again.connect()
    await again.wait_for_step(first["id"])
    assert tools(again) == tools(page)
    await page.close()
    await again.close()


@pytest.mark.parametrize("cookie", ["", "frontdesk_developer=made.up.token"])
async def test_a_customers_page_is_sent_no_word_of_a_trace(developer: Developer, cookie: str) -> None:
    page = await page_of(developer, cookie)
    await page.ask("what is the late fee?")
    await page.ask("and can I pay by card?")
    again = page.tab(page.conversation)
    await again.connect()
    await again.wait_for_step(list(page.steps)[-1])
    _, thread = await page.request("GET", f"/project/thread/{page.conversation}")
    _, settings = await page.request("GET", "/project/settings?language=en-US")
    crossed = json.dumps([page.events, again.events, thread])
    assert "late payment fee" in crossed
    assert [word for word in TRACE_WORDS if word in crossed] == []
    assert settings["ui"]["cot"] == "hidden"
    await page.close()
    await again.close()
