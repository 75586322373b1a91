"""The scorers: one aspect per file, each with MEASURES and `score`. A new one is a file and a line here."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from evals.marks import Mark, Measure
from evals.runs import Run
from evals.scorers import answer, escalation, faithfulness, intent, ragas, retrieval, safety, spend


class Scorer(Protocol):
    """What a module of a scorer offers."""

    @property
    def MEASURES(self) -> Sequence[Measure]:  # noqa: N802 - a constant of a module
        """What its marks are called and what they add up to."""
        ...

    def score(self, run: Run) -> Iterable[Mark]:
        """What it says of every turn of a run."""
        ...


SCORERS: Sequence[Scorer] = [answer, escalation, intent, retrieval, faithfulness, ragas, safety, spend]
"""In the order in which a report shows them."""
MEASURES: Mapping[str, Measure] = {measure.name: measure for scorer in SCORERS for measure in scorer.MEASURES}


def score_run(run: Run) -> list[Mark]:
    """Every mark of every scorer."""
    return list(chain.from_iterable(scorer.score(run) for scorer in SCORERS))
