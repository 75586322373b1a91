"""A reply being written, as somebody in a browser sees it."""

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from itertools import dropwhile, pairwise
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.visitor import FINISHED, REPLY, Visitor
from tests.server import Server
from tests.webchat.writing_texts import HOLDABLE, SENTENCES

PAUSE_SECONDS = 0.2
WATCH = """selector => {
    window.seen = [];
    const look = () => {
        const texts = [...document.querySelectorAll(selector)].map(each => each.innerText.trim());
        if (JSON.stringify(texts) !== JSON.stringify(window.seen.at(-1))) window.seen.push(texts);
        requestAnimationFrame(look);
    };
    look();
}"""


@pytest.fixture(scope="module")
def writing_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("writing")
    steps = [step for n, said in enumerate(SENTENCES, 1) for step in ({"text": f"{said} [{n}] "}, {"wait": PAUSE_SECONDS})]
    (folder / "script.json").write_text(json.dumps([steps]))
    env = {"LLM_PROVIDERS": "scripted", "LLM_SCRIPT": str(folder / "script.json"), **HOLDABLE}
    with Server(folder / "data", app="tests/webchat/writing_app.py", env=env) as running:
        yield running


async def tell(server: Server, what: str) -> None:
    """`hold` the model after its first sentence, or `let` it go on."""
    request = urllib.request.Request(f"{server.address}/test/{what}", method="POST")
    (await asyncio.to_thread(urllib.request.urlopen, request)).close()


@pytest.mark.browser
@pytest.mark.timeout(900)
async def test_the_reply_grows_sentence_by_sentence_and_nothing_of_it_vanishes_or_stays_double(
    writing_server: Server, browser: Browser, tmp_path: Path
) -> None:
    visitor = await Visitor.arrive(browser, writing_server.address, tmp_path, width=1280)
    await visitor.page.evaluate(WATCH, REPLY)
    await tell(writing_server, "hold")
    await visitor.ask_until_sent("what is the late fee?")
    await expect(visitor.replies()).to_have_text([re.compile(re.escape(SENTENCES[0]))])
    await visitor.picture("writing")
    await tell(writing_server, "let")
    await expect(visitor.page.locator(f"{REPLY} a").first).to_be_visible()
    await expect(visitor.replies().locator(FINISHED)).to_be_visible()
    await expect(visitor.replies()).to_have_count(1)
    seen = list(dropwhile(lambda texts: not texts, await visitor.page.evaluate("window.seen")))
    assert all(seen)
    grown = [texts[0] for texts in seen]
    assert SENTENCES[0] in grown[0]
    assert SENTENCES[2] not in grown[0]
    assert all(len(later) >= len(earlier) for earlier, later in pairwise(grown))
    await visitor.picture("written")
    await visitor.leave()
