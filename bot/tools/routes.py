"""Which errand a message is about, without a model: from the intent, the words, and what the bot's last reply left open.

Pure: what to look up or do follows from the words alone. What is open between turns stands in the data of the bot's last
reply, so that it survives a restart and no other conversation sees it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from bot.classify import IntentGuess
from bot.consent import read_consent
from bot.domain import Entry, Kind, Speaker
from bot.patterns import load_patterns
from bot.plain import plain
from bot.tools.calls import Proposal, read_proposal
from bot.tools.slots import choose, read_bill, read_day, read_hour, read_postcode, read_ticket, read_visit

Option = tuple[str, str]
"""What a choice stands for, and its words."""
Answer = Literal["confirm", "decline", "already"]
FREE_TEXT = frozenset({"subject", "text"})
"""What is asked for in the customer's own words."""
SURE = 0.6
"""A message that is so surely about something else is no errand."""
_INTENTS: Mapping[str, frozenset[str]] = {
    "cancel_visit": frozenset({"appointment", "cancel", "order_status"}),
    "move_visit": frozenset({"appointment", "order_status"}),
    "where_visit": frozenset({"appointment", "order_status"}),
    "book_visit": frozenset({"appointment", "broadband_fault", "new_order"}),
    "explain_bill": frozenset({"billing_question", "payment_problem", "plan_change"}),
    "list_bills": frozenset({"billing_question", "payment_problem"}),
    "account": frozenset({"plan_change", "billing_question", "login_account", "new_order"}),
    "outage": frozenset({"outage", "broadband_fault", "mobile_fault"}),
}
"""Intents under which an errand may be asked for; tickets under any."""
_SHORT_WORDS = 4
_SUBJECT_WORDS = 2
_LONGEST_SLOT = 4
"""Hours from the start of a slot that name it: 9 is in 8 to 12, 12 is not."""
_YES = re.compile(r"^(?:yes|yeah|yep|yup|y|confirm(?:ed)?|do it|go ahead)\b")
_NEVER_MIND = re.compile(r"^(?:never ?mind|forget it|stop|cancel(?: that| it)?|leave it|no thanks?|nothing)(?: .{0,20})?$")
_ABOUT = re.compile(
    r"\bticket\b\s*(?:about|for|because|as|regarding|saying|on|re)?[\s:,–-]+(.{8,})$", re.IGNORECASE | re.DOTALL
)
_THAT = re.compile(r"(?:\bthat\b|:)\s*(.{3,})$", re.IGNORECASE | re.DOTALL)
_YES_AGAIN = re.compile(
    r"^(?:(?:please|pls|do|book|move|change|cancel|open|add|it|that|the|my|a|an|for|on|to|in|at|from|until|visit|appointment|"
    r"engineer|slot|ticket|thanks|thank|you|morning|afternoon|evening|noon|am|pm|next|this|and|then|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october|"
    r"november|december|\d{1,2}(?:st|nd|rd|th|am|pm)?|[,.-]) ?)+$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What the bot's last reply left open: an errand with what is known, what it asked for, and a proposal.

    `options` are what the customer may choose from, `again` says that it was asked twice, `done` that a change was made.
    """

    errand: str
    slots: Mapping[str, str] = field(default_factory=dict)
    asks: str = ""
    options: tuple[Option, ...] = ()
    again: bool = False
    proposal: Proposal | None = None
    done: str = ""

    def as_data(self) -> dict[str, Any]:
        """As the reply's entry keeps it."""
        return {
            "errand": self.errand,
            "slots": dict(self.slots),
            "asks": self.asks,
            "options": [list(option) for option in self.options],
            "again": self.again,
            "proposal": self.proposal.as_data() if self.proposal else None,
            "done": self.done,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An errand to go on with or to begin, with what is known for it; or the answer to a proposal."""

    errand: str
    slots: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    again: bool = False
    open: Open | None = None


def read_open(earlier: Sequence[Entry]) -> Open | None:
    """What the last reply left open, if it is the bot's; entries oldest first.

    Only the next message answers it; a yes that was sent twice still does, and makes the change once.
    """
    said = [entry for entry in earlier if entry.kind is Kind.MESSAGE]
    while said and said[-1].speaker is Speaker.CUSTOMER and read_consent(said[-1].text):
        said.pop()
    if not said or said[-1].speaker is not Speaker.BOT:
        return None
    data = said[-1].data.get("open")
    if not isinstance(data, Mapping):
        return None
    proposal = data.get("proposal")
    return Open(
        errand=str(data.get("errand", "")),
        slots={str(name): str(value) for name, value in dict(data.get("slots") or {}).items()},
        asks=str(data.get("asks", "")),
        options=tuple((str(value), str(words)) for value, words in data.get("options") or ()),
        again=bool(data.get("again")),
        proposal=read_proposal(proposal, said[-1].conversation) if isinstance(proposal, Mapping) else None,
        done=str(data.get("done", "")),
    )


def route(guess: IntentGuess, text: str, left: Open | None, today: date) -> Route | None:
    """What a message asks for, or None: then the articles answer it. `today` is what "Tuesday" is counted from."""
    if left and (answered := _answered(text, left, today)):
        return answered
    if begun := _begun(guess, text, today):
        return begun
    if left and left.asks and not left.again and len(plain(text).split()) <= _SHORT_WORDS:
        return Route(errand=left.errand, slots=left.slots, again=True, open=left)
    return None


def is_confirmed(text: str, proposal: Proposal, today: date) -> bool:
    """Whether the customer says yes, and to nothing else: "yes, book Tuesday 9 to 12" only where Tuesday was proposed."""
    if read_consent(text):
        return True
    first, _, rest = plain(text).partition(" , ")
    if not rest:
        first, _, rest = plain(text).partition(" ")
    day = read_day(rest, today)
    if not read_consent(first) or not _YES_AGAIN.match(rest):
        return False
    hour = read_hour(rest)
    same_day = day is None or day.isoformat() == proposal.arguments.get("day")
    return same_day and (hour is None or _same_slot(hour, proposal.arguments.get("start_hour")))


def _answered(text: str, left: Open, today: date) -> Route | None:
    """The answer to what is open, if the message is one."""
    consent = read_consent(text)
    if (left.proposal or left.asks) and (consent is False or _NEVER_MIND.match(plain(text))):
        return Route(errand=left.errand, answer="decline", open=left)
    if left.proposal:
        return _proposal_answer(text, left, left.proposal, today)
    if left.done and consent and _YES.match(plain(text)):
        return Route(errand=left.errand, answer="already", open=left)
    return _slot_answer(text, left, today) if left.asks else None


def _proposal_answer(text: str, left: Open, proposal: Proposal, today: date) -> Route | None:
    """A yes, or another day or time."""
    if is_confirmed(text, proposal, today):
        return Route(errand=left.errand, slots=left.slots, answer="confirm", open=left)
    changed = {name: value for name, value in read_slots(text, today).items() if name in ("day", "hour")}
    if changed and "day" in left.slots:
        return Route(errand=left.errand, slots={**left.slots, **changed}, open=left)
    return None


def _slot_answer(text: str, left: Open, today: date) -> Route | None:
    """What was asked for, where the message gives it."""
    if left.asks in FREE_TEXT:
        is_question = text.strip().endswith("?") and load_patterns("errands").find(plain(text))
        given = {} if is_question else {left.asks: text.strip()}
    else:
        given = read_slots(text, today)
        chosen = choose(text, [words for _, words in left.options])
        if chosen is not None:
            given[left.asks] = left.options[chosen][0]
        wanted = {"day", "hour"} if left.asks in ("day", "hour") else {left.asks}
        given = {name: value for name, value in given.items() if name in wanted}
    return Route(errand=left.errand, slots={**left.slots, **given}, open=left) if given else None


def _begun(guess: IntentGuess, text: str, today: date) -> Route | None:
    """The errand that the words name, unless the message is surely about something else."""
    found = load_patterns("errands").find(plain(text))
    if found is None:
        return None
    allowed = _INTENTS.get(found.rule)
    if allowed and guess.in_scope and guess.confidence >= SURE and not allowed & {guess.name, *guess.also}:
        return None
    return Route(errand=found.rule, slots=read_slots(text, today) | _own_words(found.rule, text))


def read_slots(text: str, today: date) -> dict[str, str]:
    """All that a message names, by slot; days as 2026-11-24, hours as numbers."""
    day, hour = read_day(text, today), read_hour(text)
    found = {
        "postcode": read_postcode(text),
        "number": read_ticket(text),
        "visit": read_visit(text),
        "bill": read_bill(text),
        "day": day.isoformat() if day else "",
        "hour": str(hour) if hour is not None else "",
        "kind": _kind(text),
        "service": _service(text),
    }
    return {name: value for name, value in found.items() if value}


def _own_words(errand: str, text: str) -> dict[str, str]:
    """What a ticket is about, or what to add to it, where the message says it after "about", "because" or a colon."""
    if errand == "open_ticket":
        said = _ABOUT.search(text)
        return {"subject": said[1].strip()} if said and len(said[1].split()) >= _SUBJECT_WORDS else {}
    if errand == "add_to_ticket":
        said = _THAT.search(text)
        return {"text": said[1].strip()} if said else {}
    return {}


def _kind(text: str) -> str:
    return "installation" if re.search(r"\binstall", text, re.IGNORECASE) else ""


def _service(text: str) -> str:
    said = re.findall(r"\b(broadband|internet|mobile|phone|sim)\b", text.casefold())
    named = {"broadband" if word in ("broadband", "internet") else "mobile" for word in said}
    return named.pop() if len(named) == 1 else ""


def _same_slot(hour: int, start: object) -> bool:
    return isinstance(start, int) and start <= hour < start + _LONGEST_SLOT
