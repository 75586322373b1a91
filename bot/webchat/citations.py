"""Citations on the page: `[1]` in a reply becomes a link to the passage, and a line of sources stands below it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_MARKER = re.compile(r"(?P<code>(?P<ticks>`+).*?(?P=ticks))|\[(?P<number>\d{1,3})\](?!\()", re.DOTALL)
_DIRECTIVE = re.compile(r"(?P<code>(?P<ticks>`+).*?(?P=ticks))|(?P<colon>:)(?=[A-Za-z:])", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_\[\]<>~|:#])")
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
    """One line a citation, in the order of their numbers."""
    ordered = sorted(citations, key=lambda citation: int(citation["number"]))
    return "\n".join(f"[{c['number']} · {_plain(_where(c))}]({c['url']})" for c in ordered)


def _where(citation: Mapping[str, Any]) -> str:
    title, heading = str(citation.get("title", "")), str(citation.get("heading", "")).replace(" > ", " › ")
    return f"{title} › {heading}" if heading and heading != title else title


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
