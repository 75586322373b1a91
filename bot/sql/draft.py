"""From draft to entry, and what every log says alike: what can be stored, what waits for an answer, what is a title."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain import Draft, Entry, EntryId, Kind, Speaker
from bot.errors import MessageUnreadable

ID_MAX_CHARS = 200
TITLE_CHARS = 80
SEQ_MAX = 2**62
"""No sequence number is above this; more would not fit into a column."""
# Neither can stand in PostgreSQL's text, and a lone surrogate not in UTF-8 either.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# The same NUL inside JSON, where it is escaped; a backslash before it may itself be escaped.
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def is_storable_id(text: str) -> bool:
    """Whether the text can be an id in the log; one that cannot names nothing there."""
    return 0 < len(text) <= ID_MAX_CHARS and not UNSTORABLE.search(text)


def check_draft(draft: Draft) -> Draft:
    """The draft with its data as it will be read back.

    Raises MessageUnreadable when text, data or an id cannot be stored; TypeError or ValueError when data is not JSON
    or `answers` can be no entry's number.
    """
    if draft.answers is not None and not 1 <= draft.answers <= SEQ_MAX:
        raise ValueError(f"answers={draft.answers} names no entry of conversation {draft.conversation!r}")
    ids = (draft.client_id, draft.moves_to.agent if draft.moves_to else None)
    if UNSTORABLE.search(draft.text) or not all(id is None or is_storable_id(id) for id in ids):
        raise MessageUnreadable
    if not draft.data:
        return draft
    stored = json.dumps(dict(draft.data), ensure_ascii=False, allow_nan=False)
    if UNSTORABLE.search(stored) or ESCAPED_NUL.search(stored):
        raise MessageUnreadable
    return replace(draft, data=json.loads(stored))


def is_question(said: Draft | Entry) -> bool:
    """Whether it is a customer's message, which waits for an answer."""
    return said.speaker is Speaker.CUSTOMER and said.kind is Kind.MESSAGE


def title_of(draft: Draft) -> str:
    """What the conversation is called if this is its first message: its beginning on one line; else nothing."""
    return " ".join(draft.text.split())[:TITLE_CHARS] if is_question(draft) else ""


def data_of(draft: Draft) -> Mapping[str, Any]:
    """The data of the entry: the draft's own, and whom the conversation passes to."""
    held = draft.moves_to
    return draft.data if held is None else {**draft.data, "holder": held.holder.value, "agent": held.agent}


def enter(draft: Draft, id: EntryId, seq: int, at: datetime) -> Entry:
    """The entry that the draft becomes."""
    return Entry(
        conversation=draft.conversation,
        seq=seq,
        id=id,
        speaker=draft.speaker,
        kind=draft.kind,
        text=draft.text,
        data=data_of(draft),
        at=at,
        client_id=draft.client_id,
        answers=draft.answers,
    )
