"""From marks to figures with their 95% interval, and whether two runs over the same turns differ.

Rates: Wilson's interval and McNemar's exact test. Everything else: bootstrap by conversation, for turns of one conversation
are not independent. Many measures are looked at together, so the p values of those that could show anything are adjusted
(Benjamini and Hochberg, 1995).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evals.marks import Column, Kind, Measure, Rows
from evals.metrics import SEED, Figure, share

RESAMPLES = 1_000
LEVEL = 0.05
POWER = 0.8
POINTS = 0.02
"""The difference for which the labels that are needed are told."""
_SUM = NormalDist().inv_cdf(1 - LEVEL / 2) + NormalDist().inv_cdf(POWER)
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How the second run differs from the first on the turns that both were scored on.

    `better` and `worse` count turns that changed, None where a measure has no turns that are right or wrong. `smallest` is
    the difference that would have been found with a chance of 80%, `needed` how many labels would show one of two points.
    """

    before: float
    after: float
    value: float
    low: float
    high: float
    p: float
    n: int
    better: int | None
    worse: int | None
    smallest: float
    needed: int


def figure(measure: Measure, rows: Rows) -> Figure | None:
    """The figure of a measure; None without marks, or where they do not say."""
    if not rows.n:
        return None
    if measure.kind is Kind.RATE:
        return share([bool(value) for value in rows.values])
    compute = statistic(measure)
    value = compute(rows.values, rows.truths)
    if math.isnan(value):
        return None
    if measure.kind is Kind.MEAN and measure.unit == "share" and len(set(rows.values.tolist())) == 1 and value in (0, 1):
        return share([bool(value)] * rows.n)  # all alike: resampling would claim to be certain
    drawn = _drawn(measure, rows)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Figure(value=value, low=float(low), high=float(high), n=count(measure, rows))


def count(measure: Measure, rows: Rows) -> int:
    """How many marks a figure is about."""
    return measure.of(rows.values, rows.truths) if measure.of else rows.n


def statistic(measure: Measure) -> Callable[[Column, Column], float]:
    """What the marks of a measure add up to."""
    return measure.statistic or _mean


def difference(measure: Measure, before: Rows, after: Rows) -> Difference | None:
    """How two runs differ; both hold the marks of the same turns in the same order. None where they do not say."""
    if not before.n:
        return None
    compute = statistic(measure)
    values = compute(before.values, before.truths), compute(after.values, after.truths)
    if any(map(math.isnan, values)):
        return None
    drawn = _drawn(measure, after) - _drawn(measure, before)  # the same conversations: each draw has the same seed
    low, high = (float(end) for end in np.nanpercentile(drawn, [2.5, 97.5]))
    better, worse = _flips(measure, before, after)
    error = float(np.nanstd(drawn))
    p = mcnemar(better or 0, worse or 0) if measure.kind is Kind.RATE else _bootstrap_p(drawn)
    flipped = ((better or 0) + (worse or 0)) / before.n if measure.kind is Kind.RATE else None
    return Difference(
        before=values[0],
        after=values[1],
        value=values[1] - values[0],
        low=low,
        high=high,
        p=p,
        n=min(count(measure, before), count(measure, after)),
        better=better,
        worse=worse,
        smallest=_smallest(measure, before.n, flipped, error),
        needed=_needed(measure, before.n, flipped, error),
    )


def mcnemar(better: int, worse: int) -> float:
    """The exact two-sided p of turns that changed one way and the other (McNemar, 1947): a sign test."""
    changed = better + worse
    return float(stats.binomtest(better, changed, 0.5).pvalue) if changed else 1.0


def could_show(found: Difference) -> bool:
    """Whether enough changed that the test could have found something; what could not is no chance taken (Tarone, 1990)."""
    if found.better is None or found.worse is None:
        return found.value != 0
    return mcnemar(0, found.better + found.worse) < LEVEL


def adjusted(ps: Sequence[float]) -> list[float]:
    """The p values as they count when so many are looked at together."""
    return [float(p) for p in stats.false_discovery_control(np.asarray(ps))] if ps else []


def _mean(values: Column, _: Column) -> float:
    return float(np.mean(values.astype(np.float64))) if len(values) else math.nan


def _flips(measure: Measure, before: Rows, after: Rows) -> tuple[int | None, int | None]:
    if measure.kind is not Kind.RATE:
        return None, None
    was, now = before.values.astype(bool), after.values.astype(bool)
    return int((~was & now).sum()), int((was & ~now).sum())


def _drawn(measure: Measure, rows: Rows) -> NDArray[np.float64]:
    """The statistic of so many samples of conversations, drawn with replacement; the same samples each time."""
    many = len(rows.places)
    draws = np.random.default_rng(SEED).integers(0, many, (RESAMPLES, many))
    if measure.statistic is None:
        sums = np.array([rows.values[places].astype(np.float64).sum() for places in rows.places])
        sizes = np.array([len(places) for places in rows.places])
        return np.asarray(sums[draws].sum(axis=1) / sizes[draws].sum(axis=1), np.float64)
    compute = measure.statistic
    samples = (np.concatenate([rows.places[one] for one in draw]) for draw in draws)
    return np.array([compute(rows.values[places], rows.truths[places]) for places in samples])


def _bootstrap_p(drawn: NDArray[np.float64]) -> float:
    """Twice the smaller share of samples on one side of no difference (Efron and Tibshirani, 1993)."""
    known = drawn[~np.isnan(drawn)]
    if not known.any():
        return 1.0
    side = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return float(min(1.0, 2 * (side + 1) / (len(known) + 1)))


def _smallest(measure: Measure, n: int, flipped: float | None, error: float) -> float:
    """For pairs by Connor (1987): as many turns change as changed here, and at least as many as the difference needs."""
    if measure.unit != "share":
        return _SUM * error
    wanted = _SUM * (error if flipped is None else math.sqrt(flipped / n))
    return min(1.0, max(wanted, _SUM**2 / n))


def _needed(measure: Measure, n: int, flipped: float | None, error: float) -> int:
    if measure.unit != "share":
        return 0
    spread = n * error**2 if flipped is None else flipped
    return math.ceil(_SUM**2 * max(spread, POINTS) / POINTS**2)
