"""Errands: what the bot looks up and does for a customer without a model, one question at a time."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.audit import CallRecord, Ruling
from bot.classify import IntentGuess
from bot.domain import Entry, Escalation, Outcome
from bot.errors import NotSignedIn
from bot.llm.stream import ToolRequest
from bot.tools.calls import Called
from bot.tools.routes import Open, Option, Route, read_open, route
from bot.tools.tool import Caller
from bot.tools.toolbox import CHANGED, TOO_OLD, Toolbox, ToolTurn

logger = logging.getLogger(__name__)

SHALL_I = "I can {words} Shall I do that?"
ENDED = (".”", "!”", "?”")
NOT_DONE = "All right, I haven't changed anything."
NOT_SIGNED_IN = NotSignedIn().reason
ALREADY = "That is done already; there is nothing more to confirm."
MODELS = "model"
"""The errand of a proposal that a model made: it is answered like any other, and nothing else is known of it."""
CATCH = "I didn't catch that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of an errand: the reply's words, and what its entry keeps.

    `below`: the words go below what the articles answer, because the customer is not signed in. `failure` names a tool that
    could not be reached, for the escalation rules; `escalation` is what a tool asked for.
    """

    words: str
    outcome: Outcome
    open: Open | None = None
    records: tuple[CallRecord, ...] = ()
    below: bool = False
    failure: str = ""
    escalation: Escalation | None = None

    @property
    def data(self) -> dict[str, Any]:
        """To be merged into the data of the reply's entry: what is open, and the calls for the trace."""
        calls = [[one.tool, one.ruling, one.reason, one.took_ms] for one in self.records]
        return {**({"open": self.open.as_data()} if self.open else {}), **({"calls": calls} if calls else {})}


@dataclass(slots=True, kw_only=True)
class Run:
    """One errand in one turn: what is known, and the tools."""

    route: Route
    tools: ToolTurn
    today: date
    guess: IntentGuess
    slots: dict[str, str] = field(default_factory=dict)

    async def call(self, name: str, **arguments: Any) -> Called:  # noqa: ANN401  whatever the tool takes
        """Use a tool."""
        return await self.tools.call(ToolRequest(id=name, name=name, arguments=arguments))

    def say(self, words: str, outcome: Outcome = Outcome.ANSWERED, left: Open | None = None) -> Acted:
        """A reply."""
        records = tuple(self.tools.records)
        return Acted(words=words, outcome=outcome, open=left, records=records, escalation=self.tools.escalation)

    def ask(self, slot: str, words: str, options: Sequence[Option] = ()) -> Acted:
        """Ask the customer for what is missing, with the choices there are."""
        listed = "\n".join(f"{place}. {label}" for place, (_, label) in enumerate(options, start=1))
        question = f"{CATCH} {words}" if self.route.again else words
        left = Open(errand=self.route.errand, slots=self.slots, asks=slot, options=tuple(options), again=self.route.again)
        return self.say(f"{question}\n\n{listed}" if listed else question, Outcome.ASKED_BACK, left)

    def tell(self, called: Called) -> Acted:
        """What a call told, was refused for, or proposes."""
        if called.proposal:
            left = Open(errand=self.route.errand, slots=self.slots, proposal=called.proposal)
            return self.say(_shall_i(called.words), Outcome.ASKED_BACK, left)
        if called.ruling is Ruling.FAILED:
            return Acted(
                words=called.words, outcome=Outcome.ABSTAINED, records=tuple(self.tools.records), failure=called.tool
            )
        return self.say(called.words)


Errand = Callable[[Run], Awaitable[Acted]]


def propose(tools: ToolTurn) -> Acted | None:
    """The change that a model asked for in this turn, as a reply: the customer reads our words for it, not the model's."""
    if tools.proposal is None:
        return None
    left = Open(errand=MODELS, proposal=tools.proposal)
    return Acted(words=_shall_i(tools.proposal.words), outcome=Outcome.ASKED_BACK, open=left, records=tuple(tools.records))


def _shall_i(words: str) -> str:
    """The question that a proposal is; what the customer is quoted with may end its sentence."""
    return SHALL_I.format(words=words if words.endswith(ENDED) else f"{words}.")


class Errands:
    """Does what the words ask for, with a toolbox; keeps nothing between turns."""

    def __init__(self, toolbox: Toolbox, errands: Mapping[str, Errand]) -> None:
        self._toolbox = toolbox
        self._errands = errands

    async def act(
        self, guess: IntentGuess, asked: Entry, earlier: Sequence[Entry], caller: Caller, now: datetime
    ) -> Acted | None:
        """What the bot does about a message, given the entries before it; None: the articles answer it.

        A yes counts from when it was said, however late its turn comes.
        """
        left, today = read_open(earlier), now.astimezone(self._toolbox.supplies.zone).date()
        found = route(guess, asked.text, left, today)
        if found is None or not (found.answer or found.errand in self._errands):
            return None
        tools = self._toolbox.begin(caller, "routes", lambda: asked.at)
        run = Run(route=found, tools=tools, today=today, guess=guess, slots=dict(found.slots))
        if found.answer:
            return await self._answer(run)
        acted = await self._errands[found.errand](run)
        return _below(acted, caller)

    async def _answer(self, run: Run) -> Acted:
        left, proposal = run.route.open, run.route.open.proposal if run.route.open else None
        if run.route.answer == "decline":
            return run.say(NOT_DONE)
        if run.route.answer == "already" or left is None or proposal is None:
            return run.say(ALREADY)
        called = await run.tools.confirm(proposal)
        if called.ruling is Ruling.FAILED:  # a second yes makes the same change, once
            again = Open(errand=left.errand, slots=left.slots, proposal=proposal)
            return Acted(
                words=called.words,
                outcome=Outcome.ASKED_BACK,
                open=again,
                records=tuple(run.tools.records),
                failure=called.tool,
            )
        if called.is_done:
            return run.say(called.words, left=Open(errand=left.errand, done=proposal.key))
        return await self._again(run, called) if called.words in (TOO_OLD, CHANGED) else run.tell(called)

    async def _again(self, run: Run, refused: Called) -> Acted:
        """A yes that came too late, or to something that has changed: propose it anew, as it is now."""
        proposal = run.route.open.proposal if run.route.open else None
        if proposal is None:
            return run.say(refused.words)
        called = await run.call(proposal.tool, **proposal.arguments)
        acted = run.tell(called)
        return Acted(
            words=f"{refused.words} {acted.words}",
            outcome=acted.outcome,
            open=acted.open,
            records=acted.records,
            failure=acted.failure,
        )


def _below(acted: Acted, caller: Caller) -> Acted:
    """Somebody who is not signed in reads the articles' answer first, where it was an account that was asked for."""
    if caller.account or not any(one.reason == NOT_SIGNED_IN for one in acted.records):
        return acted
    return Acted(words=acted.words, outcome=acted.outcome, records=acted.records, below=True)
