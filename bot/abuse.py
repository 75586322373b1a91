"""Is a message an insult or harassment aimed at whoever reads it? Swearing about the service is not."""

import re
from collections.abc import Iterable

from bot.nearness import Near
from bot.patterns import LONGEST_EVIDENCE, Match, load_patterns
from bot.plain import plain

LIKE_EXAMPLES = "like_examples"
_COMPLAINT = re.compile(r"\b(?:useless|hopeless|rubbish|no (?:use|help|good))[ .]*$")
"""What says that the help is of no use is a complaint, whoever it is said to."""


def find_abuse(text: str, near: Iterable[tuple[str, Near]] = (), near_above: float = 1.0) -> Match | None:
    """The rule and the words, or None. See `bot/policies/abuse.yaml`.

    `near` is how near the message, and parts of it, come to the written examples; without it only the patterns speak.
    """
    if found := load_patterns("abuse").find(plain(text)):
        return found
    for piece, one in near:
        said = plain(piece)
        if one.score > near_above and not _COMPLAINT.search(said):
            return Match(rule=LIKE_EXAMPLES, words=said[:LONGEST_EVIDENCE])
    return None


WARNING = "I'd like to help, and I can do that best without insults. Let's go on with what you need."
"""What the customer reads once; the next time a human takes over."""
