"""Frontdesk under `chainlit run`: patches and hooks at once, the bot and everything that needs it at start-up."""

import asyncio
import gc
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, Protocol, runtime_checkable

import chainlit.data
from chainlit.config import config
from chainlit.server import app as server
from chainlit.server import sio
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response

from bot.bot import Bot
from bot.errors import FrontdeskError, SettingsInvalid
from bot.settings import Settings, read_settings
from bot.webchat.hardening import Hardening, OnlyThese, security_headers
from bot.webchat.history import History
from bot.webchat.identity import use_secret
from bot.webchat.patches import apply_patches
from bot.webchat.routes import WebRoutes
from bot.webchat.sessions import Views
from bot.webchat.signing import Signing
from bot.webchat.sockets import Sockets
from bot.webchat.welcome import name_page, welcome
from knowledge.document import Contents
from knowledge.errors import KnowledgeError

logger = logging.getLogger(__name__)

MOST_FRAME_BYTES = 2_000_000
"""A message of a megabyte still gets its polite refusal; anything larger closes the socket."""

BuildBot = Callable[[Settings], Awaitable[Bot]]


@runtime_checkable
class Part(Protocol):
    """A part of the server with a life of its own: its routes are ready once it has started."""

    router: APIRouter

    async def start(self) -> None:
        """Open it. Raises FrontdeskError, saying what is the matter."""
        ...

    async def stop(self) -> None:
        """Close it; the bot and its log are still there."""
        ...


Pages = Callable[[Bot], APIRouter | Part]


def serve(build_bot: BuildBot, pages: Sequence[Pages] = ()) -> None:
    """Make `chainlit run` serve this bot; may be called again while it runs (`-w`), and then replaces what was there.

    `pages` make further routers, or parts with one, which stand in front of Chainlit's routes. Ends the process when the
    settings are wrong.
    """
    apply_patches()
    try:
        settings = read_settings()
        use_secret(settings)
    except SettingsInvalid as invalid:
        sys.exit(str(invalid))
    chat = Chat(settings, build_bot, pages)
    chat.hook_in()
    running: Chat | None = getattr(server.state, "chat", None)
    if running is not None:
        server.state.restart = asyncio.get_running_loop().create_task(chat.take_over(running))


class Chat:
    """The web chat of one process."""

    def __init__(self, settings: Settings, build_bot: BuildBot, pages: Sequence[Pages]) -> None:
        self._settings = settings
        self._build_bot = build_bot
        self._pages = pages
        self._bot: Bot | None = None
        self._views = Views(config.project.session_timeout)
        self._routes: list[Any] = []
        self._parts: list[Part] = []
        self._watching: asyncio.Task[None] | None = None

    def hook_in(self) -> None:
        """What Chainlit must know before it starts."""
        name_page(self._settings)
        code = config.code
        code.on_app_startup = self.start
        code.on_app_shutdown = self.stop
        code.set_chat_profiles = welcome(self._settings, self._contents)
        # Chainlit only asks whether there are such callbacks; our own handlers and routes do their work.
        code.header_auth_callback = code.on_message = code.on_chat_resume = _never_called
        sio.eio.max_http_buffer_size = MOST_FRAME_BYTES
        sio.eio.transports = ["websocket"]
        config.project.allow_origins[:] = self._settings.allowed_origins
        if server.middleware_stack is None:
            server.add_middleware(Hardening, allowed=self._settings.allowed_origins)
            server.add_exception_handler(RequestValidationError, _refuse_body)
            server.add_exception_handler(Exception, _refuse_failure(self._settings))

    async def start(self) -> None:
        """Build the bot and open for visitors; a bot that cannot be built ends the process with one clear message."""
        try:
            bot = await self._build_bot(self._settings)
            await bot.start()
            signing = Signing(bot)
            pages = [page(bot) for page in self._pages]
            for part in pages:
                if isinstance(part, Part):
                    self._parts.append(part)
                    await part.start()
        except (FrontdeskError, KnowledgeError) as problem:
            _give_up(f"Frontdesk cannot start: {problem}")
        except Exception:  # noqa: BLE001  Chainlit would log it and serve a chat that cannot answer
            _give_up(f"Frontdesk cannot start.\n{traceback.format_exc()}")
        self._bot = bot
        config.code.data_layer = lambda: History(bot)
        _forget_data_layer()
        sockets = Sockets(bot, self._views, signing.visits, sio)
        sockets.register()
        self._watching = asyncio.create_task(sockets.watch())
        web = WebRoutes(bot, visitors_per_minute=self._settings.visitors_per_minute)
        ours = [web.router, signing.routes(sockets.let_go, web.may_enter)]
        self._routes = put_in_front([*ours, *(page.router if isinstance(page, Part) else page for page in pages)])
        server.state.chat, server.state.visits = self, signing.visits
        gc.collect()
        gc.freeze()  # a full collection takes 0.2 s with all that is loaded by now; none of it will ever be garbage

    async def stop(self) -> None:
        """Let go of every page and finish what is under way; Chainlit ends the process right after."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._views.close()
        for route in self._routes:
            server.router.routes.remove(route)
        self._routes = []
        for part in self._parts:
            await part.stop()
        self._parts = []
        if self._bot is not None:
            await self._bot.close()

    async def _contents(self) -> Contents:
        return await self._bot.search.contents() if self._bot else Contents()

    async def take_over(self, running: "Chat") -> None:
        """Start in place of a chat of older code."""
        await running.stop()
        await self.start()
        logger.info("Frontdesk was loaded again")


def put_in_front(routers: Sequence[APIRouter]) -> list[Any]:
    """Put routers, and behind them the gate, in front of Chainlit's routes, of which the last takes every address."""
    routes = server.router.routes
    before = len(routes)
    for router in routers:
        server.include_router(router)
    ours = [*routes[before:], OnlyThese()]
    routes[:] = ours + routes[:before]
    return ours


def _give_up(message: str) -> NoReturn:
    """End the process at once: inside Chainlit's start-up an exception or exit would be swallowed."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201  for the person who started it
    sys.stdout.flush()
    os._exit(1)


async def _never_called(*arguments: object) -> None:
    raise NotImplementedError


async def _refuse_body(request: Request, error: Exception) -> Response:
    """What is wrong with a request's body, without repeating it (it may hold what no answer can)."""
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    told = [{"where": [str(part)[:50] for part in p["loc"]], "what": p["msg"]} for p in problems]
    return JSONResponse({"detail": told}, 422)


def _refuse_failure(settings: Settings) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The last resort of HTTP: the error goes to our log, and a sentence to the customer."""
    headers = security_headers(settings.allowed_origins)

    async def refuse(request: Request, error: Exception) -> Response:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"detail": "Something went wrong on our side. Please try again in a moment."}, 500, headers)

    return refuse


def _forget_data_layer() -> None:
    """Chainlit makes its data layer once; after a reload it must ask again."""
    chainlit.data._data_layer = None
    chainlit.data._data_layer_initialized = False
