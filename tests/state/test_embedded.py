"""The embedded server: one per data directory, whoever started it, as long as somebody uses it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from bot.errors import StoreUnavailable
from bot.settings import Settings
from bot.state import open_state
from bot.valkey.embedded import Embedded
from tests.server import ROOT
from tests.state.servers import until, until_well

# Uses the server of a folder until its input ends; prints the server's process.
CHILD = """
import sys
from pathlib import Path
import redis
from bot.valkey.embedded import Embedded
embedded = Embedded(Path(sys.argv[1]))
embedded.ensure()
with redis.Redis(unix_socket_path=str(embedded.socket), protocol=2) as client:
    client.set(f"from {sys.argv[2]}", "1")
    print(client.info("server")["process_id"], flush=True)
sys.stdin.read()
embedded.close()
"""


def start(folder: Path, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD, str(folder), name]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def server_of(child: "subprocess.Popen[str]") -> int:
    assert child.stdout
    return int(child.stdout.readline())


def process_of(embedded: Embedded) -> int:
    with redis.Redis(unix_socket_path=str(embedded.socket), protocol=2) as client:
        return int(client.info("server")["process_id"])


async def gone(pid: int) -> None:
    """Wait until the process has ended."""

    async def has_ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await until(has_ended)


async def test_processes_that_start_together_share_one_server_and_it_ends_with_the_last(tmp_path):
    children = [start(tmp_path, name) for name in "abcd"]
    servers = {server_of(child) for child in children}
    assert len(servers) == 1
    [server] = servers
    for child in children[:-1]:
        child.communicate()
    assert psutil.pid_exists(server)
    children[-1].communicate()
    await gone(server)


@pytest.mark.parametrize("times", range(5))
def test_the_last_to_close_returns_when_the_server_has_ended_and_others_do_not_wait(tmp_path, times):
    one, other = Embedded(tmp_path), Embedded(tmp_path)
    one.ensure()
    other.ensure()
    server = psutil.Process(process_of(one))
    one.close()
    assert server.is_running()
    other.close()
    assert not server.is_running()
    shutil.rmtree(tmp_path / "valkey")  # nobody writes there any more


async def test_it_outlives_the_kill_of_its_starter_and_ends_when_the_others_were_killed_too(tmp_path):
    first = start(tmp_path, "first")
    server = server_of(first)
    second = start(tmp_path, "second")
    assert server_of(second) == server
    first.kill()
    first.communicate()
    third = start(tmp_path, "third")
    assert server_of(third) == server
    for child in (second, third):
        child.kill()
        child.communicate()
    await gone(server)


async def test_the_next_start_finds_what_the_last_one_kept(tmp_path):
    one = start(tmp_path, "one")
    server = server_of(one)
    one.communicate()
    embedded = Embedded(tmp_path)
    embedded.ensure()  # waits until the last one has ended
    assert process_of(embedded) != server
    with redis.Redis(unix_socket_path=str(embedded.socket), protocol=2) as client:
        assert client.get("from one") == b"1"
    embedded.close()


async def test_a_killed_server_is_started_again_and_keeps_what_was_on_disk(tmp_path):
    state = await open_state(Settings(_env_file=None, data_dir=tmp_path))
    assert (state.status.kind, state.status.well) == ("embedded", True)
    await state.cells.put("a", b"kept", 60)
    pid = process_of(state._embedded)
    await until_on_disk(tmp_path, b"kept")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(StoreUnavailable):
        await state.cells.get("a")
    assert not state.status.well
    assert "the embedded server" in state.status.detail
    await until_well(state._server)
    assert await state.cells.get("a") == b"kept"
    await state.close()


async def until_on_disk(folder: Path, value: bytes) -> None:
    async def is_there() -> bool:
        return any(value in path.read_bytes() for path in (folder / "valkey").rglob("*.aof"))

    await until(is_there)


async def test_a_deep_folder_is_no_obstacle_and_nobody_else_may_look_into_it(tmp_path):
    deep = tmp_path / ("d" * 120) / "data"
    embedded = Embedded(deep)
    await asyncio.to_thread(embedded.ensure)
    assert process_of(embedded)
    for folder in (deep / "valkey", embedded.socket.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert embedded.socket.stat().st_mode & 0o777 == 0o700
    embedded.close()


@pytest.mark.parametrize("binary", ["missing", "broken"])
async def test_where_no_server_can_start_each_process_remembers_by_itself_and_says_so(tmp_path, monkeypatch, caplog, binary):
    program = tmp_path / binary
    if binary == "broken":
        program.write_text("#!/bin/sh\nexit 3\n")
        program.chmod(0o700)
    monkeypatch.setattr("bot.valkey.embedded._find_binary", lambda: program)
    state = await open_state(Settings(_env_file=None, data_dir=tmp_path))
    assert (state.status.kind, state.status.well) == ("process", False)
    assert "the embedded server ended at once" in state.status.detail
    assert "Each process remembers by itself" in caplog.text
    await state.cells.put("a", b"value", 60)
    assert await state.cells.get("a") == b"value"
    assert await state.bus.count("ann", 60) == 1
    await state.close()


async def test_a_data_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    state = await open_state(Settings(_env_file=None, data_dir=tmp_path / "data"))
    assert state.status.kind == "process"
    assert str(tmp_path / "data") in state.status.detail
    await state.close()
