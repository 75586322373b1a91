"""The real bot for an evaluation: wired by its own settings, on an index of the articles asked for and a log of its own."""

import asyncio
import hashlib
import json
import logging
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.accounts_memory import MemoryAccounts
from bot.bot import Bot
from bot.errors import SettingsInvalid
from bot.llm.extractive import ExtractiveLLM
from bot.llm.prices import read_prices
from bot.llm.stream import LLM
from bot.llm.vendors import build_llm, provider_names
from bot.prompts.loader import FOLDER, Prompts
from bot.settings import Settings
from bot.wiring import build_bot
from bot.writer import Writer
from evals.answer_cache import CachedLLM
from evals.quotes import mark_internal
from evals.runs import Manifest, Source
from knowledge.document import Document
from knowledge.errors import IngestFailed
from knowledge.index import build_index
from knowledge.progress import bars
from knowledge.read import read_documents
from knowledge.texts import Texts
from knowledge.versions import Versions

CACHE = Path("data/evals")
_NOT_TOLD = re.compile(
    r"_(key|secret|password|url|endpoint|dir|file|script|prices)$|token_|session|ws_|prox|origin|visitor|request|message|"
    r"environment|trace|^company$|^assistant$|^llm_providers$"
)
"""Secrets, places on this machine, who may connect and how often: nothing that makes one reply differ from another."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What to play with: settings that differ, a data folder or articles, prompts, and where answers are kept."""

    settings: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path | None = None
    articles: Path | None = None
    prompts: Path | None = None
    answers: Path | None = None
    cache: Path = CACHE
    llm: Callable[[Settings], LLM] | None = None
    """In the place of the providers of the settings; for tests and experiments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A bot that is ready, and what the run's manifest says of it."""

    bot: Bot
    setup: Setup
    knowledge: str
    documents: tuple[Document, ...]
    internal: tuple[Document, ...]

    def manifest(self, sources: tuple[Source, ...]) -> Manifest:
        """What is played, and with what."""
        settings = self.bot.settings
        return Manifest(
            sources=sources,
            providers=_providers(settings, self.setup),
            settings=told_settings(settings),
            prompts=_prompt_hashes(self.setup.prompts or FOLDER),
            knowledge=self.knowledge,
            documents=tuple(sorted(one.id for one in self.documents)),
            internal_documents=tuple(sorted(one.id for one in self.internal)),
            internal_marks=mark_internal(self.internal, self.documents),
        )


@asynccontextmanager
async def open_player(setup: Setup) -> AsyncIterator[Player]:
    """The bot, closed at the end. Raises SettingsInvalid, PromptInvalid, FileInvalid or a KnowledgeError."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = read_setup(setup, Path(folder))
        root = await asyncio.to_thread(_index, setup, settings)
        intents = setup.cache / "intents"  # kept by content: learned once
        intents.mkdir(parents=True, exist_ok=True)
        for name, place in (("knowledge", root), ("intents", intents)):
            (Path(folder) / name).symlink_to(place.resolve(), target_is_directory=True)
        bot = await build_bot(settings, _writer(setup, settings))
        try:
            yield _player(bot, setup, root)
        finally:
            await bot.close()


def read_setup(setup: Setup, data_dir: Path) -> Settings:
    """The environment's settings with those asked for over them. Raises SettingsInvalid naming every wrong one."""
    chosen: dict[str, Any] = {name.lower(): value for name, value in setup.settings.items()}
    if unknown := sorted(chosen.keys() - Settings.model_fields.keys()):
        raise SettingsInvalid(f"--set: there is no setting {', '.join(unknown).upper()}")
    own = {"data_dir": data_dir, "database_url": None, "messages_per_minute": 1_000_000}
    try:
        return Settings(**(own | chosen))
    except (ValidationError, TypeError) as invalid:
        errors = invalid.errors() if isinstance(invalid, ValidationError) else []
        lines = [f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in errors]
        raise SettingsInvalid("--set: " + "; ".join(lines)) from None


def told_settings(settings: Settings) -> dict[str, Any]:
    """Every setting that can change a reply."""
    plain = settings.model_dump(mode="json")
    return {name: value for name, value in plain.items() if not _NOT_TOLD.search(name)}


def _providers(settings: Settings, setup: Setup) -> tuple[str, ...]:
    return (setup.llm(settings).name,) if setup.llm else provider_names(settings)


def _index(setup: Setup, settings: Settings) -> Path:
    """Where the index stands: in the data folder, as it is; else one of the articles, brought up to date here."""
    if setup.data_dir is not None:
        root = setup.data_dir / "knowledge"
        Versions(root).current()  # raises: nothing is ever built there from here
        return root
    articles = setup.articles or settings.articles_dir
    root = setup.cache / "indexes" / hashlib.sha256(str(articles.resolve()).encode()).hexdigest()[:16]
    reading = read_documents(articles)
    for skipped in reading.skipped:
        logger.warning("left out %s: %s", skipped.path, skipped.reason)
    if not any(not one.internal for one in reading.documents):
        raise IngestFailed(f"{articles}: the folder has no public article that can be read")
    with bars() as stages:
        build_index(reading.documents, root, stages=stages)
    return root


def _player(bot: Bot, setup: Setup, root: Path) -> Player:
    versions = Versions(root)
    version = versions.current()
    folder = versions.folder / version
    return Player(
        bot=bot,
        setup=setup,
        knowledge=versions.manifest(version).content[:12],
        documents=_documents(folder / "public"),
        internal=_documents(folder / "internal"),
    )


def _documents(collection: Path) -> tuple[Document, ...]:
    texts = Texts(collection / "texts.sqlite")
    try:
        return tuple(texts.documents())
    finally:
        texts.close()


def _writer(setup: Setup, settings: Settings) -> Writer | None:
    """Another writer where prompts, kept answers or a model of one's own are asked for."""
    if not (setup.prompts or setup.answers or setup.llm):
        return None
    if not setup.llm and provider_names(settings) == ("extractive",):
        return None
    prompts = Prompts(setup.prompts or FOLDER)
    prompts.check()
    llm: LLM = setup.llm(settings) if setup.llm else build_llm(settings, ExtractiveLLM())
    if setup.answers:
        llm = CachedLLM(llm, setup.answers, salt=json.dumps(told_settings(settings), sort_keys=True))
    return Writer(llm, prompts, read_prices(settings.llm_prices), settings, MemoryAccounts())


def _prompt_hashes(folder: Path) -> dict[str, str]:
    """Twelve hexadecimal digits by the name of each prompt file."""
    return {one.stem: hashlib.sha256(one.read_bytes()).hexdigest()[:12] for one in sorted(folder.glob("*.md"))}
