"""A bot whose model says which words stand in its prompt: what a changed prompt file does can be seen in the reply."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

from bot.accounts_memory import MemoryAccounts
from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Entry
from bot.llm.prices import read_prices
from bot.llm.stream import Event, Finished, Limits, Request, Text
from bot.log import ConversationLog
from bot.log_memory import MemoryLog
from bot.prompts.loader import FOLDER, Prompts
from bot.settings import Settings
from bot.writer import Writer
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

ANN = CustomerId("ann")
FEE = "There is a late payment fee of £7.50 if your bill is unpaid. [1]"
FALSE = "The late payment fee is £25. [1]"
CARD = "You can pay by card under Billing. [2]"
TEXTS = ("We charge a late payment fee of £7.50 if a bill is unpaid.", "Pay by card under Billing > Pay now.")
TITLE = "Late payments"
PASSAGES = tuple(
    Passage(
        id=PassageId(f"late#{n}"), document=DocumentId("late"), title=TITLE, heading="", text=text, position=n, score=0.9
    )
    for n, text in enumerate(TEXTS)
)


class OneArticle:
    async def search(self, question: str, history: object = (), limit: int = 8) -> Found:
        return Found(passages=PASSAGES, answerability=0.9, version="v1")

    async def article(self, document: DocumentId) -> Article | None:
        return (
            Article(document=Document(id=document, title=TITLE, text=""), passages=PASSAGES) if document == "late" else None
        )

    async def contents(self) -> Contents:
        return Contents()


class PromptedLLM:
    """Speaks of cards when its prompt does; once it says what is not so, when the prompt says `be wrong first`."""

    name = "prompted"
    model = "m-1"

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        prompt = request.lines[0].text
        wrong = "be wrong first" in prompt and "Your last attempt" not in prompt
        yield Text(text=FALSE if wrong else f"{FEE} {CARD}" if "speak of cards" in prompt else FEE)
        yield Finished(reason="stop", provider=self.name, model="m-1", prompt_tokens=100, completion_tokens=20)

    async def close(self) -> None:
        """Nothing to release."""


def copy_prompts(folder: Path) -> Path:
    """The prompt files that ship, where a test may change them."""
    folder.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.md"):
        shutil.copy(file, folder)
    return folder


def change_voice(folder: Path, words: str) -> None:
    """Add words to the voice, as a developer's editor would, at a moment of its own."""
    file = folder / "voice.md"
    at = file.stat().st_mtime_ns
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{words}\n", encoding="utf-8")
    os.utime(file, ns=(at + 1_000_000, at + 1_000_000))


def build_prompted(prompts: Path, log: ConversationLog | None = None, settings: Settings | None = None) -> Bot:
    settings = settings or Settings(turn_seconds=10)
    writer = Writer(PromptedLLM(), Prompts(prompts), read_prices(), settings, MemoryAccounts())
    return Bot(settings=settings, log=log or MemoryLog(), search=OneArticle(), writer=writer)


async def ask(bot: Bot, text: str = "what is the late fee?", conversation: ConversationId | None = None) -> Entry:
    """Send a message and wait for the reply."""
    asked = await bot.accept(conversation or ConversationId(str(uuid4())), ANN, text)
    async with asyncio.timeout(60):
        async for entry in bot.log.follow(asked.conversation, asked.seq):
            if entry.answers == asked.seq:
                return entry
    raise AssertionError("the log was closed")
