"""Fits the nearness model of crises to the written examples."""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.crisis import WEIGHTS, read_crisis_examples
from bot.nearness import NONE, examples_hash
from evals.escalation import write_json
from knowledge.embed import FINGERPRINT, Embedder

STRENGTH = 3.0


def fit_crisis(out: Path = WEIGHTS) -> str:
    """Fit, write the weights to `out` and say what they are."""
    examples = read_crisis_examples()
    kinds = [*(kind for kind in examples if kind != NONE), NONE]
    texts = [(text, kinds.index(kind)) for kind, written in examples.items() for text in written]
    vectors = Embedder(threads=2).embed_texts([text for text, _ in texts])
    fitted = LogisticRegression(C=STRENGTH, max_iter=3000).fit(vectors, [kind for _, kind in texts])
    weights = np.hstack([fitted.coef_, fitted.intercept_[:, None]])
    write_json(
        out,
        {
            "origin": "bot/policies/crisis_examples.yaml",
            "examples": examples_hash(examples),
            "fingerprint": FINGERPRINT,
            "kinds": kinds,
            "weights": [[round(float(value), 3) for value in row] for row in weights],
        },
    )
    return f"{out}: {len(texts)} examples of {', '.join(kinds)}"
