"""Links between articles: in the files they name an article's id or file, on screen they lead to its help page."""

import re

_ARTICLE_LINK = re.compile(r"\]\((?:\./)?([\w-]+)(?:\.md)?(#[\w-]+)?\)")


def link_articles(markdown: str) -> str:
    """The Markdown with `[Title](article-id)` as `[Title](/help/article-id)`; other links stay as they are."""
    return _ARTICLE_LINK.sub(r"](/help/\1)", markdown)
