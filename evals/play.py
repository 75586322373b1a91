"""`python -m evals play`: the real bot over labelled transcripts; what it replied is stored, not judged."""

import argparse
import asyncio
import hashlib
import sys
import time
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from tqdm import tqdm

from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Draft, Entry, Holder, Kind, Speaker
from bot.errors import FrontdeskError, LogUnavailable, MessageRefused
from evals.formats import FileInvalid, read_rows
from evals.players import CACHE, Player, Setup, open_player
from evals.run_folder import RunFolder, timeless, unnumbered
from evals.runs import Played, PlayedTurn, Said, Source, Times, TurnTimes
from evals.transcripts import Transcript, intent_names

SUMMARY = "plays the bot over labelled transcripts and stores every turn"
DESCRIPTION = """\
Play the bot over labelled transcripts (evals/transcripts/) and store every turn in a folder, to be judged by `score`.
A run that was stopped goes on where it was when the same command is given again. With the extractive provider two runs
hold the same bytes, but for the times, which stand in a file of their own.

For example, without any key, and with another threshold:
  LLM_PROVIDERS=extractive python -m evals play --transcripts evals/transcripts/larkfield-dev.jsonl --out reports/now
  python -m evals play --transcripts T.jsonl --out reports/surer --set ANSWERABLE_ABOVE=0.9
"""
HANDED_OVER = "a human holds the conversation"
TOO_LATE = "no reply in time"
TRIES = 3
MOST_TOLD = 20
"""Lines of a file that are named when they cannot be used; the others are counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--transcripts", type=Path, required=True, nargs="+", metavar="FILE", help="labelled conversations")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    add_setup(parser)


def add_setup(parser: argparse.ArgumentParser) -> None:
    """The options that say which bot is played."""
    knowledge = parser.add_mutually_exclusive_group()
    knowledge.add_argument("--data-dir", type=Path, metavar="DIR", help="use the index of this data folder as it is")
    knowledge.add_argument("--articles", type=Path, metavar="DIR", help="help articles (default: ARTICLES_DIR)")
    parser.add_argument("--prompts", type=Path, metavar="DIR", help="folder of prompts (default: the product's)")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="settings that differ")
    parser.add_argument("--answers", type=Path, metavar="DIR", help="keep providers' answers here, and use those kept")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="conversations at the same time (4)")


def run(arguments: argparse.Namespace) -> str:
    """Play and store; says where. Raises FileInvalid, SettingsInvalid, PromptInvalid or a KnowledgeError."""
    sources, transcripts = read_sources(arguments.transcripts)
    setup = read_options(arguments)
    began = time.perf_counter()
    try:
        played = asyncio.run(play(setup, sources, transcripts, arguments.out, arguments.jobs))
    except KeyboardInterrupt:
        raise FileInvalid(f"{arguments.out}: stopped; the same command goes on from here") from None
    turns = sum(len(one.turns) for one in transcripts)
    kept = f" ({len(transcripts) - played} conversations were played before)" if played < len(transcripts) else ""
    seconds = time.perf_counter() - began
    return f"{len(transcripts)} conversations, {turns} turns in {arguments.out}{kept}, {seconds:.1f} s"


def read_options(arguments: argparse.Namespace) -> Setup:
    """The bot that the options describe. Raises FileInvalid."""
    pairs = [one.partition("=") for one in arguments.set]
    if bad := [name for name, sign, _ in pairs if not sign]:
        raise FileInvalid(f"--set {bad[0]}: write NAME=VALUE")
    return Setup(
        settings={name: value for name, _, value in pairs},
        data_dir=arguments.data_dir,
        articles=arguments.articles,
        prompts=arguments.prompts,
        answers=arguments.answers,
        cache=CACHE,
    )


def read_sources(files: Sequence[Path]) -> tuple[tuple[Source, ...], list[Transcript]]:
    """The transcripts of all files; a line or a file that cannot be used is told and left out.

    Raises FileInvalid when a file is missing, nothing is left of all, or an id stands in two of them.
    """
    sources, transcripts = [], []
    for file in files:
        if mine := _read_source(file, alone=len(files) == 1):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
            sources.append(Source(name=file.name, sha256=digest, conversations=len(mine)))
            transcripts += mine
    if not transcripts:
        raise FileInvalid(f"{', '.join(file.name for file in files)}: none holds a conversation that can be played")
    known: set[str] = set()
    for one in transcripts:
        if one.id in known:
            raise FileInvalid(f"the id '{one.id}' stands in two of {', '.join(file.name for file in files)}")
        known.add(one.id)
    return tuple(sources), transcripts


def _read_source(file: Path, *, alone: bool) -> list[Transcript]:
    """The transcripts that can be used; what cannot is told. Raises FileInvalid where it is the only file, or missing."""
    problems: list[str] = []
    try:
        return read_rows(file, Transcript, {"intents": intent_names(), "labelled": True}, problems)
    except FileInvalid as unusable:
        problems = []
        if alone or not file.exists():
            raise
        problems = [str(unusable)]
        return []
    finally:
        for problem in problems[:MOST_TOLD]:
            tqdm.write(f"left out: {problem}", file=sys.stderr)
        if len(problems) > MOST_TOLD:
            tqdm.write(f"left out: {len(problems) - MOST_TOLD} more lines of {file}", file=sys.stderr)


async def play(
    setup: Setup, sources: tuple[Source, ...], transcripts: Sequence[Transcript], out: Path, jobs: int = 4
) -> int:
    """Play what the folder does not hold yet; how many conversations those were."""
    async with open_player(setup) as player:
        folder = RunFolder(out, player.manifest(sources), transcripts)
        missing = folder.missing()
        places = asyncio.Semaphore(max(1, jobs))
        with tqdm(total=sum(len(one.turns) for one in missing), desc="play", unit="turn", disable=None, leave=False) as bar:

            async def one(transcript: Transcript) -> None:
                async with places:
                    folder.keep(*await _play_patiently(player, transcript))
                    bar.update(len(transcript.turns))

            await _all(one(transcript) for transcript in missing)
    folder.finish()
    return len(missing)


async def _play_patiently(player: Player, transcript: Transcript) -> tuple[Played, Times]:
    """A conversation, from the start again where the machine was too busy: that says nothing of the bot.

    Raises LogUnavailable when it is too busy each time.
    """
    for _ in range(TRIES - 1):
        try:
            played, times = await play_conversation(player, transcript)
        except LogUnavailable:
            continue
        if all(turn.failure != TOO_LATE for turn in played.turns):
            return played, times
    return await play_conversation(player, transcript)


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do it all at once; the first failure stops the rest and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def play_conversation(player: Player, transcript: Transcript) -> tuple[Played, Times]:
    """One conversation, turn by turn, until a human takes it over."""
    conversation = ConversationId(uuid4().hex)
    turns: list[PlayedTurn] = []
    times: list[TurnTimes] = []
    held = False
    customer = CustomerId(f"visitor-evals-{conversation}")
    if transcript.flags:
        await player.bot.log.open(conversation, customer)
        known = {"flags": list(transcript.flags)}
        event = Draft(conversation=conversation, speaker=Speaker.SYSTEM, kind=Kind.EVENT, text="", data=known)
        await player.bot.log.append(event)
    for turn in transcript.turns:
        if held:
            turns.append(PlayedTurn(asked=turn.customer, failure=HANDED_OVER))
            times.append(TurnTimes(first_ms=None, took_ms=None))
            continue
        played, took = await _play_turn(player.bot, conversation, customer, turn.customer)
        turns.append(played)
        times.append(took)
        held = played.handed_over or await _is_held(player.bot, conversation)
    return Played(id=transcript.id, turns=tuple(turns)), Times(id=transcript.id, turns=tuple(times))


async def _play_turn(
    bot: Bot, conversation: ConversationId, customer: CustomerId, text: str
) -> tuple[PlayedTurn, TurnTimes]:
    began = time.perf_counter()
    try:
        asked = await bot.accept(conversation, customer, text)
        entries = await _hear(bot, asked)
    except MessageRefused as refused:
        return PlayedTurn(asked=text, failure=refused.reason), TurnTimes(first_ms=None, took_ms=None)
    except (FrontdeskError, TimeoutError) as failure:
        tqdm.write(f"{conversation}: {type(failure).__name__} {failure}", file=sys.stderr)
        return PlayedTurn(asked=text, failure=TOO_LATE), TurnTimes(first_ms=None, took_ms=None)
    took = (time.perf_counter() - began) * 1e3
    said = tuple(_said(entry, asked) for entry in entries)
    writing = next((entry.data.get("turn", {}).get("writing") for entry in entries if entry.answers == asked.seq), None)
    first = (writing or {}).get("first_shown_ms") or took
    return PlayedTurn(asked=text, said=said), TurnTimes(first_ms=round(first, 1), took_ms=round(took, 1))


async def _hear(bot: Bot, asked: Entry) -> list[Entry]:
    """What follows a message, up to and with the entry that settles it."""
    heard = []
    async with asyncio.timeout(bot.settings.turn_seconds + 5):
        async for entry in bot.log.follow(asked.conversation, asked.seq):
            if entry.speaker is not Speaker.CUSTOMER:
                heard.append(entry)
            if entry.answers == asked.seq:
                break
    return heard


def _said(entry: Entry, asked: Entry) -> Said:
    return Said(
        speaker=entry.speaker,
        kind=entry.kind,
        text=unnumbered(entry.text),
        data=timeless(entry.data),
        answers=entry.answers == asked.seq,
    )


async def _is_held(bot: Bot, conversation: ConversationId) -> bool:
    known = await bot.log.conversation(conversation)
    return known is not None and known.holder is not Holder.BOT
