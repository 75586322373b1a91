"""The wording of a reply: what comes before and after what the articles say."""

import re
from dataclasses import replace

from bot import phrases
from bot.abuse import WARNING
from bot.decide import Understood
from bot.domain import Entry, Escalation, Outcome, Reason, Reply
from bot.foreign import foreign_text
from bot.handover import offer_human
from bot.personal import Personal, masked_notice
from bot.tone import SORRY, Tone
from bot.tools.errands import Acted

COMPLAINT = "complaint"
"""The intent of a message that is nothing but anger, where no article is near."""
_SORRY = "I'm sorry, "
_BLOCK = re.compile(r"[*#|>-]|\d+\.")
"""What begins a heading, a list, a table or a quotation: Markdown that no sentence may stand before on its line."""


def word(reply: Reply, tone: Tone, seen: Understood, escalation: Escalation | None) -> Reply:
    """The reply as the customer reads it: a warning, an apology or sympathy before it, the offer of a human after it."""
    if seen.signals.abuse:
        reply = _warn(reply)
    elif escalation and escalation.reason is Reason.LANGUAGE and reply.outcome is Outcome.ABSTAINED:
        reply = replace(reply, text=foreign_text(seen.reading.language), choices=())
    elif reply.outcome is Outcome.ABSTAINED and "bot_fails" in seen.reading.signs:
        reply = replace(reply, text=f"{tone.begins or SORRY['bot_fails']} {phrases.IN_OTHER_WORDS}", choices=())
    elif reply.outcome is Outcome.ABSTAINED and seen.reading.intent == COMPLAINT and not reply.choices:
        reply = replace(reply, text=phrases.LET_DOWN)
    elif tone.begins and reply.outcome is not Outcome.GREETED:
        gap = "\n\n" if _BLOCK.match(reply.text) else " "
        reply = replace(reply, text=f"{tone.begins}{gap}{_without_sorry(reply.text)}")
    return offer_human(reply) if escalation and escalation.offer else reply


def put_below(reply: Reply, acted: Acted | None) -> Reply:
    """The reply, and with it why the customer's account tells nothing; first, where the articles have no answer either."""
    if acted is None:
        return reply
    if reply.outcome is Outcome.ABSTAINED:
        nearest = reply.text.partition("\n\n")[2]
        return replace(reply, text=f"{acted.words}\n\n{nearest}".strip())
    return replace(reply, text=f"{reply.text}\n\n{acted.words}")


def tell_masked(reply: Reply, asked: Entry) -> Reply:
    """The reply, after a word on what was hidden in the message."""
    kinds = tuple(Personal(kind) for kind in asked.data.get("masked", ()))
    return replace(reply, text=f"{masked_notice(kinds)}\n\n{reply.text}") if kinds else reply


def _warn(reply: Reply) -> Reply:
    """The answer after the warning; where there is none, the warning alone."""
    if reply.outcome is Outcome.ANSWERED:
        return replace(reply, text=f"{WARNING}\n\n{reply.text}")
    return Reply(outcome=Outcome.WARNED, text=WARNING)


def _without_sorry(text: str) -> str:
    """One apology is enough."""
    rest = text.removeprefix(_SORRY)
    return rest if rest == text else rest[:1].upper() + rest[1:]
