"""HTML pages: the main part as Markdown, without what surrounds it and what a reader does not see."""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag

from knowledge.readers.draft import NOTHING_STATED, Draft, Parsed
from knowledge.readers.encoding import clean_text
from knowledge.readers.fields import KNOWN, pick_fields
from knowledge.readers.html_markdown import to_markdown
from knowledge.readers.markdown import strip_html, take_title

CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE)
BLOCKS = re.compile(r"<(?:p|div|ul|ol|li|h[1-6]|table)\b[^<>]{0,500}>", re.IGNORECASE)
NEVER = frozenset(
    "script style noscript template nav iframe object embed svg canvas video audio map button input select textarea dialog"
    " head".split()
)
ROLES = frozenset("navigation banner contentinfo search dialog alertdialog menu menubar toolbar complementary".split())
CLASSES = frozenset(
    "breadcrumb breadcrumbs cookie-banner cookie-notice cookie-consent sidebar navbar nav menu footer site-footer"
    " site-header pagination skip-link skip-to-content social-share share-buttons related-articles sr-only visually-hidden"
    " screen-reader-text toc table-of-contents".split()
)
XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>", re.IGNORECASE)
UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
SITE_NAME = re.compile(r"\s+[|–—·»-]\s+[^|–—·»]{1,60}\Z")
LEAST_MAIN = 200


def declared_charset(raw: bytes) -> str | None:
    """The encoding a page says it has, if it says so at its top."""
    found = CHARSET.search(raw[:4096])
    return found[1].decode("ascii") if found else None


def parse_html(text: str) -> Parsed:
    """The one document of a page; its `<meta>` elements may state the fields. Raises FileRefused."""
    page = _parse(clean_text(text))
    fields = pick_fields(dict(_stated(page)))
    fields.pop("text", None)
    title = _page_title(page)
    root = _main_part(page)
    _prune(root)
    heading = root.find("h1")
    title = " ".join(heading.get_text().split()) if heading else title
    _, body = take_title(to_markdown(root), fields.get("title") or title)
    return Parsed(drafts=(Draft(text=body, fields=fields, title=title),), remarks=() if fields else (NOTHING_STATED,))


def html_to_markdown(text: str) -> str:
    """A cell or field as Markdown, whether its author's program wrote HTML or not; only block elements make it HTML."""
    if not BLOCKS.search(text):
        return strip_html(text)
    fragment = _parse(text)
    _prune(fragment)
    return to_markdown(fragment)


def _parse(text: str) -> BeautifulSoup:
    """The tree by lxml, which is linear on broken pages where the standard library's parser is quadratic."""
    return BeautifulSoup("<!doctype html>" + XML_DECLARATION.sub("", text), "lxml")


def _stated(page: BeautifulSoup) -> Iterator[tuple[str, str]]:
    for meta in page.find_all("meta"):
        name, content = meta.get("name"), meta.get("content")
        if isinstance(name, str) and isinstance(content, str) and name.lower() in KNOWN:
            yield name, content
    canonical = page.find("link", rel="canonical")
    if isinstance(canonical, Tag) and re.match("https?://", str(canonical.get("href", ""))):
        yield "source_url", str(canonical["href"])


def _page_title(page: BeautifulSoup) -> str:
    shown = page.find("meta", property="og:title")
    if isinstance(shown, Tag) and shown.get("content"):
        return str(shown["content"])
    title = page.find("title")
    return SITE_NAME.sub("", " ".join(title.get_text().split())) if title else ""


def _main_part(page: BeautifulSoup) -> Tag:
    articles = page.find_all("article", limit=2)
    whole = page.find("body") or page
    for part in (page.find("main"), page.find(role="main"), articles[0] if len(articles) == 1 else None):
        if isinstance(part, Tag) and len(part.get_text(strip=True)) >= min(LEAST_MAIN, len(whole.get_text(strip=True)) // 3):
            return part
    return whole


def _prune(root: Tag) -> None:
    """Take out what a reader does not see and what surrounds the text; needs no stack, however deep the page."""
    waiting = [(root, root.name in {"main", "article"})]
    while waiting:
        element, in_main = waiting.pop()
        for child in list(element.contents):
            if not isinstance(child, Tag):
                continue
            if _is_unseen(child) or _surrounds(child, in_main):
                child.extract()
            else:
                waiting.append((child, in_main or child.name in {"main", "article"}))


def _is_unseen(element: Tag) -> bool:
    hidden = element.get("hidden")
    return (
        element.name in NEVER
        or (hidden is not None and hidden != "until-found")
        or element.get("aria-hidden") == "true"
        or bool(UNSEEN_STYLE.search(str(element.get("style", ""))))
    )


def _surrounds(element: Tag, in_main: bool) -> bool:
    if element.name == "footer" or (element.name in {"header", "aside"} and not in_main):
        return True
    return element.get("role") in ROLES or not CLASSES.isdisjoint(element.get_attribute_list("class"))
