"""PDF files: the text of their pages as Markdown, without what repeats on every page."""

import io
import logging
import math
from collections.abc import Sequence
from itertools import dropwhile, takewhile

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from knowledge.errors import FileRefused
from knowledge.readers.draft import NOTHING_STATED, Draft, Parsed, usable_title
from knowledge.readers.encoding import clean_text
from knowledge.readers.failures import PARSER_FAILURES
from knowledge.readers.markdown import take_title
from knowledge.readers.pdf_lines import Line, drop_repeated, lines_to_markdown

MOST_PAGES = 2_000
LEAST_CHARS = 20
FIRST_LINES = 10
LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\u2010": "-", "\u00ad": "-"}
)

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is broken in a file is said in its reason


def parse_pdf(raw: bytes) -> Parsed:
    """The one document of a PDF. Raises FileRefused: protected, too long, scanned; parsers' errors where it is damaged."""
    reader = PdfReader(io.BytesIO(raw))
    if reader.is_encrypted and not reader.decrypt(""):
        raise FileRefused("It is protected by a password: save it without one.")
    if len(reader.pages) > MOST_PAGES:
        raise FileRefused(f"It has {len(reader.pages)} pages, more than the limit of {MOST_PAGES}: split it.")
    pages, remarks = _read_pages(reader)
    lines = [line for page in drop_repeated(pages) for line in page]
    body = lines_to_markdown(lines)
    if len(body) < LEAST_CHARS:
        raise FileRefused("It has no text: it is probably scanned and needs OCR before it can be read.")
    title = _stated_title(reader) or _printed_title(next(page for page in pages if page))
    _, body = take_title(body, title)
    return Parsed(drafts=(Draft(text=body, title=title),), remarks=(NOTHING_STATED, *remarks))


def _read_pages(reader: PdfReader) -> tuple[list[list[Line]], tuple[str, ...]]:
    pages, failed, empty = [], [], []
    for number, page in enumerate(reader.pages, start=1):
        try:
            pages.append(_read_lines(page))
        except PARSER_FAILURES:
            failed.append(number)
            continue
        if not pages[-1]:
            empty.append(number)
    remarks = []
    if failed:
        remarks.append(f"Its {_pages(failed)} damaged and left out.")
    if empty and len(empty) < len(pages):
        remarks.append(f"Its {_pages(empty)} without text: if scanned, run OCR over the file.")
    if not pages:
        raise FileRefused("None of its pages can be read: save it again as PDF.")
    return pages, tuple(remarks)


def _read_lines(page: PageObject) -> list[Line]:
    """The page's lines that hold text, each with its height on the page and the size of its largest letters."""
    pieces: list[tuple[str, float, float]] = []

    def take(text: str, outer: Sequence[float], inner: Sequence[float], _font: DictionaryObject | None, size: float) -> None:
        scale = math.hypot(inner[2], inner[3]) * math.hypot(outer[2], outer[3])
        height = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
        pieces.append((text, height, size * scale))

    page.extract_text(visitor_text=take)
    lines: list[Line] = []
    words, height, largest = "", 0.0, 0.0
    for text, at, size in [*pieces, ("\n", 0.0, 0.0)]:
        for number, part in enumerate(text.split("\n")):
            if number:
                clean = " ".join(clean_text(words.translate(LIGATURES)).split())
                lines += [Line(text=clean, height=height, size=round(largest, 1))] if clean else []
                words, largest = "", 0.0
            if part.strip():
                height, largest = (at, size) if not words.strip() else (height, max(largest, size))
            words += part
    return lines


def _stated_title(reader: PdfReader) -> str:
    try:
        return usable_title(clean_text(str(reader.metadata.title or "") if reader.metadata else ""))
    except PARSER_FAILURES:
        return ""


def _printed_title(page: Sequence[Line]) -> str:
    """The largest letters among the first lines, which may run over several lines."""
    opening = page[:FIRST_LINES]
    largest = max(line.size for line in opening)
    from_title = dropwhile(lambda line: line.size < largest, opening)
    return " ".join(line.text for line in takewhile(lambda line: line.size == largest, from_title))


def _pages(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:10])) + ("…" if len(numbers) > 10 else "")
    return f"page {named} is" if len(numbers) == 1 else f"pages {named} are"
