"""Tables in HTML: whether they hold data, and their cells."""

import re

from bs4 import Tag

LAYOUT = frozenset({"table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})
"""Elements that a table of data does not hold."""
WIDEST_SPAN = 50


def holds_data(table: Tag) -> bool:
    """Whether it is a table to a reader, not a grid that lays out a page."""
    waiting = list(table.contents)  # `find` would walk to the last element of every nested table first
    while waiting:
        element = waiting.pop()
        if isinstance(element, Tag):
            if element.name in LAYOUT:
                return False
            waiting += element.contents
    return any(len(row.find_all(["td", "th"], limit=2)) > 1 for row in table.find_all("tr"))


def names_first(table: Tag) -> bool:
    """Whether every row is a name and its value."""
    rows = [row.find_all(["td", "th"]) for row in table.find_all("tr")]
    return all([cell.name for cell in row] == ["th", "td"] for row in rows if row)


def read_cells(table: Tag) -> list[list[str]]:
    """The cells' words, those that span several rows or columns repeated."""
    rows: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}
    for row in table.find_all("tr"):
        cells: list[str] = []
        for cell in row.find_all(["td", "th"]):
            _take_from_above(cells, below)
            words = " ".join(cell.get_text(" ").split())
            for _ in range(_span(cell, "colspan")):
                if _span(cell, "rowspan") > 1:
                    below[len(cells)] = (_span(cell, "rowspan") - 1, words)
                cells.append(words)
        _take_from_above(cells, below)
        rows.append(cells)
    return rows


def _take_from_above(cells: list[str], below: dict[int, tuple[int, str]]) -> None:
    while len(cells) in below:
        column = len(cells)
        left, words = below.pop(column)
        if left > 1:
            below[column] = (left - 1, words)
        cells.append(words)


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1"))
    return min(max(int(written), 1), WIDEST_SPAN) if re.fullmatch(r"\d{1,4}", written) else 1
