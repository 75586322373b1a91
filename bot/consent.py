"""The clarifying offer before a hand-over, and the customer's answer to it."""

import re

from bot.patterns import load_patterns
from bot.plain import plain

OFFER = "Shall I bring in a colleague?"
_LONGEST_WORDS = 8


def read_consent(text: str) -> bool | None:
    """True for a yes to an offer, False for a no, None for anything else. Only a short message is an answer."""
    said = plain(text)
    thumb = re.search("[👍✅🙏]|👎", text)
    if thumb and not re.search(r"[^\W\d_]", text):
        return thumb[0] != "👎"
    if len(said.split()) > _LONGEST_WORDS:
        return None
    found = load_patterns("consent").find(said)
    return None if found is None else found.rule == "yes"
