"""What a reader hands over: drafts of documents, before ids, titles and audiences are settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING_STATED = (
    "It does not say its id, title and audience: id and title were made from its name and text, and customers may see it "
    "unless it lies in a folder named 'internal'."
)
NO_TITLES = ("untitled", "microsoft word", "word document", "powerpoint presentation", "document1", "slide 1")
FILE_NAMES = (".doc", ".docx", ".indd", ".pdf", ".pptx", ".odt", ".tex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One document as its file states it.

    `fields` are the stated values by known name (see `fields.py`), `text` the Markdown body, `title` a title found in the
    content (a heading, a property) that is used when none is stated. `line` is the line or row in files of many documents,
    `answer` the vetted answer where the format can hold one beside the text.
    """

    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    line: int | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """All drafts of one file; `refused` are the reasons for rows left out, `remarks` what its author should know."""

    drafts: tuple[Draft, ...]
    refused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def usable_title(stated: str) -> str:
    """The title in a file's properties, empty where a program put it there."""
    title = " ".join(stated.split())
    return "" if title.lower().startswith(NO_TITLES) or title.lower().endswith(FILE_NAMES) else title
