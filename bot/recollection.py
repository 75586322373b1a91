"""A memory as a prompt holds it: recent turns word for word, and a summary of what came before, within a token budget."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain import Entry, Speaker
from bot.llm.stream import Line
from bot.llm.tokens import estimate_tokens
from bot.remembering import Memory, Said

_NAMES = {"said": "the customer said"}
TOLD_SHARE = 0.5
"""Share of the summary's room that a model's own words may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What goes into a prompt: `summary` for the system's part, one statement a line, and the turns after it."""

    summary: str
    turns: tuple[Said, ...]

    @property
    def tokens(self) -> int:
        """What both take."""
        return estimate_tokens(self.summary) + sum(said.tokens for said in self.turns)


def recollect(memory: Memory, asked: Entry, budget: int) -> Recollection:
    """What a prompt that answers `asked` may hold of the memory, in at most `budget` tokens. Facts come first."""
    turns = [said for said in memory.said if said.seq < asked.seq]
    left = budget - sum(said.tokens for said in turns)
    while left < 0 and turns:
        left += turns.pop(0).tokens
    fell_out = turns[0].seq - 1 if turns else asked.seq
    return Recollection(summary="\n".join(_fitting(memory, fell_out, left)), turns=tuple(turns))


def _fitting(memory: Memory, fell_out: int, room: int) -> Iterator[str]:
    told_room = room * TOLD_SHARE
    for line in _lines(memory, fell_out):
        is_told = line == memory.told
        tokens = estimate_tokens(line) + 1
        if tokens <= (told_room if is_told else room):
            room -= tokens
            yield line


def _lines(memory: Memory, fell_out: int) -> Iterator[str]:
    """Statements about the conversation, the weightiest first; what the recent turns show anyway is not said twice."""
    for fact in memory.facts:
        yield f"{_NAMES.get(fact.name, fact.name)}: {fact.value}"
    for need in memory.unresolved:
        if need.seq <= fell_out:
            yield f"not resolved yet: {need.text}"
    if memory.told:
        yield memory.told
    for note in reversed(memory.promised):
        if note.seq <= fell_out:
            yield f"promised to the customer: {note.text}"
    for note in reversed(memory.tried):
        if note.seq <= fell_out:
            yield f"tried by the customer: {note.text}"
    for need in reversed(memory.needs):
        if not need.is_open and need.seq <= fell_out:
            yield f"answered before: {need.text}"


def as_lines(recollection: Recollection) -> tuple[Line, ...]:
    """The turns as lines of a request, oldest first."""
    return tuple(map(_as_line, recollection.turns))


def _as_line(said: Said) -> Line:
    if said.speaker is Speaker.CUSTOMER:
        return Line(role="customer", text=said.text)
    return Line(role="bot", text=f"(A colleague wrote:) {said.text}" if said.speaker is Speaker.AGENT else said.text)
