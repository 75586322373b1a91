"""Labelled pairs of a response and its sources, and how well a score tells the supported from the others."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from evals.formats import Row
from evals.metrics import RESAMPLES, SEED, Figure, area, auroc

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Places = NDArray[np.int64]


class PairRow(Row):
    """A response and the texts it must rest on; `label`: they support it; `system` names who wrote it, where known."""

    source: tuple[str, ...]
    response: str
    label: bool
    system: str | None = None

    @field_validator("source", mode="before")
    @classmethod
    def _one_source(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


def pair_figures(rows: Sequence[PairRow], scores: Sequence[float], threshold: float) -> dict[str, Figure | None]:
    """The AUROC over all pairs, the same over pairs of one system, and the balanced accuracy at the threshold.

    Intervals are bootstrapped over the texts that pairs share: the answers to one source stand or fall together.
    """
    values, labels = np.asarray(scores, np.float64), np.array([row.label for row in rows], bool)
    systems = np.unique([row.system or "" for row in rows], return_inverse=True)[1]
    named = any(row.system for row in rows)
    groups = _groups(rows)
    return {
        "auroc": _clustered(groups, lambda some: area(values[some], labels[some])),
        "auroc_within_system": _clustered(groups, lambda some: _within(values[some], labels[some], systems[some]))
        if named
        else None,
        "balanced_accuracy": _clustered(groups, lambda some: _balanced(values[some] >= threshold, labels[some])),
    }


def by_system(rows: Sequence[PairRow], scores: Sequence[float]) -> Mapping[str, Figure | None]:
    """The AUROC of each system's pairs; None where one label is missing."""
    found: dict[str, Figure | None] = {}
    for system in sorted({row.system for row in rows if row.system}):
        own = [(score, row.label) for row, score in zip(rows, scores, strict=True) if row.system == system]
        found[system] = auroc([score for score, _ in own], [label for _, label in own])
    return found


def _groups(rows: Sequence[PairRow]) -> Places:
    """For each row the number of its group: rows with the same sources."""
    known: dict[tuple[str, ...], int] = {}
    return np.array([known.setdefault(row.source, len(known)) for row in rows])


def _within(values: Numbers, labels: Truths, systems: Places) -> float:
    """The chance that a supported pair scores above an unsupported one of the same system."""
    won = pairs = 0.0
    for system in np.unique(systems):
        own = systems == system
        count = float(labels[own].sum()) * float((~labels[own]).sum())
        if count:
            won, pairs = won + count * area(values[own], labels[own]), pairs + count
    return won / pairs if pairs else math.nan


def _balanced(said: Truths, labels: Truths) -> float:
    """The mean of the share of supported pairs that pass and that of the others that do not; NaN without one of them."""
    if not labels.any() or labels.all():
        return math.nan
    return float((said[labels].mean() + (~said[~labels]).mean()) / 2)


def _clustered(groups: Places, statistic: Callable[[Places], float]) -> Figure | None:
    """A figure with a percentile bootstrap that draws whole groups; None when it is not defined."""
    everything = np.arange(len(groups))
    value = statistic(everything)
    if math.isnan(value):
        return None
    count, dice = int(groups.max()) + 1, np.random.default_rng(SEED)
    times = (np.bincount(dice.integers(0, count, count), minlength=count) for _ in range(RESAMPLES))
    low, high = np.nanpercentile([statistic(np.repeat(everything, one[groups])) for one in times], [2.5, 97.5])
    return Figure(value=value, low=float(low), high=float(high), n=len(everything))
