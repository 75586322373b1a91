"""Is somebody in danger? Finds self-harm, emergencies, violence and threats, said outright or hinted at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.nearness import Near
from bot.patterns import POLICIES, load_patterns, read_policy
from bot.plain import plain, sentences

WEIGHTS = Path(__file__).resolve().parent / "data" / "crisis.json"
NEAR_ABOVE = 0.5
"""Score from which nearness to the written examples alone counts; origin: docs/decisions/0023-guard.md."""
SERVICE_ABOVE = 0.85
"""The same for a message that speaks of a bill, a router, a contract or laughs: there such words are figures of speech."""
_SERVICE = re.compile(
    r"\b(?:bills?|invoices?|contract|plan|prices?|fees?|subscription|wi-?fi|internet|broadband|fibre|router|hub|signal|"
    r"battery|data|"
    r"charity|prevention|app|website|faq|queue|hold music|roaming|tariff|screen|remote|tv|lol|haha|ha|lmao|joking|jk)\b"
)
_QUESTION = re.compile(
    r"(?:how|what|what's|where|where's|which|when|when's|why (?:can|can't|should|are|do|don't|did)|who|is|are|can you|"
    r"do you|does) "
    r"(?!.*\b(?:myself|die|i feel)\b)"
)
_ABOUT_SOMEBODY = re.compile(r"\b(?:i|i'm|im|i've|me|myself|he|she|him|her|we|us)\b")
_LONG_WORDS = 25
_PIECES = 8


class Danger(StrEnum):
    """What kind of danger; each has its own words for the customer in `bot/policies/hotlines.yaml`."""

    SELF_HARM = "self_harm"
    EMERGENCY = "emergency"
    VIOLENCE_AT_HOME = "violence_at_home"
    THREAT = "threat"


_KINDS = {
    "self_harm_hint": Danger.SELF_HARM,
    "self_harm_in_other_languages": Danger.SELF_HARM,
} | {str(danger): danger for danger in Danger}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crisis:
    """A message that says or hints that somebody is in danger; `score` is the model's, where the model found it."""

    danger: Danger
    rule: str
    words: str
    score: float | None = None


def find_crisis(text: str, near: Sequence[Near] = (), near_above: float = NEAR_ABOVE) -> Crisis | None:
    """The danger in a message, or None. Hints count: one hand-over too many costs less than one too few.

    `near` is how near each of `crisis_pieces(text)` comes to the written examples; without it only the patterns speak.
    """
    if found := load_patterns("crisis").find(plain(text)):
        return Crisis(danger=_KINDS[found.rule], rule=found.rule, words=found.words)
    close = [
        (piece, one) for piece, one in zip(crisis_pieces(text), near, strict=False) if one.score > _needed(piece, near_above)
    ]
    if not close:
        return None
    piece, nearest = max(close, key=lambda pair: pair[1].score)
    return Crisis(danger=Danger(nearest.kind), rule="like_examples", words=piece[:120], score=round(nearest.score, 3))


def crisis_pieces(text: str) -> tuple[str, ...]:
    """What to embed for `near`: a short message, or up to eight sentences that speak of somebody; no plain question."""
    whole = plain(text)
    if len(whole.split()) <= _LONG_WORDS:
        pieces = [whole]
    else:
        pieces = sorted(sentences(text), key=lambda one: not _ABOUT_SOMEBODY.search(one))[:_PIECES]
    return tuple(piece for piece in pieces if piece and not _QUESTION.match(piece))


def _needed(piece: str, near_above: float) -> float:
    return max(SERVICE_ABOVE, near_above) if _SERVICE.search(piece) else near_above


class _Texts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    texts: Mapping[Danger, str]
    countries: Mapping[str, Mapping[str, str]] = Field(min_length=1)


def crisis_text(danger: Danger, country: str) -> str:
    """What the customer reads, with the hotlines of a country (ISO 3166 code; `other` for those without an entry)."""
    hotlines = _hotlines(POLICIES / "hotlines.yaml")
    lines = hotlines.countries.get(country.upper()) or hotlines.countries["other"]
    line = lines.get(danger) or (lines["self_harm"] if danger is not Danger.EMERGENCY else "")
    return " ".join(hotlines.texts[danger].format(emergency=lines["emergency"], lines=line).split())


class _Examples(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: Mapping[str, tuple[str, ...]]


def read_crisis_examples() -> Mapping[str, tuple[str, ...]]:
    """The written examples of each danger, and of none, that the model's weights are fitted to."""
    return read_policy(POLICIES / "crisis_examples.yaml", _Examples).examples


@lru_cache
def _hotlines(path: Path) -> _Texts:
    return read_policy(path, _Texts)
