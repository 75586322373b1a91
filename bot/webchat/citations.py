"""Citations on the page: `[1]` in a reply becomes a link to the passage, and a line of sources stands below it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_MARKER = re.compile(r"(?P<code>(?P<ticks>`+).*?(?P=ticks))|\[(?P<number>\d{1,3})\](?!\()", re.DOTALL)
_DIRECTIVE = re.compile(r"(?P<code>(?P<ticks>`+).*?(?P=ticks))|(?P<colon>:)(?=[A-Za-z:])", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_\[\]<>~|:#])")
_ESCAPED = r"\\\1"
_ADDRESS = re.compile(r"/help/[\w.~/-]+(#[\w-]+)?")


def cite(text: str, citations: Iterable[Mapping[str, Any]]) -> str:
    """The reply's Markdown with its markers linked and its sources below; a marker without a citation stays as it is.

    Only addresses of our own help pages become links: they come from retrieval, and nothing else may.
    """
    known = {c["number"]: c for c in citations if _ADDRESS.fullmatch(str(c.get("url", "")))}

    def link(found: re.Match[str]) -> str:
        citation = known.get(int(found["number"])) if found["number"] else None
        return f"[{citation['number']}]({citation['url']})" if citation else found[0]

    linked = _MARKER.sub(link, plain_colons(text))
    return f"{linked}\n\n---\n\n{_sources(known.values())}" if known else linked


def plain_colons(text: str) -> str:
    """Escape colons that the page's Markdown would take for directives ("plan:Fast" would vanish); code is left alone."""
    return _DIRECTIVE.sub(lambda found: found["code"] or "\\:", text)


def _sources(citations: Iterable[Mapping[str, Any]]) -> str:
    """One line a citation, in the order of their numbers; an article's title is told once."""
    lines, title = [], None
    for citation in sorted(citations, key=lambda citation: int(citation["number"])):
        where = _where(citation, titled=citation.get("title") != title)
        lines.append(f"[{citation['number']} {_SPECIAL.sub(_ESCAPED, where)}]({citation['url']})")
        title = citation.get("title")
    return "\n".join(lines)


def _where(citation: Mapping[str, Any], *, titled: bool) -> str:
    title, heading = (" ".join(str(citation.get(name, "")).split()) for name in ("title", "heading"))
    heading = heading.replace(" > ", " › ")
    if not heading or heading == title:
        return f"· {title}"
    return f"· {title} › {heading}" if titled else f"› {heading}"
