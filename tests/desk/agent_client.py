"""An agent's page without a browser: the same cookie, token and stream.

agent = AgentClient(server.address, http, "zoe")
await agent.sign_in(PASSWORD)
async with agent.stream() as events:
    board = await events.until(lambda name, data: name == "board" and data["waiting"])
await agent.act(conversation, "claim")
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

SECONDS = 120.0


class Events:
    """The events of one stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.seen: list[tuple[str, Any]] = []

    async def until(self, is_wanted: Callable[[str, Any], bool]) -> Any:
        """The data of the next event that is wanted."""
        async with asyncio.timeout(SECONDS):
            name = ""
            while line := (await self._response.content.readline()).decode():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ").strip()
                elif line.startswith("data: "):
                    data = json.loads(line.removeprefix("data: "))
                    self.seen.append((name, data))
                    if is_wanted(name, data):
                        return data
        raise AssertionError("the stream ended")


class AgentClient:
    """One browser of an agent's."""

    def __init__(self, address: str, http: aiohttp.ClientSession, id: str) -> None:
        self.address, self.http, self.id = address, http, id
        self.cookie = self.token = ""

    async def sign_in(self, password: str) -> tuple[int, Any]:
        """Status and body; keeps cookie and token."""
        data = {"id": self.id, "password": password}
        headers = {"Accept": "application/json"}
        async with self.http.post(f"{self.address}/desk/login", data=data, headers=headers) as response:
            if "Set-Cookie" in response.headers:
                self.cookie = response.headers["Set-Cookie"].split(";", 1)[0]
                self.token = response.headers["X-Desk-Token"]
            return response.status, await response.json()

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON, or text."""
        return await self._request("GET", path)

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> tuple[int, Any]:
        """Status and JSON, or text."""
        return await self._request("POST", path, headers=headers, data=json.dumps(fields))

    async def act(self, conversation: str, act: str, **fields: Any) -> Any:
        """What the act came to; it must be allowed."""
        if act in ("say", "note"):
            fields.setdefault("id", str(uuid4()))
        status, told = await self.post(f"/desk/chats/{conversation}/{act}", **fields)
        assert status == 200, told
        return told

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[Events]:
        """The page's stream, open."""
        timeout = aiohttp.ClientTimeout(total=None)
        headers = {"Cookie": self.cookie}
        async with self.http.get(f"{self.address}/desk/events", headers=headers, timeout=timeout) as response:
            assert response.status == 200, response.status
            yield Events(response)

    async def _request(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> tuple[int, Any]:
        sent = {"Cookie": self.cookie, "X-Desk-Token": self.token, **(headers or {})}
        url = self.address + path
        async with self.http.request(method, url, headers=sent, allow_redirects=False, **options) as response:
            body = await response.text()
            return response.status, json.loads(body) if "json" in response.content_type else body
