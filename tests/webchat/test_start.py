import asyncio
import os
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from tests.chat_client import ChatClient
from tests.server import ROOT, Server
from tests.webchat.conftest import ECHO_APP


def refused_start(data_dir: Path, env: dict[str, str] | None = None) -> str:
    """The log of a server that must not come up; its exit code was not 0 and it said what is the matter, once."""
    server = Server(data_dir, app=ECHO_APP, env=env)
    server.start(wait=False)
    assert server.wait_exit() != 0
    log = server.log()
    assert "Traceback" not in log
    return log


def test_wrong_settings_are_all_named_and_the_server_does_not_start(tmp_path: Path) -> None:
    log = refused_start(
        tmp_path / "data", {"TURN_SECONDS": "-1", "MESSAGE_MAX_CHARS": "many", "CHAINLIT_AUTH_SECRET": "short"}
    )
    for name in ("TURN_SECONDS", "MESSAGE_MAX_CHARS", "CHAINLIT_AUTH_SECRET"):
        assert name in log


def test_a_damaged_database_is_named_and_the_server_does_not_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Server(data, app=ECHO_APP):
        pass
    database = next(path for path in data.iterdir() if path.suffix in (".db", ".sqlite", ".sqlite3"))
    for path in data.glob(f"{database.name}*"):
        path.write_bytes(b"this is no database" * 1000)
    log = refused_start(data)
    assert "Frontdesk cannot start" in log
    assert database.name in log


def test_a_data_folder_that_is_a_file_is_named_and_the_server_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    server = Server(tmp_path / "data", app=ECHO_APP, env={"DATA_DIR": str(tmp_path / "file")})
    server.start(wait=False)
    assert server.wait_exit() != 0
    assert str(tmp_path / "file") in server.log()


def test_starting_writes_nothing_into_the_source_tree(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in (".chainlit/config.toml", ".chainlit/translations/en-US.json", "chainlit.md", ".gitignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with Server(tmp_path / "data", app=str(ROOT / ECHO_APP), env={"CHAINLIT_APP_ROOT": str(folder)}):
        ignored = (folder / ".gitignore").read_text().splitlines()
        new = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} - set(before)
        assert {str(path.parent) for path in new} <= {".chainlit/translations"}
        assert {".chainlit/translations/*", ".files/"} <= set(ignored)
    assert {name: (folder / name).read_bytes() for name in before} == before


async def test_a_conversation_and_its_visitor_outlive_a_crash(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    server = Server(tmp_path / "data", app=ECHO_APP)
    server.start()
    page = ChatClient(server.address, http)
    await page.sign_in()
    await page.connect()
    await page.ask("before the crash")
    await page.send("hold on")
    server.kill()
    await page.closed.wait()
    await page.drop()
    await asyncio.to_thread(server.start)
    resumed = asyncio.create_task(page.wait_for_event("resume_thread"))
    await page.connect()
    await resumed
    assert (await page.request("POST", "/test/open/on"))[0] == 200
    assert (await page.wait_for_reply(3))["output"] == "You said: hold on"
    assert (await page.ask("after it"))["output"] == "You said: after it"
    await page.close()
    server.stop()


async def test_a_first_message_whose_acknowledgement_was_lost_in_a_crash_is_stored_once(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    server = Server(tmp_path / "data", app=ECHO_APP)
    server.start()
    page = ChatClient(server.address, http)
    await page.sign_in()
    await page.connect()
    first = await page.send("hold on", client_id="0d5d2d4c-5f55-4c39-9d0a-51c1b3a0e1aa")
    server.kill()
    await page.closed.wait()
    await page.drop()
    await asyncio.to_thread(server.start)
    again = ChatClient(server.address, http, cookie=page.cookie, session_id=page.session_id)  # knows of no conversation
    await again.connect()
    assert await again.send("hold on", client_id="0d5d2d4c-5f55-4c39-9d0a-51c1b3a0e1aa") == first
    await again.close()
    server.stop()


async def test_a_stopped_server_leaves_in_time_and_loses_nothing(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    server = Server(tmp_path / "data", app=ECHO_APP)
    server.start()
    page = ChatClient(server.address, http)
    await page.sign_in()
    await page.connect()
    ack = await page.send("hold on")
    code = await asyncio.to_thread(server.stop)
    assert (ack["ok"], code) == (True, 0)
    assert "Traceback" not in server.log()
    await page.drop()
    rows = [sqlite3.connect(path) for path in (tmp_path / "data").iterdir() if path.suffix in (".db", ".sqlite", ".sqlite3")]
    assert [row.execute("select count(*) from entries").fetchone()[0] for row in rows] == [1]
    for row in rows:
        row.close()


async def test_too_many_new_visitors_of_one_address_are_asked_to_wait(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with Server(tmp_path / "data", app=ECHO_APP, env={"VISITORS_PER_MINUTE": "2"}) as server:
        page = ChatClient(server.address, http)
        await page.sign_in()
        async with http.get(server.address) as response:
            assert "Set-Cookie" in response.headers
        async with http.get(server.address) as response:
            assert (response.status, "Set-Cookie" in response.headers) == (200, False)
        other = ChatClient(server.address, http)
        with pytest.raises(aiohttp.ClientResponseError, match="429"):
            await other.sign_in()
        status, _ = await page.request("POST", "/auth/header", json={})
        assert status == 200


async def test_the_server_can_load_its_code_again_while_it_runs(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """`chainlit run -w` imports the app and all it imports anew in the same process; here from a folder of links."""
    app = tmp_path / "app.py"
    app.write_bytes((ROOT / ECHO_APP).read_bytes())
    for package in ("bot", "knowledge"):
        (tmp_path / package).symlink_to(ROOT / package)
    for name in (".chainlit/config.toml", ".chainlit/translations/en-US.json", "chainlit.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    server = Server(tmp_path / "data", app=str(app), env={"CHAINLIT_APP_ROOT": str(tmp_path), "CHAINLIT_RUN_WATCH": "1"})
    server.start()
    page = ChatClient(server.address, http)
    await page.sign_in()
    await page.connect()
    await page.ask("before")
    reload = asyncio.create_task(page.wait_for_event("reload"))
    while not reload.done():  # whoever watches the file may not look yet
        os.utime(app)
        await asyncio.wait({reload}, timeout=5)
    await reload
    await page.drop()
    await page.connect()
    assert (await page.ask("after"))["output"] == "You said: after"
    status, _ = await page.request("GET", "/docs")
    assert status == 404
    await page.close()
    server.stop()
    assert "Traceback" not in server.log()
