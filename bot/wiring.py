"""The only place that picks implementations: from settings to a bot that is ready to take messages."""

import asyncio
import logging

from bot.accounts import Accounts
from bot.classify import open_reader
from bot.crisis import WEIGHTS as CRISIS_WEIGHTS
from bot.domain import Standing
from bot.intents import read_intents
from bot.llm.extractive import ExtractiveLLM
from bot.llm.prices import read_prices
from bot.llm.vendors import build_llm, provider_names
from bot.mood_model import load_mood_model
from bot.nearness import Nearness
from bot.prompts.loader import Prompts
from bot.reading import MessageReader
from bot.sentiment import MoodReader
from bot.settings import Settings
from bot.sql.log import open_log
from bot.turn import Bot
from bot.writer import Writer
from knowledge.embed import FINGERPRINT, Embedder
from knowledge.errors import IndexMissing
from knowledge.index import build_index
from knowledge.read import read_documents
from knowledge.search import HybridSearch

logger = logging.getLogger(__name__)


async def build_bot(settings: Settings) -> Bot:
    """A bot on the log and the index of `settings.data_dir`; makes the index from the help articles if there is none.

    Raises LogUnavailable, SettingsInvalid or a KnowledgeError, each saying what is the matter and what to do.
    """
    search = await asyncio.to_thread(open_search, settings)
    reader = await asyncio.to_thread(open_message_reader, settings, search.embedder)
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    return Bot(settings=settings, log=log, search=search, writer=build_writer(settings, log.accounts), reader=reader)


def open_message_reader(settings: Settings, embedder: Embedder) -> MessageReader:
    """The reader over the intents file; blocks while it learns a new one, and while TextBlob is loaded (seconds)."""
    intents = open_reader(read_intents(settings.intents_file), embedder, settings.data_dir / "intents")
    nearness = Nearness.load(CRISIS_WEIGHTS, FINGERPRINT)
    reader = MessageReader(intents, MoodReader(load_mood_model()), nearness, embedder, settings.crisis_near_above)
    reader.read_now("Hello, where is my bill?", (), Standing())
    return reader


def build_writer(settings: Settings, accounts: Accounts) -> Writer | None:
    """The writer over the providers that are configured; None when there is nobody but the one who quotes."""
    if provider_names(settings) == ("extractive",):
        return None
    prompts = Prompts()
    prompts.check()
    llm = build_llm(settings, ExtractiveLLM())
    return Writer(llm, prompts, read_prices(settings.llm_prices), settings, accounts)


def open_search(settings: Settings) -> HybridSearch:
    """The search over the index in use; blocks while a first index is made."""
    root = settings.data_dir / "knowledge"
    try:
        return HybridSearch.open(root)
    except IndexMissing:
        logger.warning("no index yet: reading the help articles in %s, this takes a moment", settings.articles_dir)
    reading = read_documents(settings.articles_dir)
    for skipped in reading.skipped:
        logger.warning("left out %s: %s", skipped.path, skipped.reason)
    build_index(reading.documents, root)
    return HybridSearch.open(root)
