"""A server for the tests of replies being written: the real log, flow and writer, and a search that knows one article.

`GET /test/live` counts what is kept of what is being written.
"""

import asyncio

from fastapi import APIRouter

from bot.bot import Bot
from bot.pages.health import health_router
from bot.pages.traces import developer_router
from bot.settings import Settings
from bot.sql.log import open_log
from bot.webchat.chat import serve
from bot.wiring import build_writer
from knowledge.document import Article, Document, DocumentId, Found, Passage, PassageId

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


async def build_bot(settings: Settings) -> Bot:
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    return Bot(settings=settings, log=log, search=OneArticle(), writer=build_writer(settings, log.accounts))


def count_live(bot: Bot) -> APIRouter:
    router = APIRouter()

    @router.get("/test/live")
    async def live() -> int:
        return len(bot.live)

    return router


serve(build_bot, pages=[health_router, developer_router, count_live])
