"""What the customers saw, and whether the log agrees: a checker in the style of Jepsen's total queue, with order added.

A history is a file of events, one JSON object a line, written by the customers as things happen to them: what they sent,
what was acknowledged, which replies they saw, when the server was killed. Afterwards the log is read through its own API
and compared. What was acknowledged must be there, once, in order and unchanged; what was not acknowledged may be there or
not, but not twice; every message must be settled exactly once.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TextIO

from bot.domain import Entry, Kind, Speaker

Log = Mapping[str, Sequence[Entry]]
"""Entries by conversation, in the order of their sequence numbers."""


class What(StrEnum):
    """What can happen to a customer."""

    SENT = "sent"
    """A message went out; again after a crash, with the same client id."""
    ACKNOWLEDGED = "acknowledged"
    """The server said it has the message, as entry `seq`."""
    REFUSED = "refused"
    REPLY = "reply"
    """The page showed the entry `reply`, which settles the message `seq`."""
    CONNECTED = "connected"
    LOST = "lost connection"
    KILLED = "killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, in seconds since the history began; fields that do not apply are empty."""

    at: float
    what: What
    customer: str = ""
    conversation: str = ""
    client_id: str = ""
    text: str = ""
    seq: int = 0
    reply: str = ""


class History:
    """Writes events to a file as they happen, and keeps them."""

    def __init__(self, file: Path) -> None:
        self.events: list[Event] = []
        self._began = time.monotonic()
        self._file: TextIO = file.open("w", encoding="utf-8")

    def note(self, what: What, **fields: Any) -> None:
        """Write down what happens now; see Event for the fields."""
        self.add(Event(at=round(time.monotonic() - self._began, 4), what=what, **fields))

    def add(self, event: Event) -> None:
        """Write an event down; the file may lack the last ones while it is open."""
        self.events.append(event)
        self._file.write(json.dumps(asdict(event), ensure_ascii=False) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_history(file: Path) -> list[Event]:
    """The events of a history file, in order."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Event(**{**fields, "what": What(fields["what"])}) for fields in map(json.loads, lines)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the checker found; each violation is a sentence that names the message. `counts` says what was compared."""

    violations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing was violated."""
        return not any(self.violations.values())


def check_history(events: Sequence[Event], log: Log) -> Verdict:
    """Compare a finished history with the whole log of its customers."""
    acknowledged = [event for event in events if event.what is What.ACKNOWLEDGED]
    sent = {event.client_id: event for event in reversed(events) if event.what is What.SENT}
    questions = [entry for entries in log.values() for entry in entries if is_question(entry)]
    return Verdict(
        violations={
            "acknowledged and lost": list(find_lost(acknowledged, log)),
            "stored twice": list(find_duplicates(questions)),
            "stored but never sent, or changed": list(find_strange(questions, sent)),
            "out of order": list(find_inversions(events, log)),
            "gaps in the numbers": list(find_gaps(log)),
            "not settled once": list(find_unsettled(log)),
            "reply seen that is not in the log": list(find_phantom_replies(events, log)),
        },
        counts={
            "messages sent": len(sent),
            "sent again after a crash": sum(event.what is What.SENT for event in events) - len(sent),
            "acknowledged": len({event.client_id for event in acknowledged}),
            "refused": sum(event.what is What.REFUSED for event in events),
            "stored": len(questions),
            "replies seen": len({event.reply for event in events if event.what is What.REPLY}),
            "kills": sum(event.what is What.KILLED for event in events),
            "connections lost": sum(event.what is What.LOST for event in events),
        },
    )


def is_question(entry: Entry) -> bool:
    """Whether a customer said it."""
    return entry.speaker is Speaker.CUSTOMER and entry.kind is Kind.MESSAGE


def find_lost(acknowledged: Sequence[Event], log: Log) -> Iterator[str]:
    """Acknowledged messages that are not at the place that was acknowledged."""
    for event in acknowledged:
        places = [entry for entry in log.get(event.conversation, ()) if entry.seq == event.seq]
        if not any(entry.client_id == event.client_id for entry in places):
            yield f"{event.client_id} was acknowledged as {event.conversation} {event.seq}"


def find_duplicates(questions: Sequence[Entry]) -> Iterator[str]:
    """Messages that stand more than once in the log, by their client id or by their text (each text is sent once)."""
    for name, times in Counter(entry.client_id for entry in questions).items():
        if times > 1:
            yield f"client id {name} is stored {times} times"
    for text, times in Counter(entry.text for entry in questions).items():
        if times > 1:
            yield f"{text!r} is stored {times} times"


def find_strange(questions: Sequence[Entry], sent: Mapping[str, Event]) -> Iterator[str]:
    """Messages in the log that no customer sent like that."""
    for entry in questions:
        event = sent.get(entry.client_id or "")
        if event is None or event.text != entry.text:
            yield f"{entry.conversation} {entry.seq} {entry.text!r} was sent as {event.text if event else None!r}"


def find_inversions(events: Sequence[Event], log: Log) -> Iterator[str]:
    """Messages stored, and replies given, in another order than the messages were sent in.

    What counts is when a message was sent first; one that was refused takes its place when it is sent again.
    """
    order: dict[str, int] = {}
    for number, event in enumerate(events):
        if event.what is What.SENT:
            order.setdefault(event.client_id, number)
        elif event.what is What.REFUSED:
            order.pop(event.client_id, None)
    for conversation, entries in log.items():
        places = [(order.get(e.client_id or "", -1), e) for e in entries if is_question(e)]
        for (before, _), (after, entry) in itertools.pairwise(places):
            if after < before:
                yield f"{conversation} {entry.seq} {entry.text!r} was sent before the one above it"
        answered = [entry for entry in entries if entry.answers is not None]
        for above, entry in itertools.pairwise(answered):
            if (entry.answers or 0) < (above.answers or 0):
                yield f"{conversation} {entry.seq} answers {entry.answers} after {above.answers} was answered"


def find_gaps(log: Log) -> Iterator[str]:
    """Conversations whose numbers do not count from 1 without gaps."""
    for conversation, entries in log.items():
        if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
            yield f"{conversation} has the numbers {[entry.seq for entry in entries]}"


def find_unsettled(log: Log) -> Iterator[str]:
    """Messages with no reply or notice, or with several, and replies that settle no message before them."""
    for conversation, entries in log.items():
        settled = Counter(entry.answers for entry in entries if entry.answers is not None)
        questions = {entry.seq for entry in entries if is_question(entry)}
        for seq in sorted(questions):
            if settled[seq] != 1:
                yield f"{conversation} {seq} is settled {settled[seq]} times"
        for entry in entries:
            if entry.answers is not None and (entry.answers not in questions or entry.answers >= entry.seq):
                yield f"{conversation} {entry.seq} answers {entry.answers}, which is no message before it"


def find_phantom_replies(events: Sequence[Event], log: Log) -> Iterator[str]:
    """Replies on the page that the log does not hold as the reply to that message."""
    shown: dict[tuple[str, int], set[str]] = {}
    for event in events:
        if event.what is What.REPLY:
            shown.setdefault((event.conversation, event.seq), set()).add(event.reply)
    for (conversation, seq), replies in shown.items():
        stored = [entry.id for entry in log.get(conversation, ()) if entry.answers == seq]
        if strange := sorted(replies.difference(stored)):
            yield f"{conversation} {seq}: the page showed {strange}, the log has {stored}"
