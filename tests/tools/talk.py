"""A conversation at the level of the errands: what the bot does about each message, kept as the log would keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from bot.backoffice.demo import DemoOffice
from bot.backoffice.office import Backoffice
from bot.classify import IntentGuess
from bot.domain import ConversationId, CustomerId, Entry, EntryId, Kind, Speaker
from bot.sql.audit import SqlAudit
from bot.sql.store import Store, open_store
from bot.sql.tickets import SqlTickets
from bot.tools.catalogue import TOOLS
from bot.tools.errands import Acted, Errands
from bot.tools.other_errands import ERRANDS
from bot.tools.rate import LocalToolRate
from bot.tools.tool import Caller, Supplies, Tool
from bot.tools.toolbox import Toolbox, ToolLimits
from knowledge.document import Article, Contents, DocumentId, Found

CHAT = ConversationId("talk")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""A Friday."""
TWO_LINES, ONE_LINE, MOBILE_ONLY, NO_VISIT = "100200001", "100200004", "100200003", "100200002"
ANA = CustomerId("ana")


class NoSearch:
    """A search that finds nothing."""

    async def search(self, question: str, history: object = (), limit: int = 8) -> Found:
        return Found(passages=(), answerability=0.0, version="")

    async def article(self, document: DocumentId) -> Article | None:
        return None

    async def contents(self) -> Contents:
        return Contents()


def guess(name: str = "off_topic", confidence: float = 0.3, **fields: Any) -> IntentGuess:
    """What the classifier could say."""
    return IntentGuess(**{"name": name, "confidence": confidence, "also": (), "in_scope": False, "by": "model", **fields})


def build_toolbox(
    store: Store,
    office: Backoffice | None = None,
    limits: ToolLimits | None = None,
    tools: tuple[Tool, ...] = TOOLS,
    zone: tzinfo = UTC,
) -> Toolbox:
    """A toolbox on the demo company."""
    office = office or DemoOffice(store, lambda: NOW)
    supplies = Supplies(office=office, tickets=SqlTickets(store), search=NoSearch(), zone=zone)
    return Toolbox(tools, supplies, SqlAudit(store), LocalToolRate(), limits)


def new_store(folder: Path) -> Store:
    """An empty database."""
    return open_store(None, folder)


@dataclass
class Talk:
    """One customer's conversation."""

    toolbox: Toolbox
    account: str | None = TWO_LINES
    customer: CustomerId = ANA
    conversation: ConversationId = CHAT
    now: datetime = NOW
    entries: list[Entry] = field(default_factory=list)
    acted: Acted | None = None

    async def say(self, text: str, intent: IntentGuess | None = None, after: timedelta = timedelta(seconds=20)) -> str:
        """What the bot replies; "" where it leaves the message to the articles."""
        self.now += after
        asked = self._entry(Speaker.CUSTOMER, text, {})
        earlier = list(self.entries)
        self.entries.append(asked)
        errands = Errands(self.toolbox, ERRANDS)
        self.acted = await errands.act(intent or guess(), asked, earlier, self.caller(asked.seq), self.now)
        words = self.acted.words if self.acted else ""
        self.entries.append(self._entry(Speaker.BOT, words or "From the articles.", self.acted.data if self.acted else {}))
        return words

    def caller(self, seq: int) -> Caller:
        """On whose behalf."""
        return Caller(customer=self.customer, conversation=self.conversation, seq=seq, account=self.account)

    def _entry(self, speaker: Speaker, text: str, data: Mapping[str, Any]) -> Entry:
        seq = len(self.entries) + 1
        return Entry(
            conversation=self.conversation,
            seq=seq,
            id=EntryId(f"{self.conversation}-{seq}"),
            speaker=speaker,
            kind=Kind.MESSAGE,
            text=text,
            data=data,
            at=self.now,
        )
