"""How near a message's sentence vector comes to written examples: kernel regressions, fitted once and kept as arrays."""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from bot.errors import SettingsInvalid
from bot.patterns import POLICIES, read_policy

Vector = NDArray[np.float32]
NEARNESS = Path(__file__).resolve().parent / "data" / "nearness.npz"
FILES = ("crisis", "asking", "sensitive", "unhelped", "abuse")
"""The example files, `bot/policies/NAME_examples.yaml`: each is one question that is asked of a message."""
NONE = "none"
"""The class of the examples that are nothing of the kind."""
_ANEW = "make it anew with `python -m evals tune nearness`"
WIDTH = 1.0
"""Of the kernel exp(-WIDTH * squared distance); origin: docs/decisions/0022-escalation.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The class (never `none`) a message is nearest to, and the probability in [0, 1] that it is not `none`."""

    kind: str
    score: float


class Nearness:
    """Reads unit vectors of shape (dimensions,) of the embedder named by `fingerprint`; less than a millisecond each.

    `landmarks` (n, dimensions) are the examples that are kept; `weights` (n + 1, columns) has for each file a column for
    all its kinds and one for each, the last row what is added; `slopes` (files, 2) turn the first into a probability.
    """

    def __init__(self, landmarks: Vector, weights: Vector, slopes: Vector, kinds: Mapping[str, Sequence[str]]) -> None:
        self._landmarks = landmarks
        self._weights = weights
        self._slopes = slopes
        self._kinds = {name: tuple(mine) for name, mine in kinds.items()}

    @classmethod
    def load(cls, fingerprint: str, path: Path = NEARNESS) -> "Nearness":
        """Read what was fitted. Raises SettingsInvalid: missing, damaged, or fitted to another embedder."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                held = {name: arrays[name].astype(np.float32) for name in ("landmarks", "weights", "slopes")}
                kept: dict[str, Any] = json.loads(arrays["told"].tobytes())
            kinds = {str(name): tuple(map(str, mine)) for name, mine in kept["kinds"].items()}
            columns = sum(1 + len(mine) for mine in kinds.values())
            if held["weights"].shape != (len(held["landmarks"]) + 1, columns):
                raise ValueError("its weights do not fit its kinds")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
            raise SettingsInvalid(f"{path}: cannot be used ({error}); {_ANEW}") from None
        if kept.get("fingerprint") != fingerprint:
            raise SettingsInvalid(f"{path}: was fitted to another embedder; {_ANEW}")
        return cls(**held, kinds=kinds)

    def near(self, vector: Vector) -> Mapping[str, Near]:
        """What a message with this unit vector comes near to, for each file."""
        alike = alikeness(self._landmarks @ vector)
        values = alike @ self._weights[:-1] + self._weights[-1]
        found, place = {}, 0
        for (slope, bias), (name, kinds) in zip(self._slopes, self._kinds.items(), strict=True):
            score = float(1 / (1 + np.exp(-slope * values[place] - bias)))
            mine = values[place + 1 : place + 1 + len(kinds)]
            found[name] = Near(kind=kinds[int(mine.argmax())], score=score)
            place += 1 + len(kinds)
        return found


def alikeness(cosines: Vector) -> Vector:
    """The kernel of unit vectors, from their cosines."""
    alike: Vector = np.exp(2 * WIDTH * (cosines - 1))
    return alike


class _Examples(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: Mapping[str, tuple[str, ...]]


def read_examples(name: str) -> Mapping[str, tuple[str, ...]]:
    """The written examples of a file: of each of its kinds, and of none. Raises SettingsInvalid."""
    return read_policy(POLICIES / f"{name}_examples.yaml", _Examples).examples


def examples_hash() -> str:
    """Names the content of all example files: 16 hexadecimal digits."""
    told = {name: {kind: list(texts) for kind, texts in read_examples(name).items()} for name in FILES}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
