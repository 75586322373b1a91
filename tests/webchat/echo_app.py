"""A server for the tests of the web chat alone: the real log and flow, and replies that the test asks for.

`GET /test/kept` counts what is kept for open pages, `POST /test/open/NAME` opens a gate.

`hold NAME`: a turn that waits at a gate. `door NAME`: a message that waits there before it is taken. `crash`: a turn that
fails. `cite`: a reply with citations. `notice`: a line of the system's. Anything else comes back. With BREAK_LOG=1 in the
environment, the message `break the log` is taken badly.
"""

import asyncio
import os

from chainlit.chat_context import chat_contexts
from chainlit.config import config
from chainlit.server import app as server
from chainlit.session import ws_sessions_id, ws_sessions_sid
from chainlit.user_session import user_sessions
from fastapi import APIRouter

from bot.bot import Bot
from bot.domain import ClientId, ConversationId, CustomerId, Draft, Entry, Kind, Speaker
from bot.pages.health import health_router
from bot.pages.help import help_router
from bot.settings import Settings
from bot.sql.log import open_log
from bot.webchat.chat import serve
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

TRACE = "TRACE-OF-THE-TURN"
CITATIONS = [
    {
        "number": 1,
        "document": "bills",
        "title": "Your bill: a [guide]",
        "heading": "Charges > Part months",
        "passage": "bills-3",
        "url": "/help/bills#p3",
        "quote": TRACE,
    },
    {"number": 2, "document": "x", "title": "Foreign", "heading": "", "url": "https://evil.example/", "quote": ""},
]


class NothingFound:
    """A search without articles but one."""

    async def search(self, question: str, history: object = (), limit: int = 8) -> Found:
        return Found(passages=(), answerability=0.0, version="none")

    async def article(self, document: DocumentId) -> Article | None:
        if document != "bills":
            return None
        passage = Passage(id=PassageId("bills-3"), document=document, title="Bills", heading="", text="Text", position=3)
        return Article(document=Document(id=document, title="Bills", text="Text"), passages=(passage,))

    async def contents(self) -> Contents:
        return Contents()


GATES: dict[str, asyncio.Event] = {}


def gate(name: str) -> asyncio.Event:
    return GATES.setdefault(name, asyncio.Event())


class EchoBot(Bot):
    """Answers with what it was told."""

    async def accept(
        self, conversation: ConversationId, customer: CustomerId, text: object, client_id: ClientId | None = None
    ) -> Entry:
        if isinstance(text, str) and text.startswith("door "):
            await gate(text.removeprefix("door ")).wait()
        if text == "break the log" and os.environ.get("BREAK_LOG"):
            raise ZeroDivisionError("secret-of-the-inside")
        return await super().accept(conversation, customer, text, client_id)

    async def take_turn(self, asked: Entry) -> None:
        word, _, rest = asked.text.partition(" ")
        if word == "hold":
            await gate(rest).wait()
        elif word == "crash":
            raise ZeroDivisionError("secret-of-the-inside")
        elif word == "notice":
            await self._append_reply(asked, Kind.NOTICE, "A line of the system's.", {})
            return
        data = {"citations": CITATIONS, "steps": [TRACE]} if word == "cite" else {"steps": [TRACE]}
        text = "Part months are charged by the day [1]. Plan:Fast [2] [3]" if word == "cite" else f"You said: {asked.text}"
        await self._append_reply(asked, Kind.MESSAGE, text, data)

    async def _append_reply(self, asked: Entry, kind: Kind, text: str, data: dict[str, object]) -> None:
        speaker = Speaker.BOT if kind is Kind.MESSAGE else Speaker.SYSTEM
        await self.log.append(
            Draft(conversation=asked.conversation, speaker=speaker, kind=kind, text=text, data=data, answers=asked.seq)
        )


async def build_bot(settings: Settings) -> Bot:
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    return EchoBot(settings=settings, log=log, search=NothingFound())


def count_kept(bot: Bot) -> APIRouter:
    router = APIRouter()

    @router.get("/test/kept")
    async def kept() -> dict[str, int]:
        tables = (ws_sessions_id, ws_sessions_sid, user_sessions, chat_contexts)
        coroutines = [str(task.get_coro()) for task in asyncio.all_tasks()]
        return {
            "views": len(server.state.chat._views),
            "chainlit": sum(map(len, tables)),
            "followers": sum("Screen" in name for name in coroutines),
        }

    return router


def gates(bot: Bot) -> APIRouter:
    router = APIRouter()

    @router.post("/test/open/{name}")
    async def open_gate(name: str) -> None:
        gate(name).set()

    return router


config.project.session_timeout = 3
serve(build_bot, pages=[lambda bot: help_router(bot.search, bot.settings), health_router, count_kept, gates])
