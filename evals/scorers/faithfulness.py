"""Faithfulness: does what the answer claims stand in what it cites? The judge is the very code that checks replies."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.support import SUPPORTED, makes_claim, support
from evals.marks import Kind, Mark, Measure
from evals.runs import Run
from evals.scorers.turns import Case, cases
from knowledge.sentences import split_sentences

TOLD_BY_TOOL = "a tool replied: it tells what the company's system holds, and cites no article"
_MARK = re.compile(r"\[(\d+)\]")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
MEASURES = (
    Measure(
        name="claims_borne",
        title="Claims borne out by their source",
        aspect="faithfulness",
        says="Of the sentences of an answer that claim something, the share that the passages they cite bear out, by the "
        "bot's own verifier.",
        kind=Kind.MEAN,
        headline=True,
    ),
    Measure(
        name="claims_cited",
        title="Claims with a source",
        aspect="faithfulness",
        says="Of the sentences of an answer that claim something, the share that name a source at all.",
        kind=Kind.MEAN,
        headline=True,
    ),
)


def score(run: Run) -> Iterator[Mark]:
    """A mark of each kind for every answer with a claim."""
    for case in cases(run):
        if case.by_tool:
            yield from (case.mark(one.name, None, TOLD_BY_TOOL) for one in MEASURES if case.answered)
        elif case.answered:
            yield from _score(case)


def _score(case: Case) -> Iterator[Mark]:
    claims = list(read_claims(case))
    if not claims:
        yield case.mark("claims_borne", None, "the answer claims nothing")
        yield case.mark("claims_cited", None, "the answer claims nothing")
        return
    unborne = [claim for claim, sources in claims if not _borne(claim, sources)]
    uncited = [claim for claim, sources in claims if not sources]
    yield case.mark("claims_borne", 1 - len(unborne) / len(claims), f"not borne out: {unborne[0]}" if unborne else "")
    yield case.mark("claims_cited", 1 - len(uncited) / len(claims), f"no source: {uncited[0]}" if uncited else "")


def read_claims(case: Case) -> Iterator[tuple[str, list[str]]]:
    """The sentences of a reply that claim something, each with the texts that it cites: those of the next mark after it."""
    sources = {str(one["number"]): _source(one) for one in case.played.data.get("citations", ())}
    following: list[str] = []
    claims: list[tuple[str, list[str]]] = []
    for paragraph in reversed(case.own_words.split("\n\n")):
        for piece in reversed(_pieces(paragraph)):
            following = _MARK.findall(piece) or following
            cited = [sources[mark] for mark in following if mark in sources]
            text = _MARK.sub("", _LINK.sub(r"\1", piece)).strip()
            claims += [(one, cited) for one in reversed(split_sentences(text)) if makes_claim(one)]
    yield from reversed(claims)


def _pieces(paragraph: str) -> list[str]:
    """A paragraph cut after each group of marks."""
    return [one for one in re.split(r"(?<=\])(?=\s+[^\s\[])", _LINK.sub(r"\1", paragraph)) if one.strip()]


def _source(citation: Mapping[str, Any]) -> str:
    return f"{citation.get('title', '')}\n{citation.get('heading', '')}\n{citation.get('quote', '')}"


def _borne(claim: str, sources: list[str]) -> bool:
    return any(claim in source for source in sources) or (bool(sources) and support(claim, sources) >= SUPPORTED)
