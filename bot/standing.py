"""How far a conversation has come with the customer's need: read from its entries, moved on with each turn."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from bot.decide import Understood
from bot.domain import Entry, Escalation, Holder, Kind, Outcome, Reading, Standing
from bot.intents import Route
from bot.tone import Tone

KEPT_MOODS = 5
"""Messages whose frustration is kept for the trend."""
INSISTS = 0.5
"""From this insistence on (`bot.mood_features.insistence`) a message repeats an earlier one."""
_SAYS_SO = frozenset({"bot_fails"})
_NO_NEED = frozenset({Route.COURTESY, Route.DECLINE, ""})
"""Routes of what a company has nothing to do for."""
_IN_VAIN = frozenset({Outcome.ABSTAINED, Outcome.FAILED, Outcome.TOO_LATE})
_HELPS = _IN_VAIN | {Outcome.ANSWERED, Outcome.ASKED_BACK}


def read_standing(earlier: Sequence[Entry]) -> Standing:
    """The standing after these entries, oldest first; a conversation that people gave back begins anew.

    An event with `flags` (`vip`, `vulnerable`) says what the company knows of the customer.
    """
    flags = tuple(sorted({flag for entry in earlier for flag in entry.data.get("flags", ()) if entry.kind is Kind.EVENT}))
    thumbs = {entry.data.get("of"): entry.data.get("value") for entry in earlier if entry.kind is Kind.FEEDBACK}
    for entry in reversed(earlier):
        if entry.data.get("holder") == Holder.BOT:
            return Standing(flags=flags)
        if kept := entry.data.get("standing"):
            standing = _restore(kept)
            blamed = thumbs.get(entry.id) == 0 and standing.outcome == Outcome.ANSWERED
            return replace(standing, outcome=Outcome.ABSTAINED, blamed=True) if blamed else standing
    return Standing(flags=flags)


def does_insist(standing: Standing, reading: Reading, insistence: float, says_so: bool) -> bool:
    """Whether the customer says that the last reply did not help, or asks the same again.

    `says_so`: in other words than the signs that are read. What only greeted or warned was no help to begin with.
    """
    if standing.outcome not in _HELPS:
        return False
    if standing.blamed and same_need(standing, reading):
        return True
    return insistence >= INSISTS or bool(_SAYS_SO & reading.signs.keys()) or says_so


def is_in_vain(standing: Standing) -> bool:
    """Whether the last reply was no answer."""
    return standing.outcome in _IN_VAIN


def same_need(standing: Standing, reading: Reading) -> bool:
    """Whether the message is about what the conversation is about."""
    return has_need(reading) and standing.intent in (reading.intent, *reading.also)


def has_need(reading: Reading) -> bool:
    """Whether the message asks for something that the company deals with."""
    return reading.route not in _NO_NEED


def move_on(before: Standing, seen: Understood, tone: Tone, outcome: Outcome, escalation: Escalation | None) -> Standing:
    """The standing after a turn with this outcome."""
    reading, signals = seen.reading, seen.signals
    offers = escalation is not None and escalation.offer
    is_done = outcome is Outcome.GREETED and before.outcome == Outcome.ANSWERED
    waited = None if before.since_offer is None else before.since_offer + 1
    return Standing(
        intent=reading.intent if has_need(reading) and not signals.asked else before.intent,
        turns=0 if is_done else before.turns + 1,
        unhelped=0 if is_done else before.unhelped + signals.insists,
        abuse=before.abuse + (signals.abuse is not None),
        since_offer=0 if offers else waited,
        offered=offers,
        apologised=before.apologised or bool(tone.begins),
        outcome=outcome,
        flags=tuple(sorted(signals.flags)),
        frustrations=(*before.frustrations, reading.frustration)[-KEPT_MOODS:],
        topics=reading.topics,
    )


def _restore(kept: Mapping[str, Any]) -> Standing:
    """The standing as an entry keeps it; a field of another version is left out."""
    known = {one.name for one in fields(Standing)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in kept.items() if name in known
    }
    return Standing(**values)
