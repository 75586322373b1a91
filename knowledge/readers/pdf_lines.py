"""Printed lines to Markdown: running heads dropped, words and paragraphs put together again, large letters as headings."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

EDGE = 3
HEADING_CHARS = 120
LARGER = 1.12
WIDER_GAP = 1.3
PAGE_NUMBER = re.compile(r"(?:page\s*)?[-–|]?\s*\d{1,4}\s*[-–|]?(?:\s*(?:of|/)\s*\d{1,4})?", re.IGNORECASE)
BULLET = re.compile(r"(?:[•●▪◦‣⁃∙·–-])\s+(?=\S)")
NUMBERED = re.compile(r"(\d{1,2})[.)]\s+(?=\S)")
ENDS = (".", "!", "?", ":", ".”", '."')


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One printed line: its words, its height on the page and the size of its letters, in points."""

    text: str
    height: float
    size: float


def drop_repeated(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without running heads, feet and page numbers: edge lines that stand on at least half of the pages."""
    counts = Counter(key for page in pages for key in {_key(line) for line in (*page[:EDGE], *page[-EDGE:])})
    often = max(2, len(pages) / 2)

    def runs(line: Line) -> bool:
        return counts[_key(line)] >= often or bool(PAGE_NUMBER.fullmatch(line.text))

    kept = []
    for page in pages:
        first = next((i for i, line in enumerate(page) if i >= EDGE or not runs(line)), len(page))
        last = next((i for i, line in enumerate(reversed(page)) if i >= EDGE or not runs(line)), len(page))
        kept.append(list(page[first : max(first, len(page) - last)]))
    return kept


def _key(line: Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def lines_to_markdown(lines: Sequence[Line]) -> str:
    """The lines as Markdown blocks."""
    if not lines:
        return ""
    body, levels = _sizes(lines)
    lengths = sorted(len(line.text) for line in lines if line.size == body)
    width = lengths[len(lengths) * 3 // 4]
    usual = _usual_gap(lines)
    known = Counter(word.lower() for line in lines for word in re.findall(r"[\w-]+\w", line.text))
    blocks: list[str] = []
    last: Line | None = None
    for line in lines:
        level = levels.get(line.size, 0) if len(line.text) <= HEADING_CHARS else 0
        if level:
            continued = last is not None and last.size == line.size and blocks[-1].startswith("#")
            blocks[-1:] = [f"{blocks[-1]} {line.text}"] if continued else [*blocks[-1:], f"{'#' * level} {line.text}"]
        elif last is None or blocks[-1].startswith("#") or _begins(last, line, usual, width):
            blocks.append(_marked(line.text))
        else:
            blocks[-1] = _joined(blocks[-1], last, line, (width, known))
        last = line
    return "\n".join(_spaced(blocks)).strip("\n")


def _sizes(lines: Sequence[Line]) -> tuple[float, dict[float, int]]:
    """The size of most letters, and the heading level of each size that is clearly larger."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0]
    larger = sorted((size for size in letters if size > body * LARGER), reverse=True)
    return body, {size: min(rank, 6) for rank, size in enumerate(larger, start=1)}


def _usual_gap(lines: Sequence[Line]) -> float:
    gaps = [one.height - other.height for one, other in pairwise(lines) if one.size == other.size]
    positive = [gap for gap in gaps if gap > 0]
    return median(positive) if positive else 0.0


def _begins(last: Line, line: Line, usual: float, width: int) -> bool:
    """Whether a line begins a new paragraph: a list's marker, a wider gap, or the short end of the one before."""
    if BULLET.match(line.text) or NUMBERED.match(line.text):
        return True
    gap = last.height - line.height
    if gap > 0 and usual:
        return gap > usual * WIDER_GAP
    return last.text.endswith(ENDS) and (len(last.text) < width * 0.8 or not usual)


def _joined(block: str, last: Line, line: Line, about: tuple[int, Counter[str]]) -> str:
    width, known = about
    if last.text.endswith("-") and line.text[:1].islower():
        left, right = re.split(r"[^\w-]", last.text[:-1])[-1], re.split(r"[^\w-]", line.text)[0]
        whole, hyphened = (left + right).lower(), f"{left}-{right}".lower()
        keeps = not left[-1:].islower() or (known[hyphened] > 0 and not known[whole])
        return (block if keeps else block[:-1]) + line.text
    ends_early = len(last.text) < width * 0.6  # rows of tables and addresses stay lines
    return f"{block}  \n{line.text}" if ends_early else f"{block} {line.text}"


def _marked(text: str) -> str:
    if re.match(r"#{1,6}\s|>|\|", text):
        return f"\\{text}"
    return NUMBERED.sub(r"\1. ", BULLET.sub("- ", text, count=1), count=1)


def _spaced(blocks: Sequence[str]) -> Iterator[str]:
    """The blocks with an empty line between, list items close together."""
    before = ""
    for block in blocks:
        item = re.match(r"- |\d{1,2}\. ", block)
        if not (item and re.match(r"- |\d{1,2}\. ", before)):
            yield ""
        yield block.replace("  \n", "  \n" + " " * len(item[0])) if item else block
        before = block
