"""What is remembered of a conversation, worked out entry by entry: no I/O. The same entries always give the same memory."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from bot.domain import ConversationId, Entry, Holder, Kind, Outcome, Speaker
from bot.facts import VALUE_CHARS, FactReader
from bot.llm.tokens import PER_LINE, estimate_tokens
from bot.sentiment import Trend, read_trend

SHARE_OF_TURNS = 0.6
"""Share of the budget that recent turns may take; the rest is for the summary."""
VALUES = 3
"""Values kept of one kind of fact: the latest."""
FACTS, STATEMENTS, NEEDS, NOTES, MOODS = 40, 12, 12, 8, 8
"""How many of each are kept: the latest; of the needs, those still open before the others."""
_STATEMENT = "said"
_MARKS = re.compile(r"\s?\[\d{1,2}\]")
_NOTHING_WANTED = frozenset({Outcome.GREETED, Outcome.WARNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of the recent turns; a long one has lost its middle."""

    seq: int
    speaker: Speaker
    text: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that this conversation established: what, its value, and the entry that says so."""

    name: str
    value: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the customer wants; `reply` is the entry that answered it last."""

    text: str
    seq: int
    is_open: bool = True
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Words of the conversation worth keeping, with their entry."""

    text: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A conversation up to entry `seq`, in bounded room whatever its length.

    `fell_out` is the last entry that is no longer among the recent turns; `told` are a model's words for what fell out up to
    `told_to`, empty where no model was asked.
    """

    conversation: ConversationId
    seq: int = 0
    said: tuple[Said, ...] = ()
    fell_out: int = 0
    facts: tuple[Fact, ...] = ()
    needs: tuple[Need, ...] = ()
    tried: tuple[Note, ...] = ()
    promised: tuple[Note, ...] = ()
    frustrations: tuple[float, ...] = ()
    holder: Holder = Holder.BOT
    told: str = ""
    told_to: int = 0

    @property
    def trend(self) -> Trend:
        """Where the customer's mood is heading."""
        return read_trend(self.frustrations)

    @property
    def unresolved(self) -> tuple[Need, ...]:
        """What the customer wants and has not got, the oldest first."""
        return tuple(need for need in self.needs if need.is_open)


class Rememberer:
    """Folds entries into a memory whose recent turns fit into their share of the budget (tokens)."""

    def __init__(self, reader: FactReader, budget: int) -> None:
        self._reader = reader
        self._room = int(budget * SHARE_OF_TURNS)

    def fold(self, memory: Memory, entries: Iterable[Entry]) -> Memory:
        """The memory with the entries that follow it; one that it has already is passed over, a gap ends it."""
        for entry in entries:
            if entry.seq == memory.seq + 1:
                memory = self._take(memory, entry)
            elif entry.seq > memory.seq:
                break
        return memory

    def _take(self, memory: Memory, entry: Entry) -> Memory:
        memory = replace(memory, seq=entry.seq, holder=_holder(entry, memory.holder))
        if entry.kind is Kind.FEEDBACK:
            return _rated(memory, entry)
        if entry.kind is Kind.NOTICE and entry.answers is not None:
            return _answered(memory, entry)
        if entry.kind is not Kind.MESSAGE or not entry.text:
            return memory  # notes and events are the staff's, and what was erased says nothing
        memory = self._recent(memory, entry)
        if entry.speaker is Speaker.CUSTOMER:
            return self._asked(memory, entry)
        memory = replace(memory, promised=_latest(memory.promised, self._reader.promised(_plain(entry.text)), entry.seq))
        return _answered(memory, entry)

    def _recent(self, memory: Memory, entry: Entry) -> Memory:
        said = (*memory.said, _said(entry, self._room // 2))
        fallen = memory.fell_out
        while sum(one.tokens for one in said) > self._room and len(said) > 1:
            fallen, said = said[0].seq, said[1:]
        return replace(memory, said=said, fell_out=fallen)

    def _asked(self, memory: Memory, entry: Entry) -> Memory:
        text = entry.text
        memory = replace(memory, tried=_latest(memory.tried, self._reader.tried(text), entry.seq))
        for found in self._reader.facts(text):
            memory = replace(memory, facts=_with(memory.facts, Fact(name=found.name, value=found.value, seq=entry.seq)))
        if self._reader.is_unhelped(text):
            return _reopened(memory)
        if self._reader.is_helped(text):
            return _helped(memory)
        need = Need(text=_shorten(text, VALUE_CHARS), seq=entry.seq)
        return replace(memory, needs=_bounded((*memory.needs, need)))


def _answered(memory: Memory, entry: Entry) -> Memory:
    """What a reply or a notice means for the need it answers, and what its tools found out."""
    for fact in facts_of_tools(entry):
        memory = replace(memory, facts=_with(memory.facts, fact))
    outcome, turn = entry.data.get("outcome"), entry.data.get("turn") or {}
    needs: list[Need] = []
    for need in memory.needs:
        if need.seq != entry.answers:
            needs.append(need)
        elif outcome not in _NOTHING_WANTED:
            text = _shorten(str(turn.get("question") or need.text), VALUE_CHARS)
            needs.append(replace(need, text=text, is_open=outcome != Outcome.ANSWERED, reply=entry.id))
    return replace(memory, needs=tuple(needs), frustrations=(*memory.frustrations, *_frustration(turn))[-MOODS:])


def facts_of_tools(entry: Entry) -> list[Fact]:
    """What the tools of a turn established, as its reply's entry holds it: `facts`, a list of names and values."""
    listed = entry.data.get("facts")
    pairs = [pair for pair in listed if isinstance(pair, list) and len(pair) == 2] if isinstance(listed, list) else []
    return [Fact(name=str(name)[:40], value=_shorten(str(value), VALUE_CHARS), seq=entry.seq) for name, value in pairs]


def _rated(memory: Memory, entry: Entry) -> Memory:
    """A thumb down opens the need again, a thumb up closes it."""
    value, of = entry.data.get("value"), entry.data.get("of")
    if value not in (0, 1):
        return memory
    return replace(
        memory, needs=tuple(replace(need, is_open=value == 0) if need.reply == of else need for need in memory.needs)
    )


def _reopened(memory: Memory) -> Memory:
    """The customer says that it did not help: what they wanted last is open again."""
    return replace(memory, needs=(*memory.needs[:-1], *(replace(need, is_open=True) for need in memory.needs[-1:])))


def _helped(memory: Memory) -> Memory:
    return replace(memory, needs=(*memory.needs[:-1], *(replace(need, is_open=False) for need in memory.needs[-1:])))


def _bounded(needs: Sequence[Need]) -> tuple[Need, ...]:
    """At most so many: the oldest that is settled goes first, then the oldest."""
    if len(needs) <= NEEDS:
        return tuple(needs)
    out = next((need for need in needs if not need.is_open), needs[0])
    return tuple(need for need in needs if need is not out)


def _with(facts: tuple[Fact, ...], new: Fact) -> tuple[Fact, ...]:
    """The facts with a new one; said again it keeps its first entry, and of one kind only the latest few are kept."""
    same = [fact for fact in facts if fact.name == new.name]
    if any(fact.value.casefold() == new.value.casefold() for fact in same):
        return facts
    is_statement = new.name == _STATEMENT
    if is_statement:  # "my router is in the cellar", and later "my router is in the hall"
        facts = tuple(fact for fact in facts if fact.name != new.name or _subject(fact) != _subject(new))
    most = STATEMENTS if is_statement else VALUES
    gone = [fact for fact in facts if fact.name == new.name][: -(most - 1)]
    return (*(fact for fact in facts if fact not in gone), new)[-FACTS:]


def _subject(fact: Fact) -> str:
    return re.split(r" (?:is|are|was|has|have|runs|sits|lives|works) ", fact.value.casefold())[0]


def _latest(notes: tuple[Note, ...], texts: Sequence[str], seq: int) -> tuple[Note, ...]:
    return reduce(lambda kept, text: (*kept, Note(text=text, seq=seq))[-NOTES:], texts, notes)


def _said(entry: Entry, most: int) -> Said:
    text = _plain(entry.text) if entry.speaker is Speaker.BOT else entry.text
    while (tokens := PER_LINE + estimate_tokens(text)) > most:
        keep = max(10, int(len(text) * most / tokens) - 10)
        text = f"{text[: keep * 2 // 3]} … {text[-(keep // 3) :]}"
    return Said(seq=entry.seq, speaker=entry.speaker, text=text, tokens=tokens)


def _plain(text: str) -> str:
    return _MARKS.sub("", text)


def _shorten(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _holder(entry: Entry, before: Holder) -> Holder:
    holder = entry.data.get("holder")
    return Holder(holder) if holder in set(Holder) else before


def _frustration(turn: Any) -> tuple[float, ...]:  # noqa: ANN401  (an entry's data)
    reading = turn.get("reading") if isinstance(turn, dict) else None
    value = reading.get("frustration") if isinstance(reading, dict) else None
    return (float(value),) if isinstance(value, int | float) else ()
