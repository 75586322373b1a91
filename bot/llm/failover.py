"""Several models as one: asks them in order and replaces one that fails, also in the middle of a reply."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from bot.errors import ProviderFailed, StreamBroken
from bot.llm.breaker import Permit
from bot.llm.members import Member, ProviderStatus
from bot.llm.relay import Relay
from bot.llm.stream import Event, Finished, Limits, Request, Text, ToolRequest
from bot.prompts.loader import Prompts

RETRY_SECONDS = (0.02, 0.12)
"""Pause before the one quick retry: between these, at random."""


class Failover:
    """An LLM made of others. `patience_seconds` is the longest wait for anybody's first word, the quoting one's excepted.

    Of `prompts` it renders `already_read`, which tells who takes over what the customer has read.
    """

    def __init__(self, members: Sequence[Member], *, patience_seconds: float = 5.0, prompts: Prompts | None = None) -> None:
        self.name = "failover"
        self.model = members[0].llm.model
        self._members = tuple(members)
        self._patience = patience_seconds
        self._prompts = prompts or Prompts()

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The reply of the first member that gives one, with Replaced where one took over after text had come.

        Raises ContentFiltered where a filter stopped the reply and no member only quotes, else AllProvidersFailed, and
        PromptInvalid where what a replacement is told cannot be rendered.
        """
        relay = Relay(request, limits, self._patience)
        members = _in_order(self._members, request)
        for place, member in enumerate(members):
            left = members[place + 1 :]
            while permit := relay.permit(member, left):
                try:
                    async with aclosing(self._attempt(relay, member, permit, left)) as events:
                        async for event in events:
                            yield event
                    return
                except ProviderFailed as failure:
                    if not relay.failed(member, failure):
                        break
                    await asyncio.sleep(random.uniform(*RETRY_SECONDS))  # noqa: S311  (spreads load, guards nothing)
        raise relay.verdict()

    def status(self) -> tuple[ProviderStatus, ...]:
        """How every member fares, in order."""
        return tuple(member.status() for member in self._members)

    async def close(self) -> None:
        """Release every member's connections."""
        await asyncio.gather(*(member.llm.close() for member in self._members))

    async def _attempt(
        self, relay: Relay, member: Member, permit: Permit, left: Sequence[Member]
    ) -> AsyncGenerator[Event, None]:
        """One member's stream, marked as a replacement if there was text before; settles the permit."""
        finished = False
        try:
            yield relay.begin(member)
            async with aclosing(member.llm.stream(relay.request_now(self._prompts), relay.limits_now(left))) as events:
                async for event in events:
                    if replaced := relay.takes_over(member):
                        yield replaced
                    if isinstance(event, Text | ToolRequest):
                        relay.heard(event.text if isinstance(event, Text) else "")
                    elif isinstance(event, Finished):
                        finished = True
                        member.answered += 1
                        permit.succeeded()
                    yield relay.signed(event)
            if not finished:
                raise StreamBroken(member.llm.name, "the stream ended without Finished")
        except ProviderFailed as failure:
            permit.failed(failure)
            raise
        finally:
            permit.give_back()


def _in_order(members: tuple[Member, ...], request: Request) -> tuple[Member, ...]:
    """The members as set, but within a tool round the one that asked for the tool first: its calls carry its signature.

    For what is optional only one, which neither quotes nor is being left out.
    """
    if request.optional:
        return tuple(member for member in members if not member.quotes and member.breaker.state == "closed")[:1]
    last = request.lines[-1] if request.lines else None
    asked_by = {call.id: call.provider for line in request.lines for call in line.tool_requests}
    provider = asked_by.get(last.answers or "") if last and last.role == "tool" else None
    return tuple(sorted(members, key=lambda member: provider is not None and member.llm.name != provider))
