"""A bot that reads messages as the product does, over a search that knows one article."""

import asyncio
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Entry
from bot.log_memory import MemoryLog
from bot.reading import MessageReader
from bot.settings import Settings
from bot.wiring import open_message_reader
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId
from knowledge.embed import Embedder

ANN = CustomerId("ann")
FEE = Passage(
    id=PassageId("late-fee#0"),
    document=DocumentId("late-fee"),
    title="Late payment fee",
    heading="",
    text="We charge £7.50 if a bill is unpaid 7 days after it was due.",
    position=0,
    score=0.9,
)


class FeeSearch:
    """A search that knows one article, and holds the answer to questions about a fee only."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.searching = asyncio.Event()

    async def search(self, question: str, history: Any = (), limit: int = 8) -> Found:
        self.searching.set()
        await self.gate.wait()
        return Found(passages=(FEE,), answerability=0.9 if "fee" in question else 0.05, version="v1")

    async def article(self, document: DocumentId) -> Article:
        return Article(document=Document(id=document, title=FEE.title, text=FEE.text), passages=(FEE,))

    async def contents(self) -> Contents:
        return Contents()


class SharedReader(MessageReader):
    """A reader that outlives the bots that use it."""

    def close(self) -> None:
        """Goes on."""


@lru_cache
def shared_reader() -> MessageReader:
    """The product's reader, loaded once."""
    reader = open_message_reader(Settings(data_dir=Path(mkdtemp(prefix="frontdesk-"))), Embedder())
    reader.__class__ = SharedReader
    return reader


def build_reading_bot(**parts: Any) -> Bot:
    settings = parts.pop("settings", None) or Settings(messages_per_minute=10_000)
    return Bot(
        settings=settings,
        log=parts.pop("log", None) or MemoryLog(),
        search=parts.pop("search", None) or FeeSearch(),
        reader=shared_reader(),
        **parts,
    )


class Talk:
    """A customer's conversation with a bot."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.id = ConversationId(str(uuid4()))

    async def say(self, text: str) -> Entry:
        """Send a message and wait for what settles it."""
        asked = await self.bot.accept(self.id, ANN, text)
        async with asyncio.timeout(60):
            async for entry in self.bot.log.follow(self.id, asked.seq):
                if entry.answers == asked.seq:
                    return entry
        raise AssertionError("the log was closed")

    async def holder(self) -> str:
        found = await self.bot.log.conversation(self.id)
        return found.holder if found else ""
