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

NEAR_ABOVE = 0.7
"""Score from which nearness to the written examples alone counts; origin: docs/decisions/0023-guard.md."""
SENTENCE_ABOVE = 0.85
"""The same for one sentence of a short message."""
SERVICE_ABOVE = 0.92
"""The same for a message that speaks of a bill, a router, a contract or laughs: there such words are figures of speech."""
_SERVICE = re.compile(
    r"\b(?:bills?|invoices?|contract|plan|prices?|fees?|subscription|wi-?fi|internet|broadband|fibre|router|hub|signal|"
    r"engineers?|technicians?|appointments?|come (?:out|round|to (?:my|our) (?:house|home|flat|place))|battery|data|"
    r"charity|prevention|app|website|faq|queue|hold music|roaming|tariff|screen|remote|tv|lol|haha|ha|lmao|joking|jk)\b"
)
_QUESTION = re.compile(
    r"(?:how|what|what's|where|where's|which|when|when's|why (?:can|can't|should|are|do|don't|did)|who|is|are|can you|"
    r"do you|does) "
    r"(?!.*\b(?:myself|die|i feel|without me)\b)"
)
_ABOUT_SOMEBODY = re.compile(r"\b(?:i|i'm|im|i've|me|myself|he|she|him|her|we|us)\b")
_LAUGHS = re.compile("[😂🤣😅😆😹]")
"""Are no letters, and are left out of the plain form."""
_LONG_WORDS, _PIECE_WORDS = 25, 16
_SEVERAL_WORDS, _FEWEST_WORDS = 12, 4
"""From so many words on, sentences of so many are read one by one too."""
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
    if found := load_patterns("crisis").find(plain(_LAUGHS.sub(" haha ", text))):
        return Crisis(danger=_KINDS[found.rule], rule=found.rule, words=found.words)
    close = [
        (piece, one)
        for piece, one in zip(crisis_pieces(text), near, strict=False)
        if one.score > _needed(piece, max(SENTENCE_ABOVE, near_above) if _is_part(piece, text) else near_above)
    ]
    if not close:
        return None
    piece, nearest = max(close, key=lambda pair: pair[1].score)
    return Crisis(danger=Danger(nearest.kind), rule="like_examples", words=piece[:120], score=round(nearest.score, 3))


def crisis_pieces(text: str) -> tuple[str, ...]:
    """What to embed for `near`: a short message and its sentences, or up to eight parts of a long one; no plain question."""
    whole = plain(text)
    length = len(whole.split())
    if length <= _LONG_WORDS:
        apart = [one for one in sentences(text) if len(one.split()) >= _FEWEST_WORDS] if length >= _SEVERAL_WORDS else []
        pieces = [whole, *apart] if len(apart) > 1 else [whole]
    else:
        parts = [part for sentence in sentences(text) for part in _parts(sentence)]
        pieces = sorted(parts, key=lambda one: not _ABOUT_SOMEBODY.search(one))[:_PIECES]
    return tuple(piece for piece in pieces if piece and not _QUESTION.match(piece))


def _parts(sentence: str) -> list[str]:
    """A sentence, or where nobody set a full stop for long, runs of its words: in one vector the danger would be lost."""
    words = sentence.split()
    if len(words) <= _LONG_WORDS:
        return [sentence]
    return [" ".join(words[start : start + _PIECE_WORDS]) for start in range(0, len(words), _PIECE_WORDS)]


def _is_part(piece: str, text: str) -> bool:
    """Whether a piece is a sentence of a short message, which says less than the whole ("I am on the train")."""
    whole = plain(text)
    return piece != whole and len(whole.split()) <= _LONG_WORDS


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


@lru_cache
def _hotlines(path: Path) -> _Texts:
    return read_policy(path, _Texts)
