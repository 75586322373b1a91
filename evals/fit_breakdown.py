"""Fits the breakdown model to the development half of a labelled set of replies."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.breakdown import BreakdownModel, breakdown_features
from evals.detection import LabelledRow
from evals.escalation import write_json
from evals.formats import FileInvalid
from evals.frustration import fitted_half, is_reply, split_history


def fit_breakdown(rows: Sequence[LabelledRow], source: str, out: Path) -> str:
    """Fit, write the model to `out` and say what it is. Raises FileInvalid when the rows are not replies."""
    fitting = [row for row in rows if is_reply(row) and fitted_half(row) == "development"]
    if len({row.label for row in fitting}) < 2:
        raise FileInvalid("nothing to fit: the rows must be replies to a customer, some with label 1 and some with 0")
    features = [breakdown_features(row.text, *split_history(row)) for row in fitting]
    names = list(features[0])
    values = np.array([[one[name] for name in names] for one in features])
    spread = values.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=0.3, max_iter=2000).fit(values / spread, [row.label for row in fitting])
    weights = {name: round(float(weight), 3) for name, weight in zip(names, fitted.coef_[0] / spread, strict=True)}
    model = BreakdownModel(
        origin=f"{source}, development half by dialogue ({len(fitting)} replies). DBDC3: Higashinaka et al. 2017, MIT",
        bias=round(float(fitted.intercept_[0]), 3),
        weights=weights,
    )
    write_json(out, model.model_dump(mode="json"))
    return f"{out}: {weights}"
