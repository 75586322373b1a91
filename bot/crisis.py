"""Is somebody in danger? Finds self-harm, emergencies, violence and threats, said outright or hinted at."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.nearness import Near
from bot.patterns import POLICIES, load_patterns, read_policy
from bot.plain import plain, sentences

NEAR_ABOVE = 0.75
"""Score from which nearness to the written examples alone counts; origin: docs/decisions/0023-guard.md."""
SENTENCE_ABOVE = 0.85
"""The same for one sentence of a short message."""
SERVICE_ABOVE = 0.92
"""The same for a message that speaks of a bill, a router, a contract or laughs: there such words are figures of speech."""
HINT_BELOW = 0.12
"""Below this a pattern that only hints is a manner of speaking: of 62 true finds of the patterns the lowest scored 0.19."""
FAR_BELOW, FAR_ABOVE = 0.05, 0.98
"""Below the first the whole message is far from any danger; a part of it must then score above the second."""
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
_AROUND_WORDS = 12
_HINTS = frozenset({"self_harm_hint", "violence_at_home"})
_WHOLE_WORDS = 50
"""Up to so many words a message's own vector says something of every part."""


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


def find_crisis(
    text: str, near: Sequence[Near] = (), near_above: float = NEAR_ABOVE, read: Callable[[str], Near] | None = None
) -> Crisis | None:
    """The danger in a message, or None. Hints count: one hand-over too many costs less than one too few.

    `near` is how near each of `crisis_pieces(text)` comes to the written examples, `read` tells it of any other words;
    without them only the patterns speak.
    """
    told = plain(_LAUGHS.sub(" haha ", text))
    for found in load_patterns("crisis").find_all(told):
        if not (read and found.rule in _HINTS and _is_far(told, found.words, read)):
            return Crisis(danger=_KINDS[found.rule], rule=found.rule, words=found.words)
    whole = read(text) if read else None
    close = [
        (piece, one)
        for piece, one in zip(crisis_pieces(text), near, strict=False)
        if one.score > _needed(piece, text, near_above, whole)
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


def _is_far(told: str, words: str, read: Callable[[str], Near]) -> bool:
    """Whether neither the message nor what stands around these words is like danger ("when I'm gone for a month")."""
    sentence = next((one for one in told.split(" . ") if words in one), told)
    before, _, after = sentence.partition(words)
    around = " ".join([*before.split()[-_AROUND_WORDS:], words, *after.split()[:_AROUND_WORDS]])
    return max(read(told).score, read(around).score) < HINT_BELOW


def _needed(piece: str, text: str, near_above: float, whole: Near | None) -> float:
    """The score from which a piece counts."""
    needed = [near_above]
    if _is_part(piece, text):
        needed.append(SENTENCE_ABOVE)
    if _SERVICE.search(piece):
        needed.append(SERVICE_ABOVE)
    if whole and whole.score < FAR_BELOW and piece != plain(text) and len(plain(text).split()) <= _WHOLE_WORDS:
        needed.append(FAR_ABOVE)
    return max(needed)


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
