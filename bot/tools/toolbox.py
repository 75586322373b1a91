"""The toolbox: decides outside the model what is done, for whom and how often, and records every call and every refusal."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.audit import Asker, Audit, CallRecord, Ruling
from bot.domain import Escalation
from bot.errors import BackofficeFailed, FrontdeskError, LogUnavailable, NotSignedIn, ToolRefused
from bot.llm.stream import ToolRequest, ToolSpec
from bot.tools.calls import Called, Proposal
from bot.tools.rate import ToolRate
from bot.tools.tool import Caller, Supplies, Told, Tool, Work

logger = logging.getLogger(__name__)

KEPT_CHARS = 1000
"""Of arguments and results in the audit log."""
NO_SUCH_TOOL = "There is no such tool."
FAILED = "I'm sorry, I can't reach that information right now. Please try again in a few minutes."
MAYBE_DONE = "I'm sorry, our system did not answer in time. Say yes again and I'll make sure that it is done, and only once."
CHANGED = "That has changed since I asked you, so I have not done it."
TOO_OLD = "That was a while ago, so I have not done anything."
TOO_MANY = "That is more than I can look up at once. Please ask again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLimits:
    """What one turn may take."""

    calls: int = 6
    seconds: float = 8.0
    call_seconds: float = 4.0


def now_utc() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class Toolbox:
    """The tools, what they stand on, and the rules for using them."""

    def __init__(
        self,
        tools: Sequence[Tool],
        supplies: Supplies,
        audit: Audit,
        rate: ToolRate,
        limits: ToolLimits | None = None,
    ) -> None:
        self.tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        self.supplies = supplies
        self.audit = audit
        self.rate = rate
        self.limits = limits or ToolLimits()

    def specs(self, caller: Caller) -> tuple[ToolSpec, ...]:
        """The tools that this caller may use, as a model sees them."""
        return tuple(tool.spec() for tool in self.tools.values() if _may_use(tool, caller))

    def begin(self, caller: Caller, asker: Asker = "model", clock: Callable[[], datetime] = now_utc) -> "ToolTurn":
        """The tools for one turn."""
        return ToolTurn(self, caller, asker, clock)


class ToolTurn:
    """The tools in one turn: a budget, at most one proposal, and a record of every call for the trace."""

    def __init__(self, toolbox: Toolbox, caller: Caller, asker: Asker, clock: Callable[[], datetime]) -> None:
        self.caller = caller
        self.records: list[CallRecord] = []
        self.proposal: Proposal | None = None
        self.escalation: Escalation | None = None
        self._toolbox = toolbox
        self._asker = asker
        self._clock = clock
        self._calls = 0
        self._seconds = 0.0

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools that may be asked for."""
        return self._toolbox.specs(self.caller)

    async def call(self, request: ToolRequest) -> Called:
        """Look something up, or propose a change. It raises nothing: what is refused or fails is told in words."""
        return await self._ruled(request.name, request.arguments, "", lambda: self._look(request))

    async def confirm(self, proposal: Proposal) -> Called:
        """Make the change that the customer said yes to, once per key however often it is confirmed."""
        return await self._ruled(proposal.tool, proposal.arguments, proposal.key, lambda: self._make(proposal))

    async def _look(self, request: ToolRequest) -> Called:
        tool = await self._allowed(request.name)
        arguments = tool.read(request.arguments)
        work = self._work(tool)
        if tool.plan is None:
            told = await self._limited(tool.do(work, **arguments))
            self.escalation = told.escalation or self.escalation
            return Called(tool=tool.name, ruling=Ruling.DONE, words=told.words, value=_owned(told, self.caller))
        if self.proposal is not None:
            raise ToolRefused("One change at a time: the customer has to answer the first one.")
        words = await self._limited(tool.plan(work, **arguments))
        self.proposal = Proposal(
            tool=tool.name,
            arguments=request.arguments,
            words=words,
            key=work.key,
            conversation=self.caller.conversation,
            at=self._clock(),
        )
        return Called(tool=tool.name, ruling=Ruling.PROPOSED, words=words, proposal=self.proposal)

    async def _make(self, proposal: Proposal) -> Called:
        tool = await self._allowed(proposal.tool)
        if tool.plan is None or proposal.conversation != self.caller.conversation:
            raise ToolRefused(NO_SUCH_TOOL)
        arguments = tool.read(proposal.arguments)
        work = replace(self._work(tool), key=proposal.key)
        if not await self._toolbox.audit.is_begun(proposal.key):
            if not proposal.is_open(self._clock()):
                raise ToolRefused(TOO_OLD)
            if await self._limited(tool.plan(work, **arguments)) != proposal.words:
                raise ToolRefused(CHANGED)
            await self._record(self._entry(tool.name, proposal.arguments, Ruling.CONFIRMED, key=proposal.key))
        told = await self._limited(tool.do(work, **arguments))
        return Called(tool=tool.name, ruling=Ruling.DONE, words=told.words, value=_owned(told, self.caller))

    async def _ruled(
        self, name: str, arguments: Mapping[str, Any], key: str, run: Callable[[], Awaitable[Called]]
    ) -> Called:
        """Run it, and record what came of it before anybody hears of it."""
        began, proposed = time.perf_counter(), self.proposal
        reason = ""
        try:
            called = await run()
        except ToolRefused as refused:
            reason = refused.reason
            called = Called(tool=name, ruling=Ruling.REFUSED, words=reason)
        except (BackofficeFailed, LogUnavailable, TimeoutError) as failure:
            reason = f"{type(failure).__name__}: {failure}".rstrip(": ")
            logger.warning("conversation %s: %s failed: %s", self.caller.conversation, name[:40], reason)
            called = Called(tool=name, ruling=Ruling.FAILED, words=MAYBE_DONE if key else FAILED)
        took = time.perf_counter() - began
        self._seconds += took
        key = key or (called.proposal.key if called.proposal else "")
        entry = self._entry(name, arguments, called.ruling, key=key or self.caller.request)
        entry = replace(entry, reason=reason[:KEPT_CHARS], result=called.words[:KEPT_CHARS], took_ms=round(took * 1e3, 2))
        try:
            await self._record(entry)
        except FrontdeskError as failure:
            logger.error("conversation %s: %s was not recorded: %s", self.caller.conversation, name[:40], failure)
            self.proposal = proposed
            return Called(tool=name, ruling=Ruling.FAILED, words=MAYBE_DONE if key and not called.proposal else FAILED)
        return called

    async def _allowed(self, name: str) -> Tool:
        """The tool, if this caller may use it now; counts the call. Raises ToolRefused."""
        limits, tool = self._toolbox.limits, self._toolbox.tools.get(name)
        self._calls += 1
        if self._calls > limits.calls or self._seconds >= limits.seconds:
            raise ToolRefused(TOO_MANY)
        if tool is None or self.caller.role not in tool.roles:
            raise ToolRefused(NO_SUCH_TOOL)
        if tool.needs_account and self.caller.account is None:
            raise NotSignedIn
        if not await self._toolbox.rate.allows(self.caller.customer, tool.name, tool.per_minute):
            raise ToolRefused(TOO_MANY)
        return tool

    async def _limited(self, doing: Awaitable[Any]) -> Any:  # noqa: ANN401  words of a plan, or what a tool told
        limits = self._toolbox.limits
        async with asyncio.timeout(min(limits.call_seconds, max(0.0, limits.seconds - self._seconds))):
            return await doing

    def _work(self, tool: Tool) -> Work:
        key = f"{self.caller.conversation}:{self.caller.request or self.caller.seq}:{tool.name}"
        return Work(caller=self.caller, supplies=self._toolbox.supplies, now=self._clock(), key=key)

    def _entry(self, tool: str, arguments: Mapping[str, Any], ruling: Ruling, key: str) -> CallRecord:
        return CallRecord(
            tool=tool[:80].encode("ascii", "backslashreplace").decode().replace("\0", ""),
            arguments=_storable(arguments),
            customer=self.caller.customer,
            account=self.caller.account,
            conversation=self.caller.conversation,
            seq=self.caller.seq,
            role=self.caller.role,
            asker=self._asker,
            ruling=ruling,
            at=self._clock(),
            took_ms=0.0,
            key=key,
        )

    async def _record(self, entry: CallRecord) -> None:
        await self._toolbox.audit.record(entry)
        self.records.append(entry)


def _may_use(tool: Tool, caller: Caller) -> bool:
    return caller.role in tool.roles and (caller.account is not None or not tool.needs_account)


def _owned(told: Told, caller: Caller) -> object:
    """What a tool found, if all of it is the caller's. Raises BackofficeFailed."""
    for one in told.value if isinstance(told.value, list | tuple) else (told.value,):
        account, customer = getattr(one, "account", None), getattr(one, "customer", None)
        if account not in (None, caller.account) or customer not in (None, caller.owner):
            raise BackofficeFailed("a result of another customer was held back")
    return told.value


def _storable(arguments: Mapping[str, Any]) -> str:
    """The arguments as the audit log keeps them: JSON in ASCII, cut."""
    try:
        return json.dumps(dict(arguments), default=repr)[:KEPT_CHARS].replace("\\u0000", "")
    except (TypeError, ValueError, RecursionError):
        return '"not JSON"'
