"""The only place that picks implementations: from settings to a bot that is ready to take messages."""

import asyncio
import logging
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from threadpoolctl import threadpool_limits

from bot.accounts import Accounts
from bot.backoffice.demo import DemoOffice
from bot.backoffice.http import HttpOffice
from bot.backoffice.office import Backoffice
from bot.between import Between
from bot.bot import Bot
from bot.bus import Bus
from bot.classify import open_reader
from bot.clerk import Clerk
from bot.desk.policy import read_policy
from bot.domain import Standing
from bot.intents import read_intents
from bot.llm.extractive import ExtractiveLLM
from bot.llm.prices import read_prices
from bot.llm.vendors import build_llm, provider_names
from bot.memory import CachedMemory
from bot.mind import Mind
from bot.mood_model import load_mood_model
from bot.nearness import Nearness
from bot.profile import Profiles
from bot.prompts.loader import Prompts
from bot.reading import MessageReader
from bot.seal import read_seal
from bot.sentiment import MoodReader
from bot.settings import ROOT, Settings
from bot.settings_place import LARKFIELD
from bot.sql.audit import SqlAudit
from bot.sql.log import open_log
from bot.sql.store import Store, open_store
from bot.sql.tickets import SqlTickets
from bot.state import open_state
from bot.tools.catalogue import TOOLS
from bot.tools.errands import Errands
from bot.tools.other_errands import ERRANDS
from bot.tools.rate import SharedToolRate
from bot.tools.tool import Supplies
from bot.tools.toolbox import Toolbox
from bot.upkeep import Job, Upkeep
from bot.writer import Writer
from knowledge.document import Search
from knowledge.embed import FINGERPRINT, Embedder
from knowledge.errors import IndexMissing, IndexOutdated
from knowledge.index import build_index, renew_index
from knowledge.read import read_documents
from knowledge.search import HybridSearch

logger = logging.getLogger(__name__)

WITHOUT_OFFICE = frozenset(
    "search_knowledge create_ticket get_ticket list_tickets update_ticket set_ticket_status escalate_to_human".split()
)
TICKET_ERRANDS = frozenset({"open_ticket", "ticket_status", "list_tickets", "add_to_ticket"})
"""What needs no back office."""


async def build_bot(settings: Settings, writer: Writer | None = None) -> Bot:
    """A bot on the log and the index of `settings.data_dir`; makes the index from the help articles if there is none.

    Replies are written by `writer`, where one is given, else by that of the settings. Raises LogUnavailable, SettingsInvalid
    or a KnowledgeError, each saying what is the matter and what to do.
    """
    # Products of a message are small: handing them to threads, which then wait for more at full speed, costs twice the work.
    threadpool_limits(1, user_api="blas")
    embedder = await asyncio.to_thread(Embedder)  # one for both: who reads a message and who searches for it embed it once
    search, reader = await asyncio.gather(
        asyncio.to_thread(open_search, settings, embedder), asyncio.to_thread(open_message_reader, settings, embedder)
    )
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    store = await asyncio.to_thread(open_store, settings.database_url, settings.data_dir)
    seal = await asyncio.to_thread(read_seal, settings)
    state = await open_state(settings)
    profiles = log.profiles(settings.profile_days)
    writer = writer or build_writer(settings, log.accounts)
    memory = CachedMemory(state.cells, seal, log, settings)
    bot = Bot(
        settings=settings,
        log=log,
        search=search,
        writer=writer,
        reader=reader,
        clerk=build_clerk(settings, store, search, state.bus),
        mind=Mind(memory, profiles, settings, log, writer.summariser if writer else None),
        state=state,
        between=Between(state, log) if settings.redis_url else None,
        upkeep=build_upkeep(settings, store, profiles),
    )
    await bot.prepare()
    return bot


def build_upkeep(settings: Settings, store: Store, profiles: Profiles) -> Upkeep:
    """What is deleted once it is old enough."""
    return Upkeep(
        [
            Job(what="things known about customers", days=settings.profile_days, expire=profiles.expire),
            Job(what="calls of tools", days=settings.tool_call_days, expire=SqlAudit(store).expire),
            Job(what="solved or closed tickets", days=settings.ticket_days, expire=SqlTickets(store).expire),
        ]
    )


def build_clerk(settings: Settings, store: Store, search: Search, bus: Bus) -> Clerk:
    """Who looks up and does things: with a back office all that a customer may ask for, without one tickets alone."""
    zone = ZoneInfo(read_policy(settings.desk_file).time_zone)
    office: Backoffice = DemoOffice(store, partial(datetime.now, zone))
    if settings.backoffice_url and settings.backoffice_token:
        office = HttpOffice(settings.backoffice_url, settings.backoffice_token.get_secret_value())
    has_office = bool(settings.demo or settings.backoffice_url)
    tools = [tool for tool in TOOLS if has_office or tool.name in WITHOUT_OFFICE]
    errands = {name: errand for name, errand in ERRANDS.items() if has_office or name in TICKET_ERRANDS}
    supplies = Supplies(office=office, tickets=SqlTickets(store), search=search, zone=zone)
    toolbox = Toolbox(tools, supplies, SqlAudit(store), SharedToolRate(bus))
    return Clerk(toolbox, Errands(toolbox, errands), store, settings.demo_account)


def open_message_reader(settings: Settings, embedder: Embedder) -> MessageReader:
    """The reader over the intents file; blocks while it learns a new one, and while TextBlob is loaded (seconds)."""
    intents = open_reader(read_intents(settings.intents_file), embedder, settings.data_dir / "intents")
    nearness = Nearness.load(FINGERPRINT)
    reader = MessageReader(intents, MoodReader(load_mood_model()), nearness, embedder, settings)
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


def open_search(settings: Settings, embedder: Embedder) -> HybridSearch:
    """The search over the index in use; blocks while a first one is made, or one of an older format anew."""
    root = settings.data_dir / "knowledge"
    try:
        return HybridSearch.open(root, embedder)
    except IndexOutdated:
        logger.warning("the index in %s has an older format: it is built anew from the articles it holds", root)
        renew_index(root, embedder)
        return HybridSearch.open(root, embedder)
    except IndexMissing:
        logger.warning("no index yet: reading the help articles in %s, this takes a moment", settings.articles_dir)
        if settings.company != LARKFIELD and settings.articles_dir == ROOT / "knowledge" / "articles":
            logger.warning("%s has no articles: these are the demo's. python -m knowledge ingest FOLDER", settings.company)
    reading = read_documents(settings.articles_dir)
    for skipped in reading.skipped:
        logger.warning("left out %s: %s", skipped.path, skipped.reason)
    build_index(reading.documents, root, embedder)
    return HybridSearch.open(root, embedder)
