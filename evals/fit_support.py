"""Fits the verifier: a logistic regression over the support features, each set of labelled pairs weighing the same.

Beside the weights for pairs of elsewhere it fits, for every set, weights that saw neither that set nor any text of it:
with them `faithfulness` judges pairs whose sources were used for fitting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from evals.escalation import write_json
from evals.folds import Folds, hash_source
from evals.formats import FileInvalid
from evals.pairs import Numbers, PairRow, Truths
from evals.support_features import NAMES
from evals.verifier import Verifier, pair_features
from knowledge.embed import Embedder

STRENGTH = 0.003
"""Inverse strength of the ridge, of 0.003, 0.02 and 0.1: the best mean over sets that were left out."""
MERIT, FAULT = (0.0, None), (None, 0.0)
SIGNS: Mapping[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(("held", "order", "best_sentence", "all_words", "nearest", "near"), MERIT),
    **dict.fromkeys(("number", "name", "negation", "turned", "quantifier"), FAULT),
}
MADE = "made"
"""The family of the pairs made from our own articles."""
MADE_WEIGHT = 0.25
"""What they weigh against the pairs that people labelled, of 0, 0.25 and 1: more, and the others are told apart worse."""
PLACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSet:
    """The pairs of one file; sets of a `family` (the file name up to `-`) share the weight of one."""

    name: str
    rows: Sequence[PairRow]

    @property
    def family(self) -> str:
        """Who labelled it."""
        return self.name.partition("-")[0]


def fit_support(sets: Sequence[LabelledSet], out: Path, folds_out: Path) -> str:
    """Fit, write the weights and those for each set left out. Raises FileInvalid when a set has only one label."""
    for one in sets:
        if len({row.label for row in one.rows}) < 2:
            raise FileInvalid(f"{one.name}: nothing to fit: some pairs must have label 1 and some 0")
    embedder = Embedder(threads=2)
    values = {one.name: _values(one.rows, embedder) for one in sets}
    verifier = _fit(sets, values, frozenset())
    outside = [one for one in sets if one.family != MADE]
    folds = Folds(
        verifiers={one.name: _fit([other for other in sets if other is not one], values, texts(one)) for one in outside},
        sources={one.name: sorted({hash_source(text) for row in one.rows for text in row.source}) for one in outside},
    )
    write_json(out, verifier.model_dump(mode="json"))
    write_json(folds_out, folds.model_dump(mode="json"))
    return f"{out}: {verifier.origin}; weights {dict(verifier.weights)}\n{folds_out}: {len(outside)} sets left out in turn"


def texts(one: LabelledSet) -> frozenset[str]:
    """All that stands on either side of a set's pairs."""
    return frozenset(text for row in one.rows for text in (*row.source, row.response))


def _fit(sets: Sequence[LabelledSet], values: Mapping[str, Numbers], avoid: frozenset[str]) -> Verifier:
    """Fit on the sets without the rows that share a text with what must not be seen."""
    families = [one.family for one in sets]
    inputs, labels, weights = [], [], []
    for one in sets:
        kept = np.array([not avoid or not {row.response, *row.source} & avoid for row in one.rows])
        truth = np.array([row.label for row in one.rows])[kept]
        inputs.append(values[one.name][kept])
        labels.append(truth)
        weights.append(_half_each(truth) * (MADE_WEIGHT if one.family == MADE else 1 / families.count(one.family)))
    if not any(truth.any() and not truth.all() for truth in labels):
        raise FileInvalid("nothing to fit once a set and all texts of it are left out: give more sets, of other sources")
    x, spread = np.vstack(inputs), np.vstack(inputs).std(axis=0) + 1e-9
    means = x.mean(axis=0)
    *fitted, bias = _regress((x - means) / spread, np.concatenate(labels), np.concatenate(weights))
    slopes = np.array(fitted) / spread
    return Verifier(
        origin=", ".join(f"{one.name} ({len(truth)})" for one, truth in zip(sets, labels, strict=True)),
        bias=round(float(bias - slopes @ means), PLACES),
        weights={name: round(float(slope), PLACES) for name, slope in zip(NAMES, slopes, strict=True)},
    )


def _regress(x: Numbers, truth: Truths, weights: Numbers) -> Numbers:
    """Logistic regression with a ridge and signs: no weight may make what is missing, or turned round, a merit."""
    sides = np.where(truth, 1.0, -1.0)
    inputs = np.hstack([x, np.ones((len(x), 1))])

    def loss(slopes: Numbers) -> tuple[float, Numbers]:
        margins = sides * (inputs @ slopes)
        ridge = np.append(slopes[:-1], 0) / STRENGTH
        slope = -inputs.T @ (weights * sides / (1 + np.exp(margins))) + ridge
        return float(weights @ np.logaddexp(0, -margins) + slopes[:-1] @ slopes[:-1] / (2 * STRENGTH)), slope

    bounds = [*((SIGNS.get(name, (None, None))) for name in NAMES), (None, None)]
    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, np.float64)


def _half_each(truth: Truths) -> Numbers:
    """Weights that give either label 500 of a thousand."""
    return np.asarray(np.where(truth, 500 / max(1, truth.sum()), 500 / max(1, (~truth).sum())), np.float64)


def _values(rows: Sequence[PairRow], embedder: Embedder) -> Numbers:
    return np.array([[one[name] for name in NAMES] for one in pair_features(rows, embedder)])
