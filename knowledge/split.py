"""Splits a document into passages: blocks that can be quoted alone, each with its headings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from knowledge.blocks import Block, Kind, read_blocks
from knowledge.document import Document, Passage, PassageId
from knowledge.sentences import split_sentences

# Sizes in words: a passage of 128 of the model's tokens has about 98 English words (1.3 tokens a word).
LONGEST_PARAGRAPH = 98
LONGEST_LIST = 250
LONGEST_PIECE = 400
LONGEST_MERGED = 90
SHORT = 30
LONGEST_OPENER = 45
LONGEST_TAIL = 40
LONGEST_WITH_TAIL = 120
LONGEST_WORD = 15  # letters

WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")  # written without spaces: a character is a word
WORD = re.compile(r"[^\s|]+")
LEANS_BACK = re.compile(
    r"(?:it|its|they|them|their|this|that|these|those|then|otherwise|instead|afterwards?|after that"
    r"|once (?:you|it|that|this)|if (?:it|this|that|they|none|not|so|you still)"
    r"|the same|both|neither|also|so|but|and|or|still|again)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What becomes one or more passages: a block with the text that opens it and the short text that leans on it."""

    block: Block
    opener: str = ""
    tail: str = ""

    @property
    def text(self) -> str:
        """The whole unit as Markdown."""
        return "\n\n".join(filter(None, (self.opener, self.block.text, self.tail)))


def split_document(document: Document) -> tuple[Passage, ...]:
    """The document's passages in reading order; the same content gives the same passages with the same ids."""
    blocks = list(read_blocks(document.text)) or [Block(kind=Kind.PARAGRAPH, heading="", parts=(document.text.strip(),))]
    quotable = [
        (heading, text)
        for heading, group in groupby(blocks, key=lambda block: block.heading)
        for unit in _merge(_join_openers(list(group)))
        for text in _cut(unit)
    ]
    return tuple(
        Passage(
            id=PassageId(f"{document.id}#{position}"),
            document=document.id,
            title=document.title,
            heading=heading,
            text=text,
            position=position,
            category=document.category,
            url=document.url,
        )
        for position, (heading, text) in enumerate(quotable)
    )


def count_words(text: str) -> int:
    """Words as the embedding model roughly sees them: no signs of tables, ideographs one by one."""
    return max(len(WORD.findall(text)) + len(WIDE.findall(text)), len(text) // LONGEST_WORD)


def _join_openers(blocks: Sequence[Block]) -> list[Unit]:
    """Lists, tables and code with the sentence before them and a short sentence after them that leans on them."""
    units: list[Unit] = []
    for block in blocks:
        last = units[-1] if units else None
        if block.kind is Kind.PARAGRAPH:
            if last and last.block.kind is not Kind.PARAGRAPH and not last.tail and _is_tail(last, block.text):
                units[-1] = replace(last, tail=block.text)
            else:
                units.append(Unit(block=block))
        elif last and last.block.kind is Kind.PARAGRAPH:
            rest, opener = _split_opener(last.block.text)
            units[-1:] = [Unit(block=replace(last.block, parts=(rest,)))] if rest else []
            units.append(Unit(block=block, opener=opener))
        elif last and last.tail:  # it opens what follows rather than closes what came before
            units[-1:] = [replace(last, tail=""), Unit(block=block, opener=last.tail)]
        else:
            units.append(Unit(block=block))
    return units


def _is_tail(unit: Unit, paragraph: str) -> bool:
    """Whether a paragraph after a list reads better with it: it is short, or leans on it and is not long."""
    words = count_words(paragraph)
    total = words + count_words(unit.text)
    if paragraph.endswith(":"):
        return False
    if LEANS_BACK.match(paragraph):
        return words <= LONGEST_TAIL and total <= LONGEST_LIST
    return words <= SHORT and total <= LONGEST_WITH_TAIL


def _split_opener(paragraph: str) -> tuple[str, str]:
    """The paragraph without the sentence that opens what follows, and that sentence; a short paragraph opens it whole."""
    if count_words(paragraph) <= LONGEST_OPENER:
        return "", paragraph
    sentences = split_sentences(paragraph)
    return " ".join(sentences[:-1]), sentences[-1]


def _merge(units: Sequence[Unit]) -> Iterator[Unit]:
    """The units, short paragraphs joined with their neighbours."""
    held: Unit | None = None
    for unit in units:
        if held and _belong_together(held, unit):
            held = replace(unit, block=replace(unit.block, parts=(f"{held.text}\n\n{unit.text}",)))
            continue
        if held:
            yield held
        held = unit
    if held:
        yield held


def _belong_together(one: Unit, other: Unit) -> bool:
    if one.block.kind is not Kind.PARAGRAPH or other.block.kind is not Kind.PARAGRAPH:
        return False
    sizes = count_words(one.text), count_words(other.text)
    leans = one.text.endswith(":") or LEANS_BACK.match(other.text)
    return sum(sizes) <= LONGEST_MERGED and (min(sizes) <= SHORT or bool(leans))


def _cut(unit: Unit) -> Iterator[str]:
    """The unit's text, in pieces where it is too long."""
    longest = LONGEST_PARAGRAPH if unit.block.kind is Kind.PARAGRAPH else LONGEST_LIST
    if count_words(unit.text) <= longest:
        yield unit.text
        return
    if unit.block.kind is Kind.PARAGRAPH:
        for pieces in _balance(split_sentences(unit.text), LONGEST_PARAGRAPH):
            yield from _cut_hard(" ".join(pieces))
        return
    room = max(LONGEST_LIST - count_words(unit.opener), LONGEST_PARAGRAPH)
    for group in _balance(unit.block.parts, room):  # a unit this long has no tail
        yield from _cut_hard("\n\n".join(filter(None, (unit.opener, unit.block.piece(group)))))


def _balance(parts: Sequence[str], longest: int) -> list[list[str]]:
    """The parts in few groups of at most `longest` words and about the same size; one part may be longer alone."""
    sizes = [count_words(part) for part in parts]
    fewest = -(-sum(sizes) // longest)
    groups: list[list[str]] = []
    for more in (0, 1, 2, fewest):
        groups = list(_group(parts, sizes, longest, sum(sizes) / (fewest + more)))
        if len(groups) <= fewest + more:
            break
    return groups


def _group(parts: Sequence[str], sizes: Sequence[int], longest: int, fair: float) -> Iterator[list[str]]:
    group: list[str] = []
    held, passed, number = 0, 0, 1
    for part, size in zip(parts, sizes, strict=True):
        if group and (held + size > longest or passed + size / 2 > fair * number):
            yield group
            group, held = [], 0
            number += 1
        group.append(part)
        held += size
        passed += size
    if group:
        yield group


def _cut_hard(text: str) -> Iterator[str]:
    """Text that no rule could cut to a size the model reads: between words, and inside words without end."""
    if count_words(text) <= LONGEST_PIECE and len(text) <= LONGEST_PIECE * 10:
        yield text
        return
    words = [word[i : i + 200] for word in text.split() for i in range(0, len(word), 200)]
    for group in _balance(words, LONGEST_PARAGRAPH):
        yield " ".join(group)
