"""`python -m evals import`: real conversations as transcripts to label, from the log, CSV or chat exports."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from bot.domain import ConversationId, Entry, Kind, Speaker
from bot.log import ConversationLog
from bot.settings import Settings, read_settings
from bot.sql.log import open_log
from bot.sql.sqlite import FILE_NAME
from evals.blank import write_new
from evals.chats import UTF8, Imported, Message, as_transcripts, read_csv, read_json_lines
from evals.formats import FileInvalid

SUMMARY = "takes real conversations from the log, CSV or chat exports for labelling"
DESCRIPTION = """\
Write real conversations as transcripts without labels, for `python -m evals label`. Cards, accounts, e-mail addresses,
phone numbers and the like are masked as the chat masks them; names and postal addresses cannot be found that way, so
read the file before you share it. Conversations in which the customer says the same are taken once.

  --log          the database of DATABASE_URL, or else of DATA_DIR: those answered latest, at most --limit
  --csv FILE     columns conversation, role, text, in the order in which it was said
  --chats FILE   JSON lines: {"messages": [{"role": "customer", "text": "hi"}]}, or
                 {"conversation": "7", "role": "customer", "text": "hi"}
"""
_PAGE = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--log", action="store_true", help="this installation's conversations")
    source.add_argument("--csv", type=Path, metavar="FILE", help="a table of messages")
    source.add_argument("--chats", type=Path, metavar="FILE", help="a chat export: .jsonl")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file for the transcripts")
    parser.add_argument("--encoding", default=UTF8, metavar="NAME", help="of a CSV or export that is not UTF-8, as cp1252")
    parser.add_argument("--keep-personal", action="store_true", help="mask nothing")
    parser.add_argument("--limit", type=int, default=500, metavar="N", help="most conversations from the log (500)")


def run(arguments: argparse.Namespace) -> str:
    """Read, mask, write, and say what became of it. Raises FileInvalid, LogUnavailable or SettingsInvalid."""
    settings = read_settings()
    if arguments.csv:
        messages = read_csv(arguments.csv, arguments.encoding)
    elif arguments.chats:
        messages = read_json_lines(arguments.chats, arguments.encoding)
    else:
        messages = asyncio.run(_read_log(settings, arguments.limit))
    imported = as_transcripts(messages, keep_personal=arguments.keep_personal, country=settings.country)
    if not imported.transcripts:
        raise FileInvalid("there is no conversation in which a customer says something")
    write_new(arguments.out, list(imported.transcripts))
    return _summary(imported, arguments)


def _summary(imported: Imported, arguments: argparse.Namespace) -> str:
    messages = sum(len(one.turns) for one in imported.transcripts)
    lines = [f"{len(imported.transcripts)} conversations, {messages} messages of customers in {arguments.out}"]
    if imported.silent:
        lines.append(f"left out: {imported.silent} in which no customer says anything")
    if imported.repeated:
        lines.append(f"left out: {imported.repeated} that say what another one says")
    if arguments.keep_personal:
        lines.append("nothing was masked: the file holds personal data")
    else:
        hidden = ", ".join(f"{count} x {kind}" for kind, count in sorted(imported.masked.items())) or "nothing"
        lines.append(f"masked: {hidden}. Names and postal addresses are not: read the file before you share it")
    return "\n".join(lines)


async def _read_log(settings: Settings, limit: int) -> list[Message]:
    if not settings.database_url and not (settings.data_dir / FILE_NAME).exists():
        raise FileInvalid(f"{settings.data_dir}: holds no conversations yet; set DATA_DIR or DATABASE_URL to where they are")
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    try:
        return [message async for message in read_log(log, limit)]
    finally:
        await log.close()


async def read_log(log: ConversationLog, limit: int) -> AsyncIterator[Message]:
    """The messages of the conversations that were answered latest. Raises LogUnavailable."""
    for conversation in await _latest(log, limit):
        seq = 0
        while page := await log.after(conversation, seq, _PAGE):
            seq = page[-1].seq
            for entry in page:
                if entry.kind is Kind.MESSAGE and entry.text.strip():
                    is_customer = entry.speaker is Speaker.CUSTOMER
                    yield Message(conversation=conversation, is_customer=is_customer, text=entry.text)


async def _latest(log: ConversationLog, limit: int) -> list[ConversationId]:
    found: dict[ConversationId, None] = {}
    before: Entry | None = None
    while len(found) < limit and (page := await log.latest_replies(_PAGE, before)):
        found |= {entry.conversation: None for entry in page}
        before = page[-1]
    return list(found)[:limit]
