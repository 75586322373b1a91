"""What a turn teaches about its customer: from their own words and from tools' results, never from what a model wrote."""

from bot.domain import Entry, Outcome, Reason
from bot.facts import FactReader, load_facts
from bot.personal import mask
from bot.profile import VALUE_CHARS, Known, Trait
from bot.remembering import facts_of_tools

LEAST_WORDS = 3
"""A question of fewer words says nothing to whoever reads it later."""
NEVER_KEPT = frozenset({Reason.CRISIS, Reason.ABUSE, Reason.SENSITIVE, Reason.LEGAL})
"""What such a turn was about is nobody's business later."""
_BECAME = {
    Outcome.ANSWERED: "answered",
    Outcome.ABSTAINED: "not answered",
    Outcome.HANDED_OVER: "handed over to a colleague",
    Outcome.FAILED: "not answered",
    Outcome.TOO_LATE: "not answered",
}
_FROM_TOOLS = frozenset({Trait.NAME, Trait.PLAN, Trait.DEVICE})


def learn_from(asked: Entry, reply: Entry, country: str = "GB") -> list[Known]:
    """What the customer's message and the entry that answers it say about the customer. Personal numbers are never kept."""
    if (reply.data.get("escalation") or {}).get("reason") in NEVER_KEPT:
        return []
    reader = load_facts()
    learnt = [*_said(asked, reader), *_from_tools(reply), *_issue(asked, reply, reader)]
    return [one for one in learnt if one.value and not mask(one.value, country).found]


def _said(asked: Entry, reader: FactReader) -> list[Known]:
    own = [found for found in reader.facts(asked.text) if found.is_own and found.name in set(Trait)]
    return [_known(Trait(found.name), found.value, asked) for found in own]


def _from_tools(reply: Entry) -> list[Known]:
    return [_known(Trait(fact.name), fact.value, reply) for fact in facts_of_tools(reply) if fact.name in _FROM_TOOLS]


def _issue(asked: Entry, reply: Entry, reader: FactReader) -> list[Known]:
    outcome = reply.data.get("outcome")
    became = next((words for known, words in _BECAME.items() if known == outcome), None)
    turn = reply.data.get("turn") or {}
    question = " ".join(str(turn.get("question") or asked.text).split())
    if became is None or len(question.split()) < LEAST_WORDS or reader.is_helped(asked.text):
        return []
    room = VALUE_CHARS - len(became) - 3
    shown = question if len(question) <= room else f"{question[: room - 1]}…"
    return [_known(Trait.ISSUE, f"{shown} ({became})", reply)]


def _known(trait: Trait, value: str, entry: Entry) -> Known:
    value = " ".join(value.split())[:VALUE_CHARS]
    return Known(trait=trait, value=value, conversation=entry.conversation, entry=entry.id, at=entry.at)
