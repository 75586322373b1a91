"""Drives one stream of any vendor: limits around each wait, caps, and every failure in our own words."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol, TypeVar

from bot.errors import ProviderFailed
from bot.llm.pace import Pace
from bot.llm.received import Received
from bot.llm.stream import Event, Limits, Request, Text

Chunk = TypeVar("Chunk")


class Wire(Protocol[Chunk]):
    """What a vendor's file has to say: how its chunks are asked for and read, and what its failures mean."""

    name: str
    model: str

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """All that the vendor's library has been seen to raise, and what its garbage makes our reading raise."""
        ...

    def chunks(self, request: Request, limits: Limits) -> AsyncGenerator[Chunk, None]:
        """The vendor's chunks; the first wait includes the connection. Closing the generator closes the connection."""
        ...

    def read(self, chunk: Chunk, received: Received) -> None:
        """Take a chunk in, as far as it can be read."""
        ...

    def failure(self, failure: Exception) -> ProviderFailed:
        """The failure in our words."""
        ...


async def receive(wire: Wire[Chunk], request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
    """The events of one stream. Raises ProviderFailed, also where the vendor's library ends a broken stream silently."""
    received = Received(wire.name, wire.model, request)
    pace = Pace(wire.name, limits)
    failures: tuple[type[Exception], ...] = (ProviderFailed, *wire.failures)
    async with aclosing(wire.chunks(request, limits)) as chunks:
        while True:
            failed: Exception | None = None
            moves = received.moves
            try:
                chunk = await pace.next(anext(chunks, None))
                if chunk is None:
                    break
                wire.read(chunk, received)
            except failures as failure:
                failed = failure
            if text := received.fresh():
                yield Text(text=text)
            if failed and received.reason:
                break  # the reply is whole: what fails after its finish reason costs only the usage
            if failed:
                raise (failed if isinstance(failed, ProviderFailed) else wire.failure(failed)) from None
            if received.reason:
                pace.finished()
            elif received.moves > moves:
                pace.moved()
    for event in received.close():
        yield event
