"""Retrieval: whether the articles that hold the answer are found, how high, and whether the bot knows that they are."""

import math
from collections.abc import Iterator

from scipy.stats import rankdata

from bot.domain import Outcome
from evals.marks import Column, Kind, Mark, Measure
from evals.runs import Run
from evals.scorers.turns import Case, cases

NEAR_TOP = 5


def auroc(scores: Column, labels: Column) -> float:
    """The chance that an answerable question scores above one that is not."""
    truths = labels.astype(bool)
    positive = int(truths.sum())
    negative = len(truths) - positive
    if not positive or not negative:
        return math.nan
    ranks = rankdata(scores.astype(float))[truths].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))


MEASURES = (
    Measure(
        name="found_first",
        title="Right article found first",
        aspect="retrieval",
        says="Of the questions with labelled articles, the share where one of them comes first (hit@1).",
    ),
    Measure(
        name="found_near_top",
        title="Right article among the first five",
        aspect="retrieval",
        says="The share where one of the labelled articles is among the first five found (hit@5).",
        headline=True,
    ),
    Measure(
        name="found_rank",
        title="Rank of the right article",
        aspect="retrieval",
        says="One divided by the place of the first labelled article, on average: 1 is always first (MRR).",
        kind=Kind.MEAN,
        unit="score",
    ),
    Measure(
        name="found_share",
        title="Labelled articles found",
        aspect="retrieval",
        says="The share of the labelled articles that are anywhere among the passages found (recall).",
        kind=Kind.MEAN,
    ),
    Measure(
        name="answerable_auroc",
        title="Knows what it can answer",
        aspect="retrieval",
        says="The chance that a question with an answer gets a higher answerability than one without (AUROC); 0.5: a coin.",
        kind=Kind.POOLED,
        unit="score",
        statistic=auroc,
    ),
)


def score(run: Run) -> Iterator[Mark]:
    """Marks for turns with labelled articles, and for those that are labelled answerable or not."""
    for case in cases(run):
        if case.expect.cite:
            yield from _ranked(case)
        answerable = _answerable(case)
        if answerable is not None:
            value = case.played.trace.get("answerability")
            yield case.mark("answerable_auroc", value, truth=float(answerable))


def _ranked(case: Case) -> Iterator[Mark]:
    passages = case.played.trace.get("passages")
    names = ("found_first", "found_near_top", "found_rank", "found_share")
    if not passages:
        yield from (case.mark(name, None, "nothing was searched") for name in names)
        return
    found = list(dict.fromkeys(str(passage).rpartition("#")[0] for passage, _ in passages))
    wanted = set(case.expect.cite)
    place = next((place for place, document in enumerate(found, start=1) if document in wanted), None)
    why = "" if place == 1 else f"found {', '.join(found[:3])}; wanted {' or '.join(case.expect.cite)}"
    yield case.mark("found_first", place == 1, why)
    yield case.mark("found_near_top", place is not None and place <= NEAR_TOP, why)
    yield case.mark("found_rank", 1 / place if place else 0.0)
    yield case.mark("found_share", len(wanted & set(found)) / len(wanted))


def _answerable(case: Case) -> bool | None:
    """Whether the articles hold the answer; None where the labels do not say, or both ways are right."""
    outcomes = case.expect.outcomes
    if outcomes == (Outcome.ANSWERED,):
        return True
    return False if Outcome.ABSTAINED in outcomes and Outcome.ANSWERED not in outcomes else None
