"""A server for the tests of replies being written: the real log, flow and writer, and a search that knows one article.

`GET /test/live` counts what is kept of what is being written. With HOLD=1 in the environment, `POST /test/hold` stops the
model after two pieces of each reply until `POST /test/let`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter

from bot.bot import Bot
from bot.llm.extractive import ExtractiveLLM
from bot.llm.prices import read_prices
from bot.llm.stream import LLM, Event, Limits, Request, Text
from bot.llm.vendors import build_llm
from bot.pages.health import health_router
from bot.pages.traces import developer_router
from bot.prompts.loader import Prompts
from bot.settings import Settings
from bot.sql.log import open_log
from bot.webchat.chat import serve
from bot.wiring import build_writer
from bot.writer import Writer
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

TEXTS = (
    "We charge a late payment fee of £7.50 if a bill is unpaid 7 days after it was due.",
    "You can pay by card under Billing (Note:this stays).",
    "Call us on weekdays if you cannot pay in time.",
)
PASSAGES = tuple(
    Passage(
        id=PassageId(f"late-{n}"),
        document=DocumentId("late"),
        title="Late payments",
        heading="",
        text=text,
        position=n,
        score=0.9,
    )
    for n, text in enumerate(TEXTS)
)


class OneArticle:
    """A search that always finds the same article."""

    version = "v1"

    async def search(self, question: str, history: object = (), limit: int = 8) -> Found:
        return Found(passages=PASSAGES, answerability=0.9, version="v1")

    async def article(self, document: DocumentId) -> Article | None:
        return Article(document=Document(id=document, title="Late payments", text=""), passages=PASSAGES)

    async def contents(self) -> Contents:
        return Contents()


class Held:
    """A model that says two pieces of a reply, which shows the sentence in the first, and the others once it is let."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.name, self.model = llm.name, llm.model
        self.is_let = asyncio.Event()
        self.is_let.set()

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        pieces = 0
        async with aclosing(self._llm.stream(request, limits)) as events:
            async for event in events:
                pieces += isinstance(event, Text)
                if pieces > 2:
                    await self.is_let.wait()
                yield event

    async def close(self) -> None:
        await self._llm.close()


async def build_bot(settings: Settings) -> Bot:
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    writer = build_writer(settings, log.accounts)
    if os.environ.get("HOLD"):
        HELD[:] = [Held(build_llm(settings, ExtractiveLLM()))]
        writer = Writer(HELD[0], Prompts(), read_prices(settings.llm_prices), settings, log.accounts)
    return Bot(settings=settings, log=log, search=OneArticle(), writer=writer)


def hold_and_let(bot: Bot) -> APIRouter:
    router = APIRouter()

    @router.post("/test/hold")
    async def hold() -> None:
        HELD[0].is_let.clear()

    @router.post("/test/let")
    async def let() -> None:
        HELD[0].is_let.set()

    return router


HELD: list[Held] = []


def count_live(bot: Bot) -> APIRouter:
    router = APIRouter()

    @router.get("/test/live")
    async def live() -> int:
        return len(bot.live)

    return router


serve(build_bot, pages=[health_router, developer_router, count_live, hold_and_let])
