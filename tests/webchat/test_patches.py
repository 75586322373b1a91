"""The patches, each held to upstream's code: when that changes, the first test fails and the patch is to be looked at again.

They change asyncio for the whole process, so they are tried in processes of their own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
UNDER_CHAINLIT = "import chainlit.cli, asyncio, json, time, importlib, inspect, hashlib\n"

KNOWN = {
    # what patches.py changes
    "chainlit.message:Message.__init__": "c6a39c3ae85d8df3",
    "chainlit.step:Step.__init__": "7ca45b864880c2c5",
    "chainlit.chat_context:ChatContext.add": "b0e12126c50f7db8",
    "nest_asyncio:_patch_asyncio": "e849e09bb197f8d5",
    "nest_asyncio:_patch_policy": "86ba95177e65e5f4",
    # what the web chat relies on
    "chainlit.cli:run_chainlit": "26c539921db00d15",
    "chainlit.server:lifespan": "7622975e70facb8a",
    "chainlit.server:get_html_template": "6f3813b6e4c5e1d1",
    "chainlit.data:get_data_layer": "c5b3dd2546984805",
    "chainlit.auth:authenticate_user": "5fe0cb588396da2b",
    "socketio.async_server:AsyncServer._handle_event": "65178105ef8b593d",
    "socketio.async_server:AsyncServer._handle_connect": "c97c480cf777de36",
    "socketio.packet:Packet.decode": "61ad7904b539f472",
}
ROUTES = 37
EVENTS = {
    *("audio_chunk", "audio_end", "audio_start", "chat_settings_change", "chat_settings_edit", "clear_session"),
    *("client_message", "connect", "connection_successful", "disconnect", "edit_message", "fetch_favorites"),
    *("message_favorite", "stop", "window_message"),
}


def run(code: str, folder: Path) -> Any:
    """What the code prints as JSON, run as under `chainlit run`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{UNDER_CHAINLIT}{code}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_upstreams_code_is_what_the_patches_were_written_for(tmp_path: Path) -> None:
    found = run(
        f"""
def read(name):
    module, path = name.split(":")
    value = importlib.import_module(module)
    for part in path.split("."):
        value = getattr(value, part)
    return hashlib.sha256(inspect.getsource(inspect.unwrap(value)).encode()).hexdigest()[:16]

from chainlit.server import router, sio
hashes = {{name: read(name) for name in {list(KNOWN)!r}}}
print(json.dumps([hashes, len(router.routes), sorted(sio.handlers["/"])]))
""",
        tmp_path,
    )
    assert found == [KNOWN, ROUTES, sorted(EVENTS)]


def test_tasks_and_futures_are_native_again_and_the_loop_is_uvloops(tmp_path: Path) -> None:
    found = run(
        """
before = asyncio.Task.__module__
from bot.webchat.patches import apply_patches
apply_patches()
apply_patches()

async def look():
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    return [before, type(task).__module__, type(asyncio.get_running_loop()).__module__, asyncio.current_task() is not None]

print(json.dumps(asyncio.run(look())))
""",
        tmp_path,
    )
    assert found == ["asyncio.tasks", "_asyncio", "uvloop", True]


def test_a_message_and_a_step_no_longer_stop_the_event_loop(tmp_path: Path) -> None:
    before, after = run(
        """
from chainlit.context import init_http_context
from chainlit.message import Message
from chainlit.step import Step

async def seconds():
    init_http_context()
    started = time.perf_counter()
    for _ in range(100):
        Message(content="x")
        Step(name="x")
    return time.perf_counter() - started

before = asyncio.run(seconds())
from bot.webchat.patches import apply_patches
apply_patches()
print(json.dumps([before, asyncio.run(seconds())]))
""",
        tmp_path,
    )
    assert before > 0.2, "upstream no longer sleeps: the patch can go"
    assert after < before / 2


def test_messages_are_no_longer_kept_for_ever(tmp_path: Path) -> None:
    kept = run(
        """
from chainlit.chat_context import chat_context, chat_contexts
from chainlit.context import init_http_context
from chainlit.message import Message

async def say():
    init_http_context()
    chat_context.add(Message(content="x"))
    return sum(map(len, chat_contexts.values()))

before = asyncio.run(say())
chat_contexts.clear()
from bot.webchat.patches import apply_patches
apply_patches()
print(json.dumps([before, asyncio.run(say())]))
""",
        tmp_path,
    )
    assert kept == [1, 0]


def test_websocket_frames_are_not_compressed_whatever_chainlit_asks_for(tmp_path: Path) -> None:
    code = """
import uvicorn
from bot.webchat.patches import apply_patches
apply_patches()
apply_patches()
print(json.dumps(uvicorn.Config(lambda: None, ws_per_message_deflate=True, port=1).ws_per_message_deflate))
"""
    assert run(code, tmp_path) is False
