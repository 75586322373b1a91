"""Does a message ask for a human? Asked *for* one, not mentioned one."""

from bot.patterns import Match, load_patterns
from bot.plain import plain


def asks_for_human(text: str) -> Match | None:
    """The rule and the customer's words when a message asks for a person, else None. See `bot/policies/asking.yaml`."""
    return load_patterns("asking").find(plain(text))
