"""The real server with the real bot, and headless Chromium where there is one."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from bot.settings import Settings
from bot.wiring import open_message_reader
from knowledge.embed import Embedder
from knowledge.index import build_index
from knowledge.read import read_documents
from tests.e2e.visitor import MILLISECONDS, Visitor
from tests.server import ROOT, Server

expect.set_options(timeout=MILLISECONDS)

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium: CHROMIUM in the environment, or one of the usual names."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if not found:
        pytest.skip("no Chromium: install it (apt-get install chromium) or set CHROMIUM to its path")
    return found


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the index of the help articles and the learned intents; to be copied."""
    folder = tmp_path_factory.mktemp("indexed")
    build_index(read_documents(ROOT / "knowledge" / "articles").documents, folder / "knowledge")
    open_message_reader(Settings(data_dir=folder), Embedder()).close()
    return folder


@pytest.fixture(scope="session")
def server(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product as it comes; tests may kill it as long as they start it again."""
    data_dir = tmp_path_factory.mktemp("e2e") / "data"
    shutil.copytree(indexed, data_dir)
    with Server(data_dir) as running:
        yield running


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launching = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS), timeout=MILLISECONDS)
        async with await launching as running:
            yield running


@pytest.fixture
async def visitor(server: Server, browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody at a desk. Whatever they do, nothing is asked of a foreign host and no error is on the console."""
    someone = await Visitor.arrive(browser, server.address, tmp_path, width=1280)
    yield someone
    await someone.leave()


@pytest.fixture
async def phone(server: Server, browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody with a phone, held to the same."""
    someone = await Visitor.arrive(browser, server.address, tmp_path, width=390)
    yield someone
    await someone.leave()
