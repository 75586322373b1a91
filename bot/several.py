"""Several questions in one message: "4 things: do I need notice, can I keep my number, ...?" are four to search for."""

import re
from dataclasses import dataclass

FEWEST_WORDS = 3
"""A shorter piece is no question of its own ("why?")."""
MOST = 4
"""Questions of one message that are searched for; each search takes a few milliseconds."""

_OPENING = (
    r"(?:how|what|when|where|which|who|why|can|could|do|does|did|is|are|will|would|should|may|am i|have i|has|whats|hows|"
    r"wheres|whens)\b(?! (?:at|in|on|to|of|from|for|by|not|been|being)\b)"
)
_LEAD_IN = r"(?:(?:and|also|plus|then|so|but|or|ok|okay|hi|hello|hey|finally|secondly|lastly|\d[.)])\W+)*"
_SENTENCE = re.compile(r"(?<=[?!;])\s+|(?<=[.])\s+(?=\S)|\n+")
_LISTED = re.compile(rf"(?:,|;|\band\b|\bplus\b)\s*(?!who\b|which\b)(?={_LEAD_IN}{_OPENING})", re.IGNORECASE)
_ASKS = re.compile(rf"\W*{_LEAD_IN}{_OPENING}", re.IGNORECASE)
_NUMBER = re.compile(r"(?:^|\s)(?:\(?\d[.)]|[-*•])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """The questions of a message in its order, and what it says beside them: what they are about."""

    questions: tuple[str, ...]
    about: str


def split_questions(text: str) -> Several:
    """The questions that a message asks; fewer than two where it is one question, or none."""
    asked: list[str] = []
    beside: list[str] = []
    for sentence in _SENTENCE.split(_NUMBER.sub("\n", text)):
        opening, colon, listed = sentence.rpartition(": ")
        pieces = [piece.strip(" ,;") for piece in _LISTED.split(listed if colon else sentence)]
        beside += [opening] if colon else []
        for piece in filter(None, pieces):
            (asked if _is_question(piece) else beside).append(piece)
    return Several(questions=tuple(asked[:MOST]), about=" ".join(beside))


def _is_question(piece: str) -> bool:
    return len(piece.split()) >= FEWEST_WORDS and bool(_ASKS.match(piece))
