"""One real server for the tests of the API, and callers of it: customers, staff, strangers."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from tests.chat_client import open_http
from tests.server import Server

API_APP = "tests/api/api_app.py"
PASSWORD = "correct horse battery"
TOKEN_SECRET = "a customers' token secret of the tests, long enough for every HMAC 4711"
FRIEND = "https://www.example.com"
PLENTY = {
    "MESSAGES_PER_MINUTE": "1000000",
    "MESSAGES_PER_DAY": "1000000",
    "REQUESTS_PER_MINUTE": "1000000",
    "SESSIONS_PER_HOUR": "1000000",
    "ENVIRONMENT": "development",
    "CUSTOMER_TOKEN_SECRET": TOKEN_SECRET,
    "ALLOWED_ORIGINS": f'["{FRIEND}"]',
}


@dataclass
class Caller:
    """Somebody with a token, or without one."""

    address: str
    http: aiohttp.ClientSession
    token: str = ""
    customer: str = ""
    session: dict[str, Any] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
        """Status, body (parsed if it is JSON) and headers."""
        headers = ({"Authorization": f"Bearer {self.token}"} if self.token else {}) | options.pop("headers", {})
        url = f"{self.address}/api/v1{path}"
        async with self.http.request(method, url, headers=headers, **options) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            return (
                response.status,
                await (response.json(content_type=None) if is_json else response.text()),
                response.headers,
            )

    async def begin(self, **body: Any) -> "Caller":
        """Begin a session."""
        status, told, _ = await self.call("POST", "/chat/session", json=body)
        assert status == 201, told
        self.token, self.customer, self.session = told["token"], told["customer"], told
        return self

    async def log_in(self, id: str) -> "Caller":
        status, told, _ = await self.call("POST", "/staff/session", json={"id": id, "password": PASSWORD})
        assert status == 201, told
        self.token = told["token"]
        return self

    async def say(self, text: str, conversation: str | None = None, client_id: str | None = None, **more: Any) -> Any:
        """Send a message; the body of the answer, with its status."""
        body = {"text": text, "client_id": client_id or str(uuid.uuid4())} | (
            {"conversation": conversation} if conversation else {}
        )
        status, told, _ = await self.call("POST", "/chat/message", json=body, **more)
        return {"status": status, **told} if isinstance(told, dict) else told

    async def socket(self, **options: Any) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(self.address.replace("http", "ws") + "/api/v1/ws", **options)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("api") / "data", app=API_APP, env=PLENTY) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


@pytest.fixture
async def nobody(server: Server, http: aiohttp.ClientSession) -> Caller:
    return Caller(server.address, http)


@pytest.fixture
async def anna(server: Server, http: aiohttp.ClientSession) -> Caller:
    return await Caller(server.address, http).begin()


@pytest.fixture
async def eve(server: Server, http: aiohttp.ClientSession) -> Caller:
    return await Caller(server.address, http).begin()


@pytest.fixture
async def root(server: Server, http: aiohttp.ClientSession) -> Caller:
    return await staff(server, http, "root")


@pytest.fixture
async def dora(server: Server, http: aiohttp.ClientSession) -> Caller:
    return await staff(server, http, "dora")


@pytest.fixture
async def ana(server: Server, http: aiohttp.ClientSession) -> Caller:
    return await staff(server, http, "ana")


async def staff(server: Server, http: aiohttp.ClientSession, id: str) -> Caller:
    """Logged in, without spending one of the few attempts where there is a token already."""
    caller = Caller(server.address, http, token=_TOKENS.get((server.address, id), ""))
    if not caller.token:
        await caller.log_in(id)
        _TOKENS[server.address, id] = caller.token
    return caller


_TOKENS: dict[tuple[str, str], str] = {}
