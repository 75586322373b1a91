"""Markdown as the blocks a reader sees: paragraphs, lists, tables and code under their headings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from markdown_it.token import Token

from knowledge.markdown import parse_blocks, plain_words

QUOTE = re.compile(r"^ {0,3}> ?", re.MULTILINE)
BOLD_LINE = re.compile(r"(\*\*|__)(?=\S)([^*_]+)(?<=\S)\1:?\Z")
NUMBER = re.compile(r"\s*(\d+)(?=[.)])")
HEADING_WORDS = 12
BOLD_LEVEL = 7  # below every real heading
DEEPEST_QUOTE = 3


class Kind(Enum):
    """What a block is; everything but a paragraph belongs to the sentence before it."""

    PARAGRAPH = auto()
    LIST = auto()
    TABLE = auto()
    CODE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a document; `heading` is its path of headings joined by " > ".

    `parts` are what it may be cut between: a list's items, a table's rows, lines of code; a paragraph is one part. `head`
    and `foot` frame every piece: a table's header rows, the fences of code.
    """

    kind: Kind
    heading: str
    parts: tuple[str, ...]
    head: str = ""
    foot: str = ""

    @property
    def text(self) -> str:
        """The whole block as Markdown."""
        return self.piece(self.parts)

    def piece(self, parts: Sequence[str]) -> str:
        """Some parts of the block as Markdown that stands on its own."""
        return "\n".join([*filter(None, [self.head]), *parts, *filter(None, [self.foot])])


def read_blocks(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text in order; headings and rules are not blocks."""
    headings: dict[int, str] = {}
    yield from _read(text, headings, 0)


def _read(text: str, headings: dict[int, str], depth: int) -> Iterator[Block]:
    tokens = parse_blocks(text)
    lines = _unwrapped(text, tokens)
    opened = [i for i, token in enumerate(tokens) if token.level == 0 and token.map and token.nesting >= 0]
    for number, i in enumerate(opened):
        token = tokens[i]
        path = " > ".join(headings[level] for level in sorted(headings))
        last = number + 1 == len(opened) or tokens[opened[number + 1]].type == "heading_open"
        if token.type == "heading_open":
            _open_heading(headings, int(token.tag[1]), plain_words(tokens[i + 1].content))
        elif token.type == "paragraph_open":
            bold = None if last else BOLD_LINE.match(tokens[i + 1].content)
            if bold and len(bold[2].split()) <= HEADING_WORDS and not bold[2].endswith((".", "!", ",")):
                _open_heading(headings, BOLD_LEVEL, plain_words(bold[2]).rstrip(":"))
            else:
                yield Block(kind=Kind.PARAGRAPH, heading=path, parts=(_slice(lines, token).strip(),))
        elif token.type == "blockquote_open":
            quoted = QUOTE.sub("", _slice(lines, token))
            if depth < DEEPEST_QUOTE:
                yield from _read(quoted, dict(headings), depth + 1)
            else:
                yield Block(kind=Kind.PARAGRAPH, heading=path, parts=(quoted.strip(),))
        elif token.type != "hr":
            yield _framed(token, tokens[i:], lines, path)


def _framed(token: Token, following: Sequence[Token], lines: Sequence[str | None], path: str) -> Block:
    if token.type in {"bullet_list_open", "ordered_list_open"}:
        return Block(kind=Kind.LIST, heading=path, parts=tuple(_items(token, following, lines)))
    rows = _slice(lines, token).split("\n")
    if token.type == "table_open":
        return Block(kind=Kind.TABLE, heading=path, head="\n".join(rows[:2]), parts=tuple(rows[2:]))
    closed = len(rows) > 1 and rows[-1].strip().startswith(token.markup)
    body = rows[1:-1] if closed else rows[1:]
    return Block(kind=Kind.CODE, heading=path, head=rows[0], parts=tuple(body), foot=rows[-1] if closed else token.markup)


def _items(opening: Token, following: Sequence[Token], lines: Sequence[str | None]) -> Iterator[str]:
    """The items of a list, numbered as a reader sees them."""
    expected = int(opening.attrs.get("start", 1)) if opening.type == "ordered_list_open" else None
    for token in following:
        if token.level == 0 and token.type == opening.type.replace("open", "close"):
            return
        if token.level == 1 and token.type == "list_item_open":
            item = _slice(lines, token)
            if expected is not None:
                item = _numbered(item, expected)
                expected += 1
            yield item


def _numbered(item: str, number: int) -> str:
    written = NUMBER.match(item)
    if not written or int(written[1]) == number:
        return item
    wider = " " * (len(str(number)) - len(written[1]))  # what is nested must still lie under the text
    return item[: written.start(1)] + str(number) + item[written.end(1) :].replace("\n", "\n" + wider)


def _open_heading(headings: dict[int, str], level: int, words: str) -> None:
    for deeper in [other for other in headings if other >= level]:
        del headings[deeper]
    if words:
        headings[level] = words


def _unwrapped(text: str, tokens: Sequence[Token]) -> list[str | None]:
    """The lines of the text, each paragraph's lines joined into its first; hard breaks stay."""
    lines: list[str | None] = list(text.split("\n"))
    for token in tokens:
        if token.type == "inline" and token.map and "\n" in token.content:
            first, end = token.map
            line = (lines[first] or "").rstrip()
            prefix = line[: len(line) - len(token.content.split("\n", 1)[0].strip())]  # a list's marker, a quote's sign
            lines[first] = prefix + _joined(token.content, " " * len(prefix))
            lines[first + 1 : end] = [None] * (end - first - 1)
    return lines


def _joined(content: str, indent: str) -> str:
    text = ""
    for line in content.split("\n"):
        hard = line.endswith(("  ", "\\"))
        text += line.strip().removesuffix("\\").rstrip() + (f"  \n{indent}" if hard else " ")
    return text.strip()


def _slice(lines: Sequence[str | None], token: Token) -> str:
    first, end = token.map or [0, 0]
    return "\n".join(line for line in lines[first:end] if line is not None).rstrip()
