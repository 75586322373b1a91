"""How near a message's sentence vector comes to written examples: a fitted multinomial logistic model, kept as JSON."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.errors import SettingsInvalid

Vector = NDArray[np.float32]
NONE = "none"
"""The class of the examples that are nothing of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The class (never `none`) a message is nearest to, and the probability in [0, 1] that it is not `none`."""

    kind: str
    score: float


class Nearness:
    """Reads vectors of shape (dimensions,) of the embedder named by `fingerprint`; about 20 µs each."""

    def __init__(self, weights: Vector, kinds: Sequence[str], fingerprint: str) -> None:
        self._weights = weights
        self._kinds = tuple(kinds)
        self._none = self._kinds.index(NONE)
        self.fingerprint = fingerprint

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> "Nearness":
        """Read fitted weights. Raises SettingsInvalid: missing, damaged, or fitted to another embedder."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            weights = np.asarray(kept["weights"], np.float32)
            kinds = [str(kind) for kind in kept["kinds"]]
            if weights.ndim != 2 or len(weights) != len(kinds) or NONE not in kinds:
                raise ValueError("its weights do not fit its kinds")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsInvalid(f"{path}: cannot be used ({error}); make it anew with `python -m evals tune`") from None
        if kept.get("fingerprint") != fingerprint:
            raise SettingsInvalid(f"{path}: was fitted to another embedder; make it anew with `python -m evals tune`")
        return cls(weights, kinds, fingerprint)

    def near(self, vector: Vector) -> Near:
        """What a message with this unit vector comes near to."""
        values = self._weights[:, :-1] @ vector + self._weights[:, -1]
        odds = np.exp(values - values.max())
        shares = odds / odds.sum()
        score = float(1 - shares[self._none])
        shares[self._none] = -1
        return Near(kind=self._kinds[int(shares.argmax())], score=score)


def examples_hash(examples: Mapping[str, Sequence[str]]) -> str:
    """Names the content of a set of examples: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps({k: list(v) for k, v in examples.items()}, sort_keys=True).encode()).hexdigest()[:16]
