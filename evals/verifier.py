"""The trained verifier: how likely people say that sources bear a text, from a logistic regression kept as data.

It judges for the evaluation only; the turn checks with `bot.support`. Why: docs/decisions/0024-trained-verifier.md.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from tqdm import tqdm

from evals.formats import FileInvalid
from evals.pairs import PairRow
from evals.support_features import NAMES, Source, Text, read_features, read_nearness, read_sources, read_text
from knowledge.embed import Embedder, Vectors

WEIGHTS = Path(__file__).resolve().parent / "baselines" / "support.json"
PASSES = 0.5
"""From this probability on it says supported."""


class Verifier(BaseModel):
    """One weight for each feature, made by `python -m evals fit support`; `origin` says from what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    bias: float
    weights: Mapping[str, float]

    @field_validator("weights")
    @classmethod
    def _check_names(cls, value: Mapping[str, float]) -> Mapping[str, float]:
        if set(value) != set(NAMES):
            raise ValueError(f"the weights must be those of {', '.join(NAMES)}")
        return value

    def probability(self, features: Mapping[str, float]) -> float:
        """In [0, 1]."""
        odds = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-odds))


def read_verifier(path: Path = WEIGHTS) -> Verifier:
    """Read the fitted weights. Raises FileInvalid naming the file."""
    try:
        return Verifier.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise FileInvalid(f"{path}: cannot be used ({error}); fit it with `python -m evals fit support`") from error


def pair_features(rows: Sequence[PairRow], embedder: Embedder) -> list[dict[str, float]]:
    """The features of each pair; every sentence is embedded once."""
    read = [(read_text(row.response), read_sources(row.source)) for row in rows]
    vectors = _embed([sentence for text, source in read for sentence in (*text.split, *source.split)], embedder)
    return [_features(text, source, vectors) for text, source in read]


def _features(text: Text, source: Source, vectors: Mapping[str, Vectors]) -> dict[str, float]:
    mine, theirs = (np.array([vectors[one] for one in side.split]) for side in (text, source))
    return {**read_features(text, source), **read_nearness(mine, theirs)}


def _embed(sentences: Sequence[str], embedder: Embedder) -> dict[str, Vectors]:
    unique = list(dict.fromkeys(sentences))
    with tqdm(total=len(unique), desc="embed", disable=None, leave=False) as bar:
        return dict(zip(unique, embedder.embed_texts(unique, bar.update), strict=True))
