"""What scorers look at: one turn with its label, its place and what was said before."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.audit import Ruling
from bot.domain import Outcome
from evals.marks import Mark
from evals.runs import PlayedTurn, Run
from evals.transcripts import Expected, Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A played turn and what is expected of it; `number` counts from 1."""

    transcript: Transcript
    number: int
    expect: Expected
    played: PlayedTurn
    before: tuple[str, ...] = ()
    was_open: bool = False
    """Whether the reply before asked something for an errand, or proposed a change."""

    @property
    def outcome(self) -> str:
        """The outcome of the reply, "" where there is none or the bot handed over."""
        return "" if self.played.handed_over else str(self.played.data.get("outcome", ""))

    @property
    def answered(self) -> bool:
        """Whether the reply is an answer."""
        return self.outcome == Outcome.ANSWERED

    @property
    def text(self) -> str:
        """Everything the customer was shown after this message."""
        return "\n\n".join(one.text for one in self.played.said if one.kind in ("message", "notice"))

    @property
    def calls(self) -> tuple[tuple[str, str, str], ...]:
        """The tools that were used without a model: name, what came of it, why it was refused."""
        return tuple((str(one[0]), str(one[1]), str(one[2])) for one in self.played.data.get("calls", ()))

    @property
    def by_tool(self) -> bool:
        """Whether the reply is a tool's: what it tells stands in the company's system, and no article is cited for it."""
        data = self.played.data
        used = any(ruling != Ruling.REFUSED for _, ruling, _ in self.calls)
        return bool(used or data.get("open") or (self.was_open and self.answered)) and not data.get("citations")

    @property
    def own_words(self) -> str:
        """The reply without what a tool put below it, such as that the customer is not signed in."""
        told = {why for *_, why in self.calls if why}
        text = self.played.reply.text if self.played.reply else ""
        return "\n\n".join(one for one in text.split("\n\n") if one not in told)

    def mark(self, measure: str, value: float | str | bool | None, why: str = "", truth: float | str | None = None) -> Mark:
        """A mark on this turn."""
        number = float(value) if isinstance(value, bool) else value
        return Mark(measure=measure, conversation=self.transcript.id, turn=self.number, value=number, truth=truth, why=why)


def cases(run: Run) -> Iterator[Case]:
    """Every turn of a run, in order."""
    for transcript, played in run.pairs:
        for place, (turn, one) in enumerate(zip(transcript.turns, played.turns, strict=True)):
            said = tuple(earlier.customer for earlier in transcript.turns[:place])
            was_open = place > 0 and bool(played.turns[place - 1].data.get("open"))
            yield Case(
                transcript=transcript, number=place + 1, expect=turn.expect, played=one, before=said, was_open=was_open
            )
