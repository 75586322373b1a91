"""Entries of the log as the steps that Chainlit's page shows. Nothing here does I/O, and nothing of a trace is shown."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.domain import SHOWN_TO_CUSTOMERS, Conversation, ConversationId, Entry, EntryId, Kind, Speaker
from bot.webchat.citations import cite, plain_colons

Step = dict[str, Any]

COLLEAGUE = "Colleague"
_SIGN = re.compile(r"([!-/:-@\[-`{-~])")
"""The signs that can mean something in Markdown; each may be escaped."""
_RUN = "turn-"
"""A reply is shown inside a run step, because the page's thumbs rate runs; this and the entry's id name the run."""


def show_entry(entry: Entry, assistant: str, thumb: int | None = None) -> Step | None:
    """The step of one entry, or None if it is not shown. `thumb` is the customer's rating of it, if there is one."""
    if entry.kind not in SHOWN_TO_CUSTOMERS:
        return None
    if entry.speaker is Speaker.CUSTOMER:
        return _step(entry, entry.client_id or entry.id, "user_message", "You", entry.text)
    if entry.kind is Kind.NOTICE or entry.speaker is Speaker.SYSTEM:
        return _step(entry, f"notice-{entry.id}", "system_message", assistant, plain_colons(entry.text))
    if entry.speaker is Speaker.AGENT:
        return _step(entry, f"reply-{entry.id}", "assistant_message", read_author(entry), show_agents_words(entry))
    text = cite(entry.text, entry.data.get("citations", ()))
    return _run(entry, _step(entry, f"reply-{entry.id}", "assistant_message", assistant, text), thumb)


def read_author(entry: Entry) -> str:
    """The name of the person who said it, as customers read it."""
    return str(entry.data.get("author") or COLLEAGUE)


def show_agents_words(entry: Entry) -> str:
    """What a person typed, as text; a suggested reply, which has citations, as the bot's own. No picture in either."""
    if citations := entry.data.get("citations"):
        return cite(entry.text.replace("![", "!\\["), citations)
    return _SIGN.sub(r"\\\1", entry.text)


def show_unfinished(conversation: ConversationId, assistant: str, answers: int, text: str, begun: datetime) -> Step:
    """The step of a reply to message `answers` that is being written; it is not in the log and says nothing of it."""
    return {
        "id": f"writing-{conversation}-{answers}",
        "threadId": conversation,
        "type": "assistant_message",
        "name": assistant,
        "output": plain_colons(text),
        "createdAt": begun.isoformat(),
        "streaming": True,
        "metadata": {},
    }


def show_conversation(conversation: Conversation, entries: Sequence[Entry], assistant: str) -> dict[str, Any]:
    """A conversation as the page resumes it (Chainlit's ThreadDict)."""
    thumbs = read_thumbs(entries)
    steps = (show_entry(entry, assistant, thumbs.get(entry.id)) for entry in entries)
    return {
        **show_title(conversation),
        "steps": [step for step in steps if step],
        "elements": [],
    }


def show_title(conversation: Conversation) -> dict[str, Any]:
    """A conversation as a line of the history; the page sorts by `createdAt`, so it is the latest entry's time."""
    return {
        "id": conversation.id,
        "createdAt": conversation.updated.isoformat(),
        "name": conversation.title,
        "userId": conversation.customer,
        "userIdentifier": conversation.customer,
        "tags": [],
        "metadata": {},
        "steps": [],
        "elements": [],
    }


def read_thumbs(entries: Iterable[Entry]) -> dict[EntryId, int]:
    """The customer's latest rating of each reply; one that was taken back is left out."""
    latest = {entry.data.get("of"): entry.data.get("value") for entry in entries if entry.kind is Kind.FEEDBACK}
    return {of: value for of, value in latest.items() if of is not None and value is not None}


def rated_entry(run: str) -> EntryId | None:
    """The entry that a thumb's `forId` means, or None if it names no reply."""
    return EntryId(run.removeprefix(_RUN)) if run.startswith(_RUN) else None


def _run(entry: Entry, reply: Step, thumb: int | None) -> Step:
    run = _step(entry, _RUN + entry.id, "run", "on_message", "")
    run["end"] = run["createdAt"]
    run["steps"] = [{**reply, "parentId": run["id"]}]
    if thumb is not None:
        run["feedback"] = {"id": run["id"], "forId": run["id"], "value": thumb}
    return run


def _step(entry: Entry, step_id: str, kind: str, name: str, text: str) -> Step:
    """A step as the page takes it; `metadata` tells where in the log it stands, and nothing else."""
    return {
        "id": step_id,
        "threadId": entry.conversation,
        "type": kind,
        "name": name,
        "output": text,
        "createdAt": entry.at.isoformat(),
        "streaming": False,
        "metadata": {"seq": entry.seq, "answers": entry.answers},
    }
