"""Conversations from elsewhere as transcripts to label: chat exports in CSV or JSON lines, personal data masked."""

import csv
import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from bot.personal import mask
from evals.formats import FileInvalid
from evals.transcripts import CustomerTurn, Transcript, text_id

CUSTOMER = frozenset("customer user visitor client guest caller".split())
OTHERS = frozenset("bot assistant ai agent adviser advisor operator staff support".split())
UNSAID = frozenset("system tool function notice".split())
COLUMNS = {
    "conversation": ("conversation", "conversation_id", "chat", "chat_id"),
    "role": ("role", "speaker", "sender", "author"),
    "text": ("text", "message", "content", "body"),
}
UTF8 = "utf-8-sig"
_SEPARATOR = re.compile(r"\Asep=.\n", re.IGNORECASE)
"""A first line by which Excel is told what stands between cells."""
_APART = re.compile(r"[ -]+")
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an export; `is_customer` tells who said it."""

    conversation: str
    is_customer: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of an export: how many conversations had no customer or said what another had said, what was masked."""

    transcripts: tuple[Transcript, ...]
    silent: int
    repeated: int
    masked: Mapping[str, int]


def read_csv(file: Path, encoding: str = UTF8) -> list[Message]:
    """The messages of a CSV file with a header, in order; comma, semicolon or tab. Raises FileInvalid."""
    text = _SEPARATOR.sub("", _text(file, encoding))
    if not text.strip():
        raise FileInvalid(f"{file}: the file has no rows")
    table = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t", key=text.partition("\n")[0].count), strict=True)
    messages: list[Message] = []
    try:
        header = [_APART.sub("_", name.strip().casefold()) for name in next(table)]
        places = {column: _place(file, column, header) for column in COLUMNS}
        for row in table:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise FileInvalid(f"{file}:{table.line_num}: {len(row)} cells under {len(header)} columns")
            cells = {column: row[place] for column, place in places.items()}
            messages += _message(f"{file}:{table.line_num}", **cells)
    except csv.Error as error:
        why = "a quotation mark is opened and never closed" if "end of data" in str(error) else error
        raise FileInvalid(f"{file}:{table.line_num}: {why}") from None
    return messages


def read_json_lines(file: Path, encoding: str = UTF8) -> list[Message]:
    """The messages of a chat export: a conversation a line (`messages`) or a message a line. Raises FileInvalid."""
    messages: list[Message] = []
    for number, line in enumerate(_text(file, encoding).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FileInvalid(f"{place}: not one whole JSON object ({error})") from None
        if not isinstance(row, dict):
            raise FileInvalid(f"{place}: not a JSON object")
        listed = row.get("messages")
        if listed is None:
            messages += _json_message(place, row, None)
        elif isinstance(listed, list) and all(isinstance(one, dict) for one in listed):
            messages += [found for one in listed for found in _json_message(place, one, f"line {number}")]
        else:
            raise FileInvalid(f"{place}: 'messages' is not a list of objects with role and text")
    return messages


def as_transcripts(messages: Iterable[Message], *, keep_personal: bool = False, country: str = "GB") -> Imported:
    """A transcript for each conversation, in the order in which they begin; those that say the same are taken once."""
    conversations: dict[str, list[Message]] = {}
    for one in messages:
        conversations.setdefault(one.conversation, []).append(one)
    masked: Counter[str] = Counter()
    transcripts: dict[str, Transcript] = {}
    silent = repeated = 0
    for said in conversations.values():
        clean = said if keep_personal else [_mask(one, country, masked) for one in said]
        if not (turns := _turns(clean)):
            silent += 1
            continue
        transcript = Transcript(id="unnamed", turns=turns)
        repeated += text_id(transcript) in transcripts
        transcripts.setdefault(text_id(transcript), transcript.model_copy(update={"id": text_id(transcript)}))
    return Imported(transcripts=tuple(transcripts.values()), silent=silent, repeated=repeated, masked=masked)


def _turns(said: Sequence[Message]) -> tuple[CustomerTurn, ...]:
    """One turn for each message of the customer, with what was said to it; a greeting before the first is left out."""
    turns: list[tuple[str, list[str]]] = []
    for one in said:
        if one.is_customer:
            turns.append((one.text, []))
        elif turns:
            turns[-1][1].append(one.text)
    return tuple(
        CustomerTurn(customer=text, reply="\n".join(replies)) if replies else CustomerTurn(customer=text)
        for text, replies in turns
    )


def _mask(one: Message, country: str, counted: Counter[str]) -> Message:
    masked = mask(one.text, country)
    counted.update(str(span.kind) for span in masked.found)
    return Message(conversation=one.conversation, is_customer=one.is_customer, text=masked.text)


def _message(place: str, conversation: str, role: str, text: str) -> Iterator[Message]:
    """The message, or nothing where nobody said anything."""
    who = role.strip().casefold()
    if who not in CUSTOMER | OTHERS | UNSAID:
        known = ", ".join([*sorted(CUSTOMER), *sorted(OTHERS), *sorted(UNSAID)])
        raise FileInvalid(f"{place}: who is '{role}'? Roles are {known}")
    if not conversation.strip():
        raise FileInvalid(f"{place}: the conversation has no name")
    if text.strip() and who not in UNSAID:
        yield Message(conversation=conversation.strip(), is_customer=who in CUSTOMER, text=text.strip())


def _json_message(place: str, row: Mapping[str, Any], conversation: str | None) -> Iterator[Message]:
    found = {column: next((row[name] for name in names if name in row), None) for column, names in COLUMNS.items()}
    of = conversation or found["conversation"]
    role, text = found["role"], found["text"]
    if of is None or not isinstance(role, str) or not isinstance(text, str):
        raise FileInvalid(f"{place}: a message needs role and text, and conversation where it stands alone")
    return _message(place, str(of), role, text)


def _place(file: Path, column: str, header: Sequence[str]) -> int:
    place = next((header.index(name) for name in COLUMNS[column] if name in header), None)
    if place is None:
        raise FileInvalid(f"{file}:1: no column '{column}' ({' or '.join(COLUMNS[column])}); there are {', '.join(header)}")
    return place


def _text(file: Path, encoding: str) -> str:
    """What the file says: a mark at its beginning tells UTF-8 and UTF-16, else it is what it was said to be."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise FileInvalid(f"{file}: there is no such file") from None
    except OSError as error:
        raise FileInvalid(f"{file}: cannot be read ({error.strerror})") from None
    known = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else encoding
    try:
        text = content.decode(UTF8 if content.startswith(BOM_UTF8) else known)
    except LookupError:
        raise FileInvalid(f"--encoding {encoding}: there is no such encoding") from None
    except UnicodeError as broken:
        line = content.count(b"\n", 0, broken.start if isinstance(broken, UnicodeDecodeError) else 0) + 1
        raise FileInvalid(
            f"{file}: not {'UTF-8' if known == UTF8 else known} text (line {line}); save it as UTF-8 or name its encoding, "
            "for instance --encoding cp1252 for a CSV that Excel saved"
        ) from None
    if "\0" in text[:_LOOKED_AT]:
        raise FileInvalid(f"{file}: holds no text, or in another encoding; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
