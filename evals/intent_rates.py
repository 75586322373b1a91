"""From messages whose intent was read to rates with their 95% intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bot.classify import IntentGuess
from evals.formats import Row
from evals.metrics import SEED, Figure, share

OUT_OF_SCOPE = "oos"
RATES = ("accuracy", "in_scope_accuracy", "oos_recall", "oos_precision", "mcc", "macro_f1", "ece")
_BINS = 15
_RESAMPLES = 500

Places = NDArray[np.int64]


class IntentRow(Row):
    """A message and its intent."""

    text: str = Field(min_length=1)
    label: str = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A test message with what was said of it: `nearest` is its intent were it in scope, `chance` how sure that is."""

    row: IntentRow
    guess: IntentGuess
    nearest: str
    chance: float

    @property
    def said(self) -> str:
        """The label given."""
        return self.guess.name if self.guess.in_scope else OUT_OF_SCOPE


def summarise(answered: Sequence[Answered]) -> dict[str, object]:
    """Counts, rates and their intervals.

    Where no test message is out of scope the question asked is the closed one: the nearest intent counts even if it was
    rejected (`protocol` says so). In `in_scope_accuracy` a rejected message is wrong under both.
    """
    truth = [one.row.label for one in answered]
    closed = OUT_OF_SCOPE not in truth
    said = [one.nearest if closed else one.said for one in answered]
    sure = [one.chance if closed else one.guess.confidence for one in answered]
    rates: dict[str, Figure | None] = {
        "accuracy": share([label == given for label, given in zip(truth, said, strict=True)]),
        "in_scope_accuracy": share([one.said == one.row.label for one in answered if one.row.label != OUT_OF_SCOPE]),
        "oos_recall": share([one.said == OUT_OF_SCOPE for one in answered if one.row.label == OUT_OF_SCOPE]),
        "oos_precision": None if closed else share([label == OUT_OF_SCOPE for label in _labels_said_out(answered)]),
        **_drawn(truth, said, np.asarray(sure)),
    }
    known = {name: figure for name, figure in rates.items() if figure is not None}
    return {
        "n": len(answered),
        "n_oos": truth.count(OUT_OF_SCOPE),
        "protocol": "closed" if closed else "open",
        **{name: None if figure is None else round(figure.value, 4) for name, figure in rates.items()},
        "intervals": {name: [round(one.low, 4), round(one.high, 4)] for name, one in known.items()},
    }


def _labels_said_out(answered: Sequence[Answered]) -> list[str]:
    return [one.row.label for one in answered if one.said == OUT_OF_SCOPE]


def _drawn(truth: Sequence[str], said: Sequence[str], sure: NDArray[np.float64]) -> dict[str, Figure | None]:
    """The rates that are no shares, bootstrapped together."""
    number = {label: place for place, label in enumerate(sorted({*truth, *said}))}
    labels = np.asarray([number[label] for label in truth]), np.asarray([number[label] for label in said])
    dice = np.random.default_rng(SEED)
    n = len(truth)
    whole = _three(*labels, sure)
    drawn = [_three(labels[0][rows], labels[1][rows], sure[rows]) for rows in dice.integers(0, n, (_RESAMPLES, n))]
    low, high = np.percentile(np.asarray(drawn), [2.5, 97.5], axis=0)
    return {
        name: Figure(value=whole[place], low=float(low[place]), high=float(high[place]), n=n)
        for place, name in enumerate(RATES[-3:])
    }


def _three(truth: Places, said: Places, sure: NDArray[np.float64]) -> tuple[float, float, float]:
    """Matthews' coefficient for many classes (Gorodkin, 2004), the mean F1 of the labels there are, calibration error."""
    size = int(max(truth.max(), said.max())) + 1
    hits = np.bincount(truth[truth == said], minlength=size)
    there, given = np.bincount(truth, minlength=size), np.bincount(said, minlength=size)
    n = len(truth)
    spread = np.sqrt(float(n**2 - there @ there)) * np.sqrt(float(n**2 - given @ given))
    matthews = float(hits.sum() * n - there @ given) / spread if spread else 0.0
    f1 = 2 * hits[there > 0] / (there + given)[there > 0]
    return float(matthews), float(f1.mean()), _calibration_error(truth == said, sure)


def _calibration_error(right: NDArray[np.bool_], sure: NDArray[np.float64]) -> float:
    """Expected calibration error over equally wide bins (Guo et al., 2017)."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    inside = [bins == one for one in np.unique(bins)]
    return float(sum(abs(right[mine].mean() - sure[mine].mean()) * mine.mean() for mine in inside))
