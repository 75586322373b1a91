"""Writes a reply with a language model: prompts it, streams it, and asks once more when a sentence does not hold."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field

from bot.accounts import Account, Accounts
from bot.billing import Billing, Metered, Tab
from bot.domain import Answer, Reply, WritingRecord
from bot.errors import ProviderFailed
from bot.follow_up import needs_rewriting
from bot.llm.failover import Failover
from bot.llm.members import ProviderStatus
from bot.llm.prices import Prices
from bot.llm.stream import LLM, Attempt, Began, Finished, Line, Replaced, Request, Text
from bot.llm.vendors import turn_limits
from bot.pieces import Piece, Pieces
from bot.prompts.loader import Prompts
from bot.question import Question
from bot.rewriting import Rewriter, Rewritten
from bot.settings import Settings
from bot.summary import ModelSummariser, Summariser
from bot.tools.loop import ToolLoop
from bot.tools.toolbox import ToolTurn
from bot.writing import Show, Writing
from knowledge.document import Found, Passage

logger = logging.getLogger(__name__)

NO_ANSWER = "NO ANSWER"
"""What a model is told to write when the passages do not hold the answer."""
PASSAGES = 8
"""Passages that a model is given."""
TRIES = 2
"""The first, and one more that is told which sentence did not hold."""
QUOTES = "extractive"
"""The member that only quotes; what it says is taken from the answer itself, where it is checked block by block."""
SHARE_OF_TURN = 0.9
"""Share of the turn's time that writing may take."""


@dataclass(slots=True, kw_only=True)
class Written:
    """What came of it; without a `reply` the quoted answer stands, unless a model `declined`.

    It declines when it finds no answer in the passages, and it is taken to when what it wrote did not hold.
    """

    reply: Reply | None = None
    declined: bool = False
    record: WritingRecord | None = None
    capped: bool = False

    @property
    def note(self) -> str:
        """In a few words, for the trace."""
        usage = self.record.usage if self.record else ()
        result = "written" if self.reply else "declined" if self.declined else "quoted"
        capped = ", the customer's tokens of the day are used up" if self.capped else ""
        return f"{', '.join(one.provider for one in usage) or 'nobody'}: {result}{capped}"


@dataclass(slots=True, kw_only=True)
class _Notes:
    """What is noted while a reply is written."""

    began: float
    tab: Tab
    llm: LLM
    finished: list[Finished] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)
    prompt: str = ""
    first_shown: float | None = None


class Writer:
    """Writes replies with one LLM, which may be several; every piece is checked before it is shown."""

    def __init__(self, llm: LLM, prompts: Prompts, prices: Prices, settings: Settings, accounts: Accounts) -> None:
        self._llm = llm
        self._prompts = prompts
        self._prices = prices
        self._settings = settings
        self._billing = Billing(accounts, settings.tokens_per_customer_per_day)
        self._rewriter = Rewriter(llm=llm, prompts=prompts, prices=prices, settings=settings, billing=self._billing)
        self._summariser = ModelSummariser(llm=llm, prompts=prompts, prices=prices, settings=settings, billing=self._billing)

    async def write(  # noqa: PLR0913  the turn has all of it at hand, and nobody else calls this
        self,
        question: Question,
        quote: Answer,
        found: Found,
        show: Show,
        account: Account,
        *,
        tools: ToolTurn | None = None,
    ) -> Written:
        """A reply from the passages found, or none; `quote` is what the articles say word for word.

        It goes on the `account`; without tokens left for the day nobody is asked. With `tools` the model may use them, and
        its sentences may rest on what they told.
        """
        loop = asyncio.get_running_loop()
        tab = Tab(account, self._llm, self._prices)
        notes = _Notes(began=loop.time(), tab=tab, llm=Metered(self._llm, self._billing, tab))
        passages = _passages(quote, found)

        def shown(text: str) -> None:
            notes.first_shown = notes.first_shown or loop.time()
            show(text)

        writing = Writing(passages, shown, customer_said=(*question.history, question.text), country=self._settings.country)
        for known in question.stated:
            writing.tell(known)
        if tools:
            notes.llm = ToolLoop(notes.llm, tools, writing.tell)
        try:
            await self._try(question, quote, passages, writing, notes)
        except ProviderFailed as failure:
            notes.tab.fail(failure.attempts)
            notes.attempts += failure.attempts
            logger.warning("nobody wrote an answer: %s", failure)
        finally:
            self._billing.settle(notes.tab)
        quoted = bool(notes.finished) and notes.finished[-1].provider == QUOTES
        capped = notes.tab.refused
        reply = writing.reply() if writing.claimed and not quoted and not capped else None
        declined = reply is None and not quoted and not capped and bool(notes.finished or notes.findings)
        return Written(reply=reply, declined=declined, record=self._record(notes, loop.time()), capped=capped)

    def wants_rewriting(self, question: Question, found: Found) -> bool:
        """Whether a question should be rewritten, given what its search found; asks nobody."""
        return needs_rewriting(question, found, self._settings.answerable_above)

    async def rewrite(self, question: Question, account: Account) -> Rewritten:
        """A follow-up as a question that stands alone, soon or not at all; on the customer's account, as a reply is."""
        return await self._rewriter.rewrite(question, account)

    @property
    def summariser(self) -> Summariser:
        """Who sums up long conversations, on their customers' accounts."""
        return self._summariser

    @property
    def providers(self) -> Sequence[ProviderStatus]:
        """How the models that the LLM is made of fare; nothing is known of one that is no composite."""
        return self._llm.status() if isinstance(self._llm, Failover) else ()

    async def close(self) -> None:
        """Keep the last bills and release connections."""
        await self._billing.close()
        await self._llm.close()

    async def _try(
        self, question: Question, quote: Answer, passages: Sequence[Passage], writing: Writing, notes: _Notes
    ) -> None:
        deadline = notes.began + SHARE_OF_TURN * self._settings.turn_seconds
        for _ in range(TRIES):
            request = self._request(question, quote, passages, writing, notes)
            if await self._stream(request, deadline, writing, notes):
                return
            writing.restart()

    def _request(
        self, question: Question, quote: Answer, passages: Sequence[Passage], writing: Writing, notes: _Notes
    ) -> Request:
        names = {"company": self._settings.company, "assistant": self._settings.assistant}
        voice = self._prompts.render("voice", names)
        prompt = self._prompts.render(
            "answer",
            {
                "voice": voice.text,
                "tone": question.tone,
                "facts": question.facts,
                "passages": [
                    {"number": n, "title": p.title, "heading": p.heading, "text": p.text} for n, p in enumerate(passages, 1)
                ],
                "finding": notes.findings[-1] if notes.findings else "",
                "shown": writing.text,
            },
        )
        notes.prompt = prompt.text
        notes.prompts |= {one.name: one.hash for one in (voice, prompt)}
        earlier = question.lines or tuple(Line(role="customer", text=text) for text in question.history)
        return Request(
            lines=(Line(role="system", text=prompt.text), *earlier, Line(role="customer", text=question.text)),
            question=question.text,
            found=Found(passages=tuple(passages), answerability=1.0, version=""),
            quote="\n\n".join(block.text for block in quote.blocks),
            shown=lambda: writing.text,
        )

    async def _stream(self, request: Request, deadline: float, writing: Writing, notes: _Notes) -> bool:
        """Stream one try; False when a piece did not hold, and then the rest was not read."""
        pieces = Pieces()
        before: tuple[Attempt, ...] = ()
        quotes = False
        async with aclosing(notes.llm.stream(request, turn_limits(self._settings, deadline))) as events:
            async for event in events:
                match event:
                    case Began():
                        notes.tab.began(event)
                        before, quotes = event.attempts, event.provider == QUOTES
                    case Text() if quotes:
                        continue
                    case Text(text=text):
                        notes.tab.heard(text)
                        if not _take_all(pieces.feed(text), writing, notes):
                            notes.attempts += before
                            return False
                    case Replaced():
                        notes.prompts |= event.prompts
                        pieces = Pieces()
                        writing.restart()
                    case Finished():
                        notes.finished.append(event)
                        notes.tab.finish(event)
                        notes.attempts += event.attempts
        return _take_all(pieces.rest(), writing, notes)

    def _record(self, notes: _Notes, now: float) -> WritingRecord:
        return WritingRecord(
            usage=tuple(notes.tab.usage),
            attempts=tuple(asdict(attempt) for attempt in notes.attempts),
            findings=tuple(notes.findings),
            prompts=notes.prompts,
            prompt=notes.prompt,
            first_shown_ms=None if notes.first_shown is None else round((notes.first_shown - notes.began) * 1e3, 1),
            took_ms=round((now - notes.began) * 1e3, 1),
        )


def _take_all(pieces: Sequence[Piece], writing: Writing, notes: _Notes) -> bool:
    for piece in pieces:
        if NO_ANSWER in piece.text:
            continue
        if finding := writing.take(piece):
            notes.findings.append(finding)
            return False
    return True


def _passages(quote: Answer, found: Found) -> tuple[Passage, ...]:
    """What is quoted and what scored best, each once."""
    unique = {passage.id: passage for passage in (*quote.passages, *found.passages)}
    return tuple(unique.values())[:PASSAGES]
