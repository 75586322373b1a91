"""The tool loop: a model with tools that is itself a model. What it asks for is done by the toolbox, and it is asked on."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from bot.errors import DeadlinePassed
from bot.llm.stream import LLM, Event, Limits, Line, Request, Text, ToolRequest
from bot.tools.calls import Called
from bot.tools.toolbox import ToolTurn

ROUNDS = 3
"""Times a model may ask for tools in one reply; then it has to write with what it knows."""

Tell = Callable[[str], None]
"""Given what a tool told, before the model writes with it: what it writes is held against this."""


class ToolLoop:
    """An LLM over another one and the tools of one turn; the writer sees one stream.

    A call that was made before in this turn is not made again: its result is told once more. A proposed change ends the
    reply, because the customer speaks next. Each round ends with the inner model's `Finished`, so that each is billed.
    """

    def __init__(self, llm: LLM, tools: ToolTurn, tell: Tell) -> None:
        self.name, self.model = llm.name, llm.model
        self._llm, self._tools, self._tell = llm, tools, tell
        self._made: dict[str, Called] = {}

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The reply as events, with every round's; tool requests are not among them."""
        for rounds in range(ROUNDS + 1):
            tools = self._tools.specs() if rounds < ROUNDS else ()
            said: list[str] = []
            asked: list[ToolRequest] = []
            async with aclosing(self._llm.stream(replace(request, tools=tools), limits)) as events:
                async for event in events:
                    if isinstance(event, ToolRequest):
                        asked.append(event)
                        continue
                    if isinstance(event, Text):
                        said.append(event.text)
                    yield event
            if not asked or not tools:
                return
            lines = [Line(role="bot", text="".join(said), tool_requests=tuple(asked))]
            lines += [await self._line(one, limits) for one in asked]
            if self._tools.proposal:
                return
            if said:
                yield Text(text="\n\n")  # what follows is a paragraph of its own
            request = replace(request, lines=(*request.lines, *lines))

    async def close(self) -> None:
        """The inner model is not the loop's to close."""

    async def _line(self, asked: ToolRequest, limits: Limits) -> Line:
        """Have a call made, and the line that tells it. Raises DeadlinePassed when the turn has no time left."""
        if asyncio.get_running_loop().time() >= limits.deadline:
            raise DeadlinePassed(self.name)
        key = json.dumps([asked.name, dict(asked.arguments)], sort_keys=True, default=repr)
        called = self._made.get(key)
        if called is None:
            called = self._made[key] = await self._tools.call(asked)
        if not called.proposal:
            self._tell(called.words)
        return Line(role="tool", text=called.text, answers=asked.id)
