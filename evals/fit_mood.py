"""Fits the model of frustration: a sparse lexicon from a labelled set, then the weights of all features."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from bot.mood_features import NAMES, mood_words, read_features
from bot.mood_model import MoodModel
from evals.detection import LabelledRow, half
from evals.escalation import write_json
from evals.formats import FileInvalid

LEAST_MESSAGES = 10
STRENGTH = 0.25
"""Inverse strength of the lasso: about 700 words; weaker adds thousands of words and 0.001 of AUROC."""
OWN_WEIGHT = 20
"""What a message of our own counts against one of the set: see docs/decisions/0021-sentiment.md."""
ENOUGH = 20_000
"""Rows of the set that fit the features' weights; all of them fit the lexicon."""
INSISTENCE = 2.5
"""Weight of a repeated request, set by hand: neither set has conversations of one customer."""
_MASKS = frozenset({"name", "religion", "not_name", "not_religion"})


def fit_mood(rows: Sequence[LabelledRow], own: Sequence[LabelledRow], source: str, out: Path) -> str:
    """Fit, write the model to `out` and say what it is. Raises FileInvalid when there is nothing to tell apart."""
    if len({row.label for row in rows}) < 2:
        raise FileInvalid(f"{source}: nothing to fit: some rows must have label 1 and some 0")
    words = CountVectorizer(analyzer=mood_words, binary=True, min_df=LEAST_MESSAGES)
    counts = words.fit_transform([row.text for row in rows])
    names = words.get_feature_names_out()
    kept = [place for place, name in enumerate(names) if name not in _MASKS and not name.isdigit()]
    lasso = LogisticRegression(C=STRENGTH, l1_ratio=1, solver="liblinear", max_iter=500, random_state=0)
    lasso.fit(counts[:, kept], [row.label for row in rows])
    weighed = zip(names[kept], lasso.coef_[0], strict=True)
    lexicon = {str(name): round(float(weight), 3) for name, weight in weighed if round(weight, 3)}
    start = round(float(lasso.intercept_[0]), 3)
    bare = MoodModel(origin="", bias=0, weights={"tone": 1}, lexicon_bias=start, lexicon=lexicon)
    fitting = [(row, 1.0) for row in rows[:ENOUGH]]
    fitting += [(row, float(OWN_WEIGHT)) for row in own if half(row) == "development"]
    values = [_values(row, bare) for row, _ in tqdm(fitting, desc="features", disable=None, leave=False)]
    whole = LogisticRegression(max_iter=2000).fit(
        np.array(values), [row.label for row, _ in fitting], sample_weight=[weight for _, weight in fitting]
    )
    weights = {name: round(float(weight), 3) for name, weight in zip(NAMES, whole.coef_[0], strict=True)}
    model = bare.model_copy(
        update={
            "origin": f"{source} ({len(rows)} rows), own messages ({sum(weight > 1 for _, weight in fitting)} rows, weight "
            f"{OWN_WEIGHT}); insistence set by hand. GoEmotions: Demszky et al. 2020, Apache-2.0",
            "bias": round(float(whole.intercept_[0]), 3),
            "weights": weights | {"insistence": INSISTENCE},
        }
    )
    write_json(out, model.model_dump(mode="json"))
    return f"{out}: {len(lexicon)} words, weights {model.weights}"


def _values(row: LabelledRow, model: MoodModel) -> list[float]:
    found = read_features(row.text)
    values = {**found.values, "tone": model.tone(found.words)}
    return [values[name] for name in NAMES]
