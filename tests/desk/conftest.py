"""The desk's stores as for the log, a real server with a desk that is always open, agents and customers at it."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import yaml
from starlette.responses import Response

from bot.desk.policy import DAYS, DESK_FILE
from bot.pages.desk.session import Sessions
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.staff import Agent, new_agent
from bot.webchat.identity import SECRET
from tests.bot.conftest import log, postgres_schema, postgres_url, store
from tests.chat_client import ChatClient, open_http
from tests.desk.agent_client import AgentClient
from tests.e2e.conftest import browser, chromium
from tests.server import ROOT, Server

__all__ = ["browser", "chromium", "log", "postgres_schema", "postgres_url", "store"]

DESK_APP = "tests/desk/desk_app.py"
PASSWORD = "four words are enough"
DEMO_ACCOUNT = "100200001"
"""Whom every visitor is taken for."""
Hire = Callable[..., Awaitable[AgentClient]]
NewCustomer = Callable[..., Awaitable[ChatClient]]


def write_policy(path: Path, spans: list[str], **changes: Any) -> Path:
    """The policy that ships with these hours every day, so that no test hangs on the time of day."""
    policy = yaml.safe_load(DESK_FILE.read_text(encoding="utf-8"))
    policy |= {"hours": dict.fromkeys(DAYS, spans), "holidays": [], **changes}
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    return path


def desk_server(folder: Path, spans: list[str], **env: str) -> Server:
    """A server that is not started; its desk is open in these spans."""
    policy = write_policy(folder / "desk.yaml", spans)
    limits = {"MESSAGES_PER_MINUTE": "100000", "VISITORS_PER_MINUTE": "100000"}
    settings = {"DESK_FILE": str(policy), "PYTHONPATH": str(ROOT), "LLM_PROVIDERS": "extractive"}
    settings["DEMO_ACCOUNT"] = DEMO_ACCOUNT
    return Server(folder / "data", app=DESK_APP, env={**limits, **settings, **env})


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose desk is always open; tests may kill it as long as they start it again."""
    with desk_server(tmp_path_factory.mktemp("desk"), ["00:00-24:00"]) as running:
        yield running


@pytest.fixture(scope="session")
def closed_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose desk is never open."""
    with desk_server(tmp_path_factory.mktemp("closed"), []) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


async def add_agent(data_dir: Path, name: str = "Zoe Martin", **fields: Any) -> Agent:
    """An account of its own in the server's database, so that no test meets another's limits or chats."""
    store = open_store(None, data_dir)
    try:
        agent = replace(new_agent(f"agent-{uuid4().hex[:8]}", name, PASSWORD), **fields)
        await SqlStaff(store).add(agent)
    finally:
        await store.close()
    return agent


def let_in(client: AgentClient, server: Server) -> AgentClient:
    """Signed in with a cookie that the server takes for its own; signing in has tests and limits of its own."""
    response = Response()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET, (server.data_dir / "secret").read_text().strip())
        account = replace(new_agent(client.id, "Somebody", PASSWORD), epoch=epoch_of(client.id, server))
        client.token = Sessions(staff=None).give_cookie(response, account, secure=False)  # type: ignore[arg-type]
    client.cookie = response.headers["Set-Cookie"].split(";", 1)[0]
    return client


def epoch_of(id: str, server: Server) -> int:
    """Which of the visits of an account are good."""
    with closing(sqlite3.connect(server.data_dir / "frontdesk.db")) as database:
        [[epoch]] = database.execute("SELECT epoch FROM staff WHERE id = ?", [id]).fetchall()
    return int(epoch)


@pytest.fixture
async def hire(desk: Server, http: aiohttp.ClientSession) -> Hire:
    """Makes an agent who is signed in."""

    async def make(name: str = "Zoe Martin", **fields: Any) -> AgentClient:
        return let_in(AgentClient(desk.address, http, (await add_agent(desk.data_dir, name, **fields)).id), desk)

    return make


@pytest.fixture
async def new_customer(desk: Server, http: aiohttp.ClientSession) -> AsyncIterator[NewCustomer]:
    """Makes a customer's page, at once connected; with `human` they wait for a person already."""
    pages: list[ChatClient] = []

    async def make(words: str = "a human please") -> ChatClient:
        page = ChatClient(desk.address, http)
        pages.append(page)
        await page.sign_in()
        await page.connect()
        if words:
            await page.ask(words)
        return page

    yield make
    for page in pages:
        await page.close()
