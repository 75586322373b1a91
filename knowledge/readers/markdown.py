"""Markdown files: front matter, the title heading, HTML comments and tags taken out."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.readers.draft import Draft, Parsed
from knowledge.readers.encoding import clean_text
from knowledge.readers.fields import pick_fields
from knowledge.readers.front_matter import split_front_matter

BLOCKS = MarkdownIt("commonmark").disable("inline")


def parse_markdown(text: str) -> Parsed:
    """The one document of a Markdown file. Raises FileRefused."""
    stated, body = split_front_matter(clean_text(text))
    fields = pick_fields(stated or {})
    title, body = take_title(body, fields.get("title", ""))
    remarks = () if stated is not None else (no_front_matter(),)
    return Parsed(drafts=(Draft(text=body, fields=fields, title=title),), remarks=remarks)


def no_front_matter() -> str:
    """What to tell the author of a file that states nothing about itself."""
    return (
        "It has no front matter: id and title were made from its name and first heading, and its folder says who may see it."
    )


def take_title(body: str, stated: str = "") -> tuple[str, str]:
    """The first heading, and the body without it where it opens the body and is the title (level 1, or as stated)."""
    tokens = BLOCKS.parse(body)
    opening = next((i for i, token in enumerate(tokens) if token.type == "heading_open"), None)
    if opening is None:
        return "", body
    heading = plain_heading(tokens[opening + 1].content)
    if opening == 0 and (tokens[0].tag == "h1" or _same(heading, stated)) and (not stated or _same(heading, stated)):
        return heading, _without(body, tokens)
    return heading, body


def plain_heading(content: str) -> str:
    """A heading's words without its markup."""
    inline = MarkdownIt("commonmark").parseInline(content)
    return " ".join("".join(_words(token.children or ()) for token in inline).split())


def _words(children: Sequence[Token]) -> str:
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in children
        if child.type != "html_inline"
    )


def _without(body: str, tokens: Sequence[Token]) -> str:
    lines = tokens[0].map or [0, 0]
    return "\n".join(body.split("\n")[lines[1] :])


def _same(one: str, other: str) -> bool:
    return one.casefold().strip(" .?!") == other.casefold().strip(" .?!")
