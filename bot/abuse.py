"""Is a message an insult or harassment aimed at whoever reads it? Swearing about the service is not."""

from bot.patterns import Match, load_patterns
from bot.plain import plain


def find_abuse(text: str) -> Match | None:
    """The rule and the words, or None. See `bot/policies/abuse.yaml`."""
    return load_patterns("abuse").find(plain(text))


WARNING = "I'd like to help, and I can do that best without insults. Let's go on with what you need."
"""What the customer reads once; the next time a human takes over."""
