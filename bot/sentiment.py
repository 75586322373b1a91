"""Reads a customer's mood: polarity, frustration, and where a conversation is heading. English only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.language import UNKNOWN, detect_language
from bot.mood_features import MoodFeatures, read_features
from bot.mood_model import MoodModel

_REPAIRED_BY = {
    "repeated": 0.5,
    "waited": 0.5,
    "failed": 0.5,
    "leaving": 0.6,
    "bot_fails": 0.5,
    "sarcasm": 0.6,
    "strong": 0.4,
}
"""How negative a find of each rule makes a polarity that says otherwise."""
_SHOUTED = 0.3
_MORE = 0.15
_STEP = 0.12
"""A change of frustration between two messages that counts as a trend; origin: docs/decisions/0021-sentiment.md."""


class Trend(StrEnum):
    """Where the customer's frustration is heading over the last messages."""

    IMPROVING = "improving"
    STABLE = "stable"
    DECLINING = "declining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """What a message says about the customer's mood.

    `polarity` in [-1, 1], `frustration` in [0, 1]; both None in a language that is not read. `features` are what they come
    from, for the log; `signs` are the customer's words that speak of frustration, by rule.
    """

    language: str
    polarity: float | None
    frustration: float | None
    features: Mapping[str, float]
    signs: Mapping[str, str]


class MoodReader:
    """Reads moods with TextBlob and a fitted model; loading takes a second or two, once."""

    def __init__(self, model: MoodModel) -> None:
        self._model = model

    def read(self, text: str, earlier: Sequence[str] = ()) -> Mood:
        """The mood of a message, after the customer's earlier messages, oldest first."""
        language = detect_language(text)
        if language not in ("en", UNKNOWN):
            return Mood(language=language, polarity=None, frustration=None, features={}, signs={})
        found = read_features(text, earlier)
        values = {**found.values, "tone": self._model.tone(found.words)}
        return Mood(
            language=language,
            polarity=round(_repaired(found), 3),
            frustration=round(self._model.frustration(values), 3),
            features={name: round(value, 3) for name, value in values.items() if value},
            signs=found.signs,
        )


def read_trend(frustrations: Sequence[float | None]) -> Trend:
    """Where frustration is heading, from the messages' values, oldest first: the slope over the last five that were read."""
    values = [value for value in frustrations if value is not None][-5:]
    if len(values) < 3:
        return Trend.STABLE
    middle = (len(values) - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(len(values)))
    slope = sum((place - middle) * value for place, value in enumerate(values)) / spread
    if abs(slope) < _STEP or math.copysign(1, values[-1] - values[0]) != math.copysign(1, slope):
        return Trend.STABLE
    return Trend.DECLINING if slope > 0 else Trend.IMPROVING


def _repaired(found: MoodFeatures) -> float:
    """TextBlob's polarity, made negative where a rule knows better."""
    negative = [_REPAIRED_BY[rule] for rule in found.signs if rule in _REPAIRED_BY]
    if negative:
        return max(-1.0, min(found.polarity, -max(negative) - _MORE * (len(negative) - 1)))
    if found.values["shouting"] or found.values["question_marks"]:
        return min(found.polarity, -_SHOUTED)
    return found.polarity
