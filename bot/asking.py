"""Does a message ask for a human? Asked *for* one, not mentioned one."""

import re
from collections.abc import Iterable

from bot.nearness import Near
from bot.patterns import LONGEST_EVIDENCE, Match, load_patterns
from bot.plain import plain

LIKE_EXAMPLES = "like_examples"
_WHO_IS_IT = re.compile(
    r"^(?:(?:so|ok|what|but) )?(?:am i|are (?:you|u)|r u|u an?|is (?:this|it)|was (?:this|that))\b|\bbot\b(?: then)?[ .]*$|@"
)
"""Asks who is here, and for nobody; or tells an address."""
_WHO_OR_WHAT = re.compile(r"\b(?:are|r) (?:you|u) an? (?:real |actual )?(?:person|human|machine|robot|bot|computer)\b")
"""Who asks so wants to know, and no person: "is anybody there" in the same message, too."""
_WANTS_NONE = re.compile(
    r"\b(?:no need|not need|don'?t need|without|no (?:human|agent|person|adviser)|rather not (?:talk|speak|chat)|"
    r"(?:do not|don'?t|not) (?:\w+ )?(?:want|transfer|connect|put|pass|call|ring)(?! to (?:type|write|do|discuss|tell)))\b"
)
"""A person is what they do not want; other exceptions of the patterns are about words, which nearness does not go by."""


def asks_for_human(text: str, near: Iterable[tuple[str, Near]] = (), near_above: float = 1.0) -> Match | None:
    """The rule and the customer's words when a message asks for a person, else None. See `bot/policies/asking.yaml`.

    `near` is how near the message, and parts of it, come to the written examples; without it only the patterns speak.
    """
    said = plain(text)
    if (found := load_patterns("asking").find(said)) and not (found.rule == "is_anyone_there" and _WHO_OR_WHAT.search(said)):
        return found
    for piece, one in near:
        said = plain(piece)
        if one.score > near_above and not _WHO_IS_IT.search(said) and not _WANTS_NONE.search(said):
            return Match(rule=LIKE_EXAMPLES, words=said[:LONGEST_EVIDENCE])
    return None
