"""Elements to Markdown: headings, lists, tables and emphasis stay, links become their text.

The tree is walked with a stack of its own, so that no nesting is too deep.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bs4 import CData, Tag
from bs4.element import NavigableString, PageElement

from knowledge.readers.grid import draw_table
from knowledge.readers.html_tables import holds_data, names_first, read_cells

HEADINGS = {f"h{level}": level for level in range(1, 7)}
INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong sub sup time"
    " tt u var wbr".split()
)
EMPHASIS = {"b": "**", "strong": "**", "em": "*", "i": "*", "code": "`", "kbd": "`", "samp": "`"}
NAMES = frozenset({"dt", "summary", "legend", "figcaption", "caption"})
DEEPEST_LIST = 8


def to_markdown(root: Tag) -> str:
    """The Markdown of everything below `root`."""
    page = _Page()
    for node, entering in _walk(root):
        if isinstance(node, NavigableString):
            page.say(re.sub(r"\s+", " ", node))
        elif isinstance(node, Tag):
            (_enter if entering else _leave)(page, node)
    page.flush()
    return "\n".join(page.lines).strip("\n")


@dataclass(slots=True)
class _List:
    """A list being written; `number` is None where it is not ordered."""

    number: int | None
    indent: str


@dataclass(slots=True)
class _Page:
    """What has been written, and the line that is being written."""

    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    marker: str = ""
    level: int = 0

    def say(self, text: str) -> None:
        """Add to the line being written."""
        self.words.append(text)

    def flush(self) -> None:
        """End the block being written."""
        text = re.sub(r" *\n *", "\n", re.sub(r" +", " ", "".join(self.words))).strip()
        self.words.clear()
        self.marks.clear()
        if not text:
            return
        if self.level:
            text = text.replace("\n", " ").replace("*", "")
            text = f"**{text}**" if self.lists or self.level > 6 else f"{'#' * self.level} {text}"
        elif re.match(r"#{1,6}\s|>|\|", text):
            text = f"\\{text}"
        self.write(text.replace("\n", "  \n"), tight=bool(self.marker) and len(self.lists) > 0)

    def write(self, text: str, tight: bool = False) -> None:
        """A block, with its marker where it is the first of a list item."""
        indent = self.lists[-1].indent if self.lists else ""
        first = indent[: len(indent) - len(self.marker)] + self.marker if self.marker else indent
        follows_item = bool(self.lines) and self.in_list(self.lines[-1])
        if self.lines and not (tight and follows_item):
            self.lines.append("")
        self.lines += (first + text.replace("\n", f"\n{indent}")).split("\n")
        self.marker = ""

    @staticmethod
    def in_list(line: str) -> bool:
        """Whether a written line belongs to a list item."""
        return bool(re.match(r"\s+\S|[-*] |\d+\. ", line))


def _walk(root: Tag) -> Iterator[tuple[PageElement, bool]]:
    """Every node below `root` in order; an element comes twice, on entering and on leaving."""
    waiting: list[tuple[PageElement, bool]] = [(child, True) for child in reversed(root.contents)]
    while waiting:
        node, entering = waiting.pop()
        if isinstance(node, Tag):
            yield node, entering
            if entering and not _written_whole(node):
                waiting.append((node, False))
                waiting += [(child, True) for child in reversed(node.contents)]
        elif type(node) in (NavigableString, CData):  # not comments and declarations
            yield node, True


def _written_whole(element: Tag) -> bool:
    return element.name in {"br", "hr", "img", "pre"} or (element.name == "table" and holds_data(element))


def _enter(page: _Page, element: Tag) -> None:
    name = element.name
    if name == "br":
        page.say("\n")
    elif name == "img":
        page.say(f" {element.get('alt', '')} ")
    elif name in EMPHASIS:
        page.marks.append(len(page.words))
    elif name not in INLINE:
        page.flush()
        _enter_block(page, element)


def _enter_block(page: _Page, element: Tag) -> None:
    name = element.name
    page.level = 7 if name in NAMES else HEADINGS.get(name, 0)
    if name in {"ul", "ol"}:
        _enter_list(page, element)
    elif name == "li":
        _enter_item(page)
    elif name == "pre" and element.get_text(strip=True):
        page.write("```\n" + element.get_text().strip("\n") + "\n```")
    elif name == "table" and holds_data(element):
        caption = element.find("caption")
        if isinstance(caption, Tag) and caption.get_text(strip=True):
            page.write(" ".join(caption.get_text(" ").split()).rstrip(":") + ":")
        table = draw_table(read_cells(element), names_first=names_first(element))
        if table:
            page.write(table)


def _enter_list(page: _Page, element: Tag) -> None:
    start = str(element.get("start", "1"))
    number = int(start) if re.fullmatch(r"\d{1,6}", start) else 1
    page.lists.append(
        _List(number=number - 1 if element.name == "ol" else None, indent=page.lists[-1].indent if page.lists else "")
    )


def _enter_item(page: _Page) -> None:
    outer = page.lists[-2].indent if len(page.lists) > 1 else ""
    if not page.lists:
        page.marker = ""
        return
    here = page.lists[-1]
    if here.number is not None:
        here.number += 1
    page.marker = "- " if here.number is None else f"{here.number}. "
    deep = len(page.lists) > DEEPEST_LIST  # deeper nesting reads as one level
    here.indent = outer if deep else outer + " " * len(page.marker)


def _leave(page: _Page, element: Tag) -> None:
    name = element.name
    if name in EMPHASIS:
        _emphasise(page, EMPHASIS[name])
    elif name not in INLINE:
        page.flush()
        page.level = 0
        page.marker = "" if name == "li" else page.marker
        if name in {"ul", "ol"} and page.lists:
            page.lists.pop()


def _emphasise(page: _Page, mark: str) -> None:
    start = page.marks.pop() if page.marks else len(page.words)
    text = "".join(page.words[start:])
    words = text.strip()
    if not words or page.level or "\n" in words or mark in words:
        return
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    page.words[start:] = [f"{before}{mark}{words}{mark}{after}"]
