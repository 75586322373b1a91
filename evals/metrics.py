"""From scores per question to a figure with its 95% interval."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
SEED = 20_261_120
Z = NormalDist().inv_cdf(0.975)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value with the ends of its 95% interval, from `n` questions."""

    value: float
    low: float
    high: float
    n: int


def share(hits: Sequence[bool]) -> Figure | None:
    """The share of hits with Wilson's interval; None without any."""
    n = len(hits)
    if not n:
        return None
    p = sum(hits) / n
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return Figure(value=p, low=max(0.0, middle - half), high=min(1.0, middle + half), n=n)


def mean(values: Sequence[float]) -> Figure | None:
    """The mean with a percentile bootstrap interval; None without any."""
    if not values:
        return None
    numbers = np.asarray(values, np.float64)
    return _bootstrapped(len(values), lambda rows: float(numbers[rows].mean()))


def auroc(scores: Sequence[float], labels: Sequence[bool]) -> Figure | None:
    """The chance that a true one scores above a false one (ties count half), bootstrapped; None when a class is missing."""
    numbers, truths = np.asarray(scores, np.float64), np.asarray(labels, bool)
    if not truths.any() or truths.all():
        return None
    return _bootstrapped(len(numbers), lambda rows: area(numbers[rows], truths[rows]))


def area(scores: Numbers, labels: NDArray[np.bool_]) -> float:
    """The AUROC itself, without an interval; NaN when a class is missing."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return math.nan
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _bootstrapped(n: int, statistic: Callable[[NDArray[np.int64]], float]) -> Figure:
    dice = np.random.default_rng(SEED)
    drawn = np.array([statistic(dice.integers(0, n, n)) for _ in range(RESAMPLES)])
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Figure(value=statistic(np.arange(n)), low=float(low), high=float(high), n=n)
