"""The help page: a public article, with an anchor at each passage so that a citation opens what it cites."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

from bot.links import link_articles
from bot.pages.rendering import TEMPLATES
from bot.settings import Settings
from knowledge.document import Article, DocumentId, Passage, Search

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def help_router(search: Search, settings: Settings) -> APIRouter:
    """`GET /help/{document}`: 404 for an unknown and for an internal article alike."""
    router = APIRouter(include_in_schema=False)

    @router.get("/help/{document}", response_class=HTMLResponse)
    async def article(document: str) -> str:
        found = await search.article(DocumentId(document))
        if found is None:
            raise HTTPException(404, "There is no such article.")
        return render_article(found, settings.company)

    return router


def render_article(article: Article, company: str) -> str:
    """The page as HTML; raw HTML in an article is shown as text."""
    headings = ["", *(passage.heading for passage in article.passages)]
    sections = [
        {"anchor": f"p{passage.position}", "headings": _new_headings(before, passage.heading), "html": _html(passage)}
        for before, passage in zip(headings, article.passages, strict=False)
    ]
    template = TEMPLATES.get_template("article.html")
    return template.render(company=company, document=article.document, sections=sections)


def _html(passage: Passage) -> str:
    return str(_MARKDOWN.render(link_articles(passage.text)))


def _new_headings(before: str, heading: str) -> list[tuple[int, str]]:
    """The headings that open here, as (level, text): those of the path that the passage before did not have."""
    old, new = before.split(" > "), heading.split(" > ") if heading else []
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return [(min(level + 2, 6), text) for level, text in enumerate(new) if level >= same]
