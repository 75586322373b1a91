"""A real server with the developers' pages, without a password one without them, and visitors of both."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.bot.prompted import copy_prompts
from tests.chat_client import ChatClient, open_http
from tests.server import ROOT, Server

TRACED_APP = "tests/pages/traced_app.py"
PASSWORD = "correct horse battery"


@dataclass
class Developer:
    """A developer's browser: its cookies and its plain requests."""

    address: str
    http: aiohttp.ClientSession
    cookie: str = ""

    async def request(self, method: str, path: str, **options: Any) -> tuple[int, str, Any]:
        """Status, body and headers; redirects are not followed."""
        headers = {"Cookie": self.cookie, **options.pop("headers", {})}
        url = self.address + path
        async with self.http.request(method, url, headers=headers, allow_redirects=False, **options) as response:
            return response.status, await response.text(), response.headers

    async def log_in(self, password: str = PASSWORD, **fields: str) -> tuple[int, str, Any]:
        status, body, headers = await self.request("POST", "/developer/login", data={"password": password, **fields})
        if "Set-Cookie" in headers:
            self.cookie = headers["Set-Cookie"].split(";", 1)[0]
        return status, body, headers


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompt files of the server."""
    return copy_prompts(tmp_path_factory.mktemp("prompts"))


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory, prompts: Path) -> Iterator[Server]:
    """A server with a developer password."""
    env = {
        "PROMPTS": str(prompts),
        "DEVELOPER_PASSWORD": PASSWORD,
        "ALLOWED_ORIGINS": '["https://shop.example.com"]',
        "PYTHONPATH": str(ROOT),
    }
    with Server(tmp_path_factory.mktemp("traced") / "data", app=TRACED_APP, env=env) as running:
        yield running


@pytest.fixture(scope="session")
def untraced(tmp_path_factory: pytest.TempPathFactory, prompts: Path) -> Iterator[Server]:
    """A server as it is by default."""
    env = {"PROMPTS": str(prompts), "PYTHONPATH": str(ROOT)}
    with Server(tmp_path_factory.mktemp("untraced") / "data", app=TRACED_APP, env=env) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


@pytest.fixture
async def developer(traced: Server, http: aiohttp.ClientSession) -> Developer:
    """Logged in, without spending one of the password's attempts where the session has a cookie already."""
    someone = Developer(traced.address, http, cookie=_COOKIES.get(traced.address, ""))
    if not someone.cookie:
        await someone.log_in()
        _COOKIES[traced.address] = someone.cookie
    return someone


@pytest.fixture
async def customer(traced: Server, http: aiohttp.ClientSession) -> AsyncIterator[ChatClient]:
    """An ordinary customer's page."""
    page = ChatClient(traced.address, http)
    await page.sign_in()
    await page.connect()
    yield page
    await page.close()


_COOKIES: dict[str, str] = {}
