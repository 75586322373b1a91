"""The fitted model of frustration: a small lexicon of words with weights, and a logistic regression over the features."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.fitted import load_fitted

MOOD = Path(__file__).resolve().parent / "data" / "mood.json"
_TONE = (-4.0, 4.0)


class MoodModel(BaseModel):
    """Weights kept as data (`bot/data/mood.json`), made by `python -m evals tune frustration`; `origin` says from what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    bias: float
    weights: Mapping[str, float] = Field(min_length=1)
    lexicon_bias: float
    lexicon: Mapping[str, float] = Field(min_length=1)

    def tone(self, words: Sequence[str]) -> float:
        """How frustrated the words sound alone: log odds, kept within -4 and 4."""
        return max(_TONE[0], min(_TONE[1], self.lexicon_bias + sum(self.lexicon.get(word, 0.0) for word in words)))

    def frustration(self, features: Mapping[str, float]) -> float:
        """The probability in [0, 1] that the customer is frustrated."""
        odds = self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-odds))


def load_mood_model(path: Path = MOOD) -> MoodModel:
    """Read the fitted model. Raises SettingsInvalid naming the file."""
    return load_fitted(path, MoodModel, "frustration")
