"""Did the bot's own reply just break the conversation? Read from what was asked, what was replied and what came before."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.fitted import load_fitted

BREAKDOWN = Path(__file__).resolve().parent / "data" / "breakdown.json"
_WORD = re.compile(r"[\w']+")
_READ_CHARS = 2000
_EARLIER = 20
_FILLER = frozenset(
    "a an the i you is are was to of and in it that do did what how my your me we be for on have so not".split()
)
_HELPLESS = re.compile(r"\b(?:i don'?t know|sorry|not sure|understand|no idea)\b")
_PROTEST = re.compile(
    r"\b(?:you (?:don'?t|didn'?t|are not|never)|huh|makes no sense|not what|i (?:said|asked|meant)|stupid|wrong|confus\w+|"
    r"again)\b|what\?"
)
_AGREES = re.compile(r"(?:yes|no|yeah|ok)\b")
_SMILEY = re.compile(r"[:;=]-?[)(D]")


class BreakdownModel(BaseModel):
    """A logistic regression over the features, kept as data (`bot/data/breakdown.json`); `origin` says from what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    bias: float
    weights: Mapping[str, float] = Field(min_length=1)

    def breakdown(self, reply: str, customer: Sequence[str], bot: Sequence[str]) -> float:
        """The probability in [0, 1] that a reply breaks the conversation, after the customer's and the bot's messages."""
        values = breakdown_features(reply, customer, bot)
        return 1 / (1 + math.exp(-self.bias - sum(weight * values.get(name, 0.0) for name, weight in self.weights.items())))


def load_breakdown_model(path: Path = BREAKDOWN) -> BreakdownModel:
    """Read the fitted model. Raises SettingsInvalid naming the file."""
    return load_fitted(path, BreakdownModel, "breakdown")


def breakdown_features(reply: str, customer: Sequence[str], bot: Sequence[str]) -> dict[str, float]:
    """What speaks for a breakdown: a reply that misses the question, repeats itself, or follows a protest."""
    asked = customer[-1][:_READ_CHARS] if customer else ""
    reply = reply[:_READ_CHARS]
    said, wanted, before = _content(reply), _content(asked), _content(bot[-1] if bot else "")
    question, question_back = asked.strip().endswith("?"), reply.strip().endswith("?")
    return {
        "shared_of_reply": _share(said & wanted, said),
        "shared_of_question": _share(said & wanted, wanted),
        "shared_with_reply_before": _share(said & before, said),
        "nothing_shared": float(not said & wanted),
        "length": math.log1p(len(_WORD.findall(reply))),
        "very_short": float(len(_WORD.findall(reply)) <= 2),
        "repeats_itself": max((_alike(reply, one) for one in bot[-_EARLIER:]), default=0.0),
        "repeats_exactly": float(reply.strip().lower() in {one.strip().lower() for one in bot[-_EARLIER:]}),
        "customer_repeats": max((_alike(asked, one) for one in customer[-_EARLIER:-1]), default=0.0),
        "question_not_met": float(question and not question_back),
        "question_for_question": float(question and question_back),
        "question_back": float(question_back),
        "asked_length": math.log1p(len(_WORD.findall(asked))),
        "helpless": float(bool(_HELPLESS.search(reply.lower()))),
        "after_protest": float(bool(_PROTEST.search(asked.lower()))),
        "addresses": float("you" in _WORD.findall(reply.lower())),
        "agrees": float(bool(_AGREES.match(reply.strip().lower()))),
        "smiley": float(bool(_SMILEY.search(reply))),
        "exclaims": float("!" in reply),
    }


def _content(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:_READ_CHARS].lower())) - _FILLER


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part) / max(1, len(whole))


def _alike(one: str, other: str) -> float:
    first, second = set(_WORD.findall(one.lower())), set(_WORD.findall(other[:_READ_CHARS].lower()))
    return len(first & second) / max(1, len(first | second))
