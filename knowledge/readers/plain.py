"""Plain text files: a short first line is the title, bullets become Markdown lists."""

import re

from knowledge.readers.draft import NOTHING_STATED, Draft, Parsed
from knowledge.readers.encoding import clean_text

BULLET = re.compile(r"^[ \t]*[•●▪◦‣⁃∙·*–][ \t]+", re.MULTILINE)
UNDERLINE = re.compile(r"\A[ \t]*[=\-_~*]{3,}[ \t]*\n")
TITLE_CHARS = 100


def parse_plain(text: str) -> Parsed:
    """The one document of a text file."""
    title, body = _take_first_line(clean_text(text).strip("\n"))
    return Parsed(
        drafts=(Draft(text=plain_to_markdown(body), title=title),),
        remarks=(NOTHING_STATED,),
    )


def plain_to_markdown(text: str) -> str:
    """Text whose bullets are Markdown's and whose indentation means nothing."""
    lines = (re.sub(r"^[ \t]{4,}(?![-\d])", "", line) for line in BULLET.sub("- ", text).split("\n"))
    return "\n".join(lines)


def _take_first_line(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n")
    title = first.strip(" \t#")
    underlined = UNDERLINE.match(rest)
    if (
        title
        and len(title) <= TITLE_CHARS
        and (underlined or (rest.startswith("\n") and not title.endswith((".", ",", ";", ":"))))
    ):
        return title, rest[underlined.end() :] if underlined else rest
    return "", text
