"""What we change in Chainlit 2.12.0 and its event loop; applied first, and held to upstream's code by a test.

Chainlit is archived upstream, so these will not be fixed there. docs/decisions/0006-chainlit-patches.md has the figures.
"""

import _asyncio
import asyncio
import importlib
import sys
import types
from typing import Any

import uvicorn
from chainlit.chat_context import ChatContext

SWITCH_SECONDS = 0.001


class PlainConfig(uvicorn.Config):
    """uvicorn's settings: no compression of WebSocket frames, no `Server` header, and an answer to every handshake."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        ours: dict[str, Any] = {"ws_per_message_deflate": False, "server_header": False}
        if options.get("ws", "auto") == "auto":
            ours["ws"] = "bot.webchat.handshakes:AnsweredHandshakes"
        super().__init__(*arguments, **{**options, **ours})


def apply_patches() -> None:
    """Apply all patches; harmless when applied again (`chainlit run -w` does)."""
    use_native_tasks()
    remove_blocking_sleep()
    keep_no_chat_contexts()
    send_frames_as_they_are()
    hand_over_quickly()


def use_native_tasks() -> None:
    """Undo nest_asyncio, which Chainlit's command line applies: C tasks instead of Python ones, and uvloop's loop.

    Price: the loop cannot be entered again from inside (`cl.run_sync` on the main thread), which nothing here does.
    """
    tasks: Any = asyncio.tasks
    futures: Any = asyncio.futures
    tasks.Task = tasks._CTask = _asyncio.Task
    futures.Future = futures._CFuture = _asyncio.Future
    asyncio.Task = _asyncio.Task  # type: ignore[misc]
    asyncio.Future = _asyncio.Future  # type: ignore[misc]
    if sys.platform != "win32" and asyncio._get_running_loop() is None:
        # uvloop remembers asyncio.Task when it is imported, so it must not be imported before the lines above
        uvloop = importlib.import_module("uvloop")
        asyncio.set_event_loop(uvloop.new_event_loop())


def remove_blocking_sleep() -> None:
    """Every Message and Step calls `time.sleep(0.001)`, which stops the whole event loop; ours calls a no-op."""
    clock = importlib.import_module("time")
    quick = types.SimpleNamespace(**{name: getattr(clock, name) for name in dir(clock) if not name.startswith("__")})
    quick.sleep = _no_sleep
    for name in ("chainlit.message", "chainlit.step"):
        # the attribute `chainlit.step` is a function, so the module is found by its name
        module: Any = importlib.import_module(name)
        module.time = quick


def keep_no_chat_contexts() -> None:
    """Chainlit keeps every message of every session in `chat_contexts` for ever; our log holds them, so it keeps none."""
    ChatContext.add = _keep_nothing  # type: ignore[method-assign]


def send_frames_as_they_are() -> None:
    """Compressing small frames took 15% of the server's time at 100 chats; a proxy can do it at the edge.

    Chainlit makes uvicorn's Config after it has loaded app.py, and reads the environment for this before.
    """
    uvicorn.Config = PlainConfig  # type: ignore[misc]


def hand_over_quickly() -> None:
    """Let a search or a commit that is done have the interpreter after 1 ms instead of 5 ms while the event loop is busy."""
    sys.setswitchinterval(SWITCH_SECONDS)


def _no_sleep(seconds: float) -> None:
    """Do not sleep."""


def _keep_nothing(self: ChatContext, message: object) -> object:
    return message
