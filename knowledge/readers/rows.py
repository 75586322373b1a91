"""CSV tables: one document a row, under whatever names and with whatever delimiter its author's program wrote."""

import csv
import io
import re
from collections.abc import Iterator

from knowledge.errors import FileRefused
from knowledge.readers.draft import Draft, Parsed
from knowledge.readers.encoding import clean_text
from knowledge.readers.fields import KNOWN, pick_fields
from knowledge.readers.html import html_to_markdown
from knowledge.readers.plain import plain_to_markdown

DELIMITERS = ",;\t|"
SEP_LINE = re.compile(r"\Asep=(.)\n", re.IGNORECASE)
NO_HEADER = "It has no header row: its two columns were read as question and answer."
Row = tuple[int, list[str]]


def parse_rows(text: str) -> Parsed:
    """The documents of a table with a text (or answer) column. Raises FileRefused when no column can be the text."""
    text = clean_text(text)
    named = SEP_LINE.match(text)  # Excel's way to name the delimiter
    delimiter = named[1] if named else _sniff(text)
    refused: list[str] = []
    rows = list(_read(text[named.end() - 1 if named else 0 :], delimiter, refused))
    if not rows:
        raise FileRefused("It has no rows: write a header row and one document a row.")
    header, remark = _header(rows[0][1]), ""
    if header:
        rows = rows[1:]
    elif max(len(row) for _, row in rows) == 2:
        header, remark = ["title", "text"], NO_HEADER
    else:
        found = ", ".join(f"'{name[:30]}'" for name in rows[0][1][:8])
        raise FileRefused(
            f"Its first row names no text column (it has {found}): name them id, title and text, or question and answer."
        )
    drafts = []
    for line, row in rows:
        try:
            drafts.append(_draft(header, row, line))
        except FileRefused as reason:
            refused.append(f"Line {line}: {reason}")
    return Parsed(drafts=tuple(drafts), refused=tuple(refused), remarks=(remark,) if remark else ())


def _read(text: str, delimiter: str, refused: list[str]) -> Iterator[Row]:
    """The rows that hold anything, each with the line it begins in; a row csv cannot read is added to `refused`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            refused.append(
                f"Line {line}: It has a cell of more than {csv.field_size_limit():,} characters: close its quotes."
            )
            continue
        if any(cell.strip() for cell in row):
            yield line, row


def _sniff(text: str) -> str:
    """The delimiter that finds the most known names in the header, or the most cells in it."""
    first = text.lstrip().split("\n", 1)[0]
    cells = {delimiter: next(csv.reader([first[:10_000]], delimiter=delimiter), []) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: (len(_header(cells[delimiter])), len(cells[delimiter])))


def _header(row: list[str]) -> list[str]:
    """The row's names where it names the text, else nothing."""
    names = [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in row]
    return names if any(KNOWN.get(name) == "text" for name in names) else []


def _draft(header: list[str], row: list[str], line: int) -> Draft:
    if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
        raise FileRefused(
            f"It has {len(row)} cells for {len(header)} columns: put text that contains the delimiter in quotes."
        )
    stated = dict(zip(header, row, strict=False))
    empty = [name for name, value in stated.items() if not value.strip() and KNOWN.get(name) == "internal"]
    fields = pick_fields({name: value for name, value in stated.items() if name and name not in empty})
    text = fields.pop("text", "")
    return Draft(text=plain_to_markdown(html_to_markdown(text)), fields=fields, line=line)
