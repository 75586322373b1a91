"""In scope or not: a gate fitted on what the classifier says of messages it has not learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.ngrams import Floats

OUT_SHARE = 0.3
"""Share of out-of-scope messages the gate and its threshold are fitted for; origin: docs/decisions/0020-intents.md."""
_STEPS = 400
_LBFGS = {"maxiter": 100, "maxls": 50, "gtol": 1e-4, "ftol": 64 * np.finfo(float).eps}

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The probability that a message is in scope, and from where on it counts as that."""

    weights: Numbers
    bias: float
    threshold: float

    @classmethod
    def fit(cls, known: Numbers, right: Flags, foreign: Numbers) -> "Gate":
        """From signs of messages in scope (`right`: read as the right intent) and of foreign ones, shape (n, signs)."""
        signs = np.concatenate([known, foreign])
        labels = np.repeat([1, 0], [len(known), len(foreign)])
        shares = np.repeat([(1 - OUT_SHARE) / len(known), OUT_SHARE / len(foreign)], [len(known), len(foreign)])
        mean, spread = signs.mean(0), signs.std(0)
        spread[spread == 0] = 1.0
        *fitted, intercept = _fit_logistic((signs - mean) / spread, labels, shares * len(signs))
        weights = np.asarray(fitted) / spread
        bias = float(intercept - weights @ mean)
        open_gate = cls(weights=weights, bias=bias, threshold=0.0)
        threshold = _threshold(open_gate.probability(known), right, open_gate.probability(foreign))
        return cls(weights=weights, bias=bias, threshold=threshold)

    def probability(self, signs: Numbers) -> Numbers:
        """That messages are in scope, from signs of shape (n, signs)."""
        inside: Numbers = 1 / (1 + np.exp(-np.clip(signs @ self.weights + self.bias, -30, 30)))
        return inside


def _fit_logistic(samples: Numbers, labels: NDArray[np.int64], shares: Numbers) -> Numbers:
    """Weights and bias, shape (signs + 1,), of a weighted logistic regression with a ridge of 1 on the weights.

    The same steps as in scikit-learn, so that the gate is the one that was measured; importing that takes 2 s.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  only where something is learned: half a second

    design = np.column_stack([samples, np.ones(len(samples))])
    ridge = np.append(np.ones(samples.shape[1]), 0.0) / shares.sum()
    shares = shares / shares.sum()
    side = 2.0 * labels - 1

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        margin = side * (design @ weights)
        slope = -shares * side * np.exp(-np.logaddexp(0, margin))
        value = shares @ np.logaddexp(0, -margin) + ridge @ weights**2 / 2
        return float(value), slope @ design + ridge * weights

    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options=_LBFGS)
    return np.asarray(found.x, np.float64)


def signs(scores: Floats, mean_cosine: Floats, foreign_cosine: Floats | None) -> Numbers:
    """What the gate looks at: the best score, the nearest intent's mean and, where known, the nearest foreign example.

    Arguments have shapes (n, intents), (n, intents) and (n,).
    """
    columns = [scores.max(1), mean_cosine.max(1)]
    if foreign_cosine is not None:
        columns.append(foreign_cosine)
    return np.stack(columns, axis=1).astype(np.float64)


def _threshold(known: Numbers, right: Flags, foreign: Numbers) -> float:
    """Where most messages are treated rightly: the middle of the thresholds that half a standard error cannot tell apart."""
    tried = np.quantile(np.concatenate([known, foreign]), np.linspace(0, 1, _STEPS))
    kept = (right[None, :] & (known[None, :] >= tried[:, None])).mean(1)
    stopped = (foreign[None, :] < tried[:, None]).mean(1)
    gain = (1 - OUT_SHARE) * kept + OUT_SHARE * stopped
    best = int(gain.argmax())
    error = np.hypot(
        (1 - OUT_SHARE) * np.sqrt(kept[best] * (1 - kept[best]) / len(known)),
        OUT_SHARE * np.sqrt(stopped[best] * (1 - stopped[best]) / len(foreign)),
    )
    return float(tried[gain >= gain[best] - error / 2].mean())
