"""The health page: what a load balancer and a person in a hurry need, and nothing that is anybody's secret."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.pages.health import health_router
from tests.chat_client import ChatClient, open_http
from tests.server import Server

SECRET = "key sk-secret of tenant 4711 is not valid at https://internal.example"
APP = "tests/webchat/writing_app.py"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as session:
        yield session


async def health(server: Server, http: aiohttp.ClientSession) -> tuple[int, dict]:
    async with http.get(f"{server.address}/health") as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json()


async def test_a_chat_that_is_well_says_so_and_one_whose_provider_is_left_out_is_degraded_but_answers(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    (tmp_path / "script.yaml").write_text(f"- - fail: unauthorised\n    detail: {SECRET!r}\n")
    env = {"LLM_PROVIDERS": "scripted,extractive", "LLM_SCRIPT": str(tmp_path / "script.yaml"), "AZURE_OPENAI_API_KEY": "s3"}
    with Server(tmp_path / "data", app=APP, env=env) as server:
        status, told = await health(server, http)
        assert (status, told["status"], told["database"]) == (200, "ok", "ok")
        assert told["knowledge"] == {"version": "v1"}
        assert [(one["name"], one["state"], one["last_error"]) for one in told["providers"]] == [
            ("scripted", "closed", None),
            ("extractive", "closed", None),
        ]
        page = ChatClient(server.address, http)
        await page.sign_in()
        await page.connect()
        assert "£7.50" in (await page.ask("what is the late fee?"))["output"]
        await page.close()
        status, told = await health(server, http)
        assert (status, told["status"]) == (200, "degraded")
        scripted = told["providers"][0]
        assert (scripted["state"], scripted["last_error"]) == ("open", "unauthorised")
        assert scripted["opens_in_seconds"] > 0
        assert set(told) == {"status", "database", "knowledge", "providers", "memory"}
        assert set(scripted) == {"name", "state", "opens_in_seconds", "last_error", "last_error_at"}
        for secret in ("sk-secret", "4711", "internal", str(tmp_path), "script.yaml"):
            assert secret not in str(told)


async def test_a_chat_without_providers_is_well_and_a_log_that_cannot_be_written_is_503(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    with Server(tmp_path / "data", app=APP, env={"LLM_PROVIDERS": "extractive"}) as server:
        status, told = await health(server, http)
        assert (status, told["status"], told["providers"]) == (200, "ok", [])
        lock = sqlite3.connect(tmp_path / "data" / "frontdesk.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        status, told = await health(server, http)
        assert (status, told["status"], told["database"]) == (503, "unavailable", "unavailable")
        assert "frontdesk.db" not in str(told)
        lock.execute("ROLLBACK")
        lock.close()
        assert (await health(server, http))[0] == 200


def test_the_page_is_asked_by_get_alone() -> None:
    [route] = health_router(None).routes
    assert (route.path, route.methods) == ("/health", {"GET"})
