"""“What do you know about me?” and “Forget me”: who asks so, and what they read."""

import re
from collections.abc import Sequence
from enum import StrEnum

from bot.domain import CustomerId
from bot.patterns import load_patterns
from bot.plain import plain
from bot.profile import Known, Trait, has_profile
from bot.remembering import Memory

KNOWN = "This is what I have noted about you, and where I have it from:"
NOTHING = "I have noted nothing about you. What you have written in your chats stays in your chat history."
HOW_TO_FORGET = "If you want me to forget it, write “forget me”."
FORGOTTEN = "Done: I have forgotten the {number} I had noted about you."
STAYS = "Your chats themselves stay in your chat history; if you want those deleted too, ask me for a colleague."
VISITOR = (
    "You are not signed in, so I don't know who you are, and I note nothing about you beyond this chat. "
    "What you write here stays in this chat."
)
_CALLED = {
    Trait.NAME: "Your name",
    Trait.PLAN: "Your plan",
    Trait.DEVICE: "Your device",
    Trait.PREFERENCE: "What you prefer",
    Trait.ISSUE: "You asked",
}
_GIVEN = {
    "order": "order number",
    "invoice": "invoice number",
    "fault": "fault reference",
    "complaint": "complaint reference",
    "ticket": "ticket number",
    "booking": "booking number",
    "error": "error code",
    "postcode": "postcode",
}
"""What a conversation's facts are called that are numbers, and so are told again only as they were given."""
_ASKS_GIVEN = re.compile(
    r"^(?:(?:and|so|hi|hello|sorry|please|again|ok|okay|,|\.) ?){0,4}"
    r"(?:what(?:'s| is| was)|which|remind me of|tell me|repeat) (?:again )?(?:is |was )?(?:my|the) (?:(?P<same>postcode)|"
    r"(?P<what>order|invoice|bill|fault|complaint|ticket|case|booking|appointment|error) (?:number|reference|ref|id|code))"
    r"(?: (?:again|i gave you|that i gave you|please|you have)){0,3}(?: ?[.,?])*$"
)
_SAME = {"bill": "invoice", "case": "ticket", "appointment": "booking"}
_ADDRESS = re.compile(r"(?:https?|ftp)://|mailto:|www\.", re.IGNORECASE)
"""What a page would make a link of by itself."""


class AboutMe(StrEnum):
    """What a customer wants with what we know about them."""

    SHOW = "show"
    FORGET = "forget"


def asks_about_me(text: str) -> AboutMe | None:
    """What the message wants; None for any other message. See `bot/policies/about_me.yaml`."""
    found = load_patterns("about_me").find(plain(text))
    return AboutMe(found.rule) if found else None


def tell_given(text: str, memory: Memory) -> str:
    """The number of this conversation that the message asks for again; "" where it asks for none, or none was given."""
    asks = _ASKS_GIVEN.match(plain(text))
    if asks is None:
        return ""
    name = asks["same"] or _SAME.get(asks["what"], asks["what"])
    given = [fact for fact in memory.facts if fact.name == name]
    return f"The {_GIVEN[name]} you gave me is {_plain_line(given[-1].value)}." if given else ""


def state_given(memory: Memory) -> list[str]:
    """The numbers that this conversation established, a sentence each."""
    return [f"Your {_GIVEN[fact.name]} is {fact.value}." for fact in memory.facts if fact.name in _GIVEN]


def state_known(known: Sequence[Known]) -> list[str]:
    """What is known for certain of the customer, a sentence each."""
    certain = {Trait.NAME: "name", Trait.PLAN: "plan", Trait.DEVICE: "device"}
    return [f"Your {certain[one.trait]} is {one.value}." for one in known if one.trait in certain]


def tell_known(customer: CustomerId, known: Sequence[Known]) -> str:
    """What the customer reads about what is known, as Markdown."""
    if not has_profile(customer):
        return VISITOR
    if not known:
        return NOTHING
    lines = [f"- {_CALLED[one.trait]}: {_plain_line(one.value)} ({one.at.day} {one.at:%B %Y})" for one in known]
    return "\n".join([KNOWN, "", *lines, "", HOW_TO_FORGET])


def tell_forgotten(customer: CustomerId, number: int) -> str:
    """What the customer reads after so many things were forgotten."""
    if not has_profile(customer):
        return VISITOR
    done = FORGOTTEN.format(number=f"{number} thing{'s' if number > 1 else ''}") if number else NOTHING
    return f"{done} {STAYS}" if number else done


def known_lines(known: Sequence[Known]) -> list[str]:
    """What is known, a line each: for a prompt, and for the agent's page."""
    return [f"{one.trait}: {' '.join(one.value.split())} ({one.at:%Y-%m-%d})" for one in known]


def _plain_line(value: str) -> str:
    """A value that cannot be Markdown: the customer wrote it, and a page shows it."""
    text = _ADDRESS.sub("", " ".join(value.split()))
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+!|~" else sign for sign in text)
