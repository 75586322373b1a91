"""Agreement of two labellers beyond chance: Cohen's kappa, its interval drawn by conversation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.metrics import RESAMPLES, SEED, Figure, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What two labellers said of one message; `conversation` is what is drawn again, as its messages hang together."""

    conversation: int
    first: str
    second: str


def kappa(pairs: Sequence[Pair]) -> Figure | None:
    """Cohen's kappa (1960) with a percentile bootstrap over conversations, `n` in messages.

    None without pairs, or where both always gave one and the same label: chance alone then explains everything.
    """
    if not pairs:
        return None
    tables = _tables(pairs)
    value = float(_kappas(tables.sum(0, keepdims=True))[0])
    if np.isnan(value):
        return None
    count = len(tables)
    drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    kappas = _kappas(np.tensordot(drawn.astype(np.float64), tables, axes=1))
    low, high = np.nanpercentile(kappas, [2.5, 97.5])
    return Figure(value=value, low=float(low), high=float(high), n=len(pairs))


def _tables(pairs: Sequence[Pair]) -> Numbers:
    """For each conversation how often the first said the row and the second the column."""
    labels = {
        label: place for place, label in enumerate(sorted({one for pair in pairs for one in (pair.first, pair.second)}))
    }
    places = {of: place for place, of in enumerate(dict.fromkeys(pair.conversation for pair in pairs))}
    tables = np.zeros((len(places), len(labels), len(labels)))
    for pair in pairs:
        tables[places[pair.conversation], labels[pair.first], labels[pair.second]] += 1
    return tables


def _kappas(tables: Numbers) -> Numbers:
    """Kappa of each table; NaN where it says nothing."""
    total = tables.sum((1, 2))
    same = np.trace(tables, axis1=1, axis2=2) / total
    chance = (tables.sum(1) * tables.sum(2)).sum(1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = np.where(np.isclose(chance, 1), np.nan, (same - chance) / (1 - chance))
    return found
