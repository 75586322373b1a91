"""Tone: how a reply begins when its customer is upset or tells of a loss, and what the model is told about it.

One apology, concrete, and not again in the same conversation; no cheer for somebody who is angry.
"""

from dataclasses import dataclass

from bot.decide import Signals, Understood
from bot.domain import Entry, Reading, Standing
from bot.settings import Settings

SORRY = {
    "repeated": "I'm sorry that you've had to ask again.",
    "waited": "I'm sorry that you've been kept waiting.",
    "failed": "I'm sorry that this still isn't right.",
    "leaving": "I'm sorry that it has come to this.",
    "bot_fails": "I'm sorry that I haven't been of help so far.",
}
"""What is apologised for, by the rule of `policies/mood.yaml` that found the customer's words."""
SORRY_AT_ALL = "I'm sorry for the trouble you've had."
SYMPATHY = {
    "bereavement": "I'm so sorry for your loss.",
    "complaint": "I'm sorry that we've given you cause to complain.",
    "vulnerable": "Thank you for telling me.",
}
"""What comes first on a topic of `policies/sensitive.yaml`, whatever the mood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """How to speak in this turn: the words a reply begins with, what a model is told, and whether models are left out.

    `narrowed` is a turn whose message looks like an order to the bot: it is quoted to, by articles, and nothing else.
    """

    begins: str = ""
    for_model: str = ""
    narrowed: bool = False


def read_tone(asked: Entry, seen: Understood, standing: Standing, settings: Settings) -> Tone:
    """The tone for a message, in a conversation that stands like this."""
    begins = "" if standing.apologised else _opening(seen.reading, seen.signals, settings.upset_above)
    return Tone(
        begins=begins,
        for_model=_for_model(seen.reading, begins, settings.upset_above),
        narrowed=asked.data.get("injection", 0.0) > settings.injection_above,
    )


def _opening(reading: Reading, signals: Signals, upset_above: float) -> str:
    for topic in signals.topics:
        if topic.name in SYMPATHY:
            return SYMPATHY[topic.name]
    if not _is_upset(reading, upset_above):
        return ""
    return next((SORRY[rule] for rule in SORRY if rule in reading.signs), SORRY_AT_ALL)


def _for_model(reading: Reading, begins: str, upset_above: float) -> str:
    if begins:
        return f'Your reply is shown after the words "{begins}": do not apologise again, no cheer, come to the point.'
    if _is_upset(reading, upset_above):
        return "The customer is upset and has had an apology: do not apologise again, no cheer, come to the point."
    return ""


def _is_upset(reading: Reading, upset_above: float) -> bool:
    return reading.frustration is not None and reading.frustration > upset_above
