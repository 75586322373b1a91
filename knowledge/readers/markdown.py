"""Markdown files: front matter, the title heading, HTML taken out, links that lead nowhere made plain."""

import re

from knowledge.markdown import parse_blocks, plain_words
from knowledge.readers.draft import NOTHING_STATED, Draft, Parsed
from knowledge.readers.encoding import clean_text
from knowledge.readers.fields import pick_fields
from knowledge.readers.front_matter import split_front_matter

OPENING_HEADING = re.compile(r"\s*(?:#|[^\n]+\n {0,3}(?:=+|-+)[ \t]*(?:\n|\Z))")
MARKUP = re.compile(
    r"(?P<code>^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<tick>`+)(?!`)[^`\n]+(?P=tick)(?!`))"
    r"|<!--.*?(?:-->|\Z)|<(?P<unseen>script|style|template)\b.*?(?:</(?P=unseen)\s*>|\Z)"
    r"|(?P<break><br\s*/?>)|</?[a-z][a-z0-9-]*(?:\s[^<>]*)?/?>"
    r"|!\[(?P<image>[^\]\[]*)\]\([^()\n]*\)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


def parse_markdown(text: str) -> Parsed:
    """The one document of a Markdown file. Raises FileRefused."""
    stated, body = split_front_matter(clean_text(text))
    fields = pick_fields(stated or {})
    title, body = take_title(strip_html(body), fields.get("title", ""))
    remarks = () if stated is not None else (NOTHING_STATED,)
    answer = strip_html(clean_text((stated or {}).get("answer", ""))).strip()
    return Parsed(drafts=(Draft(text=body, fields=fields, title=title, answer=answer),), remarks=remarks)


def take_title(body: str, stated: str = "") -> tuple[str, str]:
    """The first heading, and the body without it where it opens the body and is the title (level 1, or as stated)."""
    if stated and not OPENING_HEADING.match(body):
        return "", body
    tokens = parse_blocks(body)
    opening = next((i for i, token in enumerate(tokens) if token.type == "heading_open"), None)
    if opening is None:
        return "", body
    heading = plain_words(tokens[opening + 1].content)
    is_title = _same(heading, stated) if stated else tokens[0].tag == "h1"
    if opening == 0 and is_title and tokens[0].map:
        return heading, "\n".join(body.split("\n")[tokens[0].map[1] :])
    return heading, body


def strip_html(text: str) -> str:
    """Markdown without comments, tags and images (their text stays); code is left alone."""
    return MARKUP.sub(_plain, text) if "<" in text or "![" in text else text


def _plain(markup: re.Match[str]) -> str:
    return markup["code"] or markup["image"] or ("  \n" if markup["break"] else "")


def _same(one: str, other: str) -> bool:
    return one.casefold().strip(" .?!") == other.casefold().strip(" .?!")
