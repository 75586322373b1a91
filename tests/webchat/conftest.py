"""One real server process for the tests of the web chat, and pages that talk to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import pytest

from tests.api.conftest import TOKEN_SECRET
from tests.chat_client import ChatClient, open_http
from tests.server import Server

ECHO_APP = "tests/webchat/echo_app.py"
NewPage = Callable[..., Awaitable[ChatClient]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose bot says back what it is told; see echo_app.py."""
    limits = {"MESSAGES_PER_MINUTE": "100000", "VISITORS_PER_MINUTE": "100000", "BREAK_LOG": "1", "TURN_SECONDS": "300"}
    allowed = {"ALLOWED_ORIGINS": '["https://www.example.com"]', "CUSTOMER_TOKEN_SECRET": TOKEN_SECRET}
    with Server(tmp_path_factory.mktemp("webchat") / "data", app=ECHO_APP, env=limits | allowed) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


@pytest.fixture
async def new_page(server: Server, http: aiohttp.ClientSession) -> AsyncIterator[NewPage]:
    """Makes a page of a new visitor, connected unless told otherwise."""
    pages: list[ChatClient] = []

    async def make(*, connected: bool = True, keep: bool = True) -> ChatClient:
        page = ChatClient(server.address, http, keep=keep)
        pages.append(page)
        await page.sign_in()
        if connected:
            await page.connect()
        return page

    yield make
    for page in pages:
        await page.close()
