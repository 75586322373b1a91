"""The Markdown we read: where its blocks begin and end, and the words of a heading without their markup."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

BLOCKS = MarkdownIt("commonmark").enable("table").disable(["inline", "code", "html_block", "reference"])
"""Blocks only, and no text lost: indented lines and tags in a text are text, whatever their author's editor did."""

INLINE = MarkdownIt("commonmark")
MARKUP = re.compile(r"[*_`\[\]<&\\!\n]")


def parse_blocks(text: str) -> list[Token]:
    """The block tokens of a text, with their line ranges; inline tokens hold raw Markdown."""
    return BLOCKS.parse(text)


def plain_words(inline: str) -> str:
    """The words of one line of Markdown, without its markup."""
    if not MARKUP.search(inline):
        return " ".join(inline.split())
    children = [child for token in INLINE.parseInline(inline) for child in token.children or ()]
    words = (
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in children
        if child.type != "html_inline"
    )
    return " ".join("".join(words).split())
