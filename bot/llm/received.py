"""What has come of a stream so far: text, pieces of tool calls, usage, finish reason. All vendors are read into this."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from bot.errors import EmptyCompletion, StreamBroken, StreamTooLong, ToolCallBroken
from bot.llm.stream import Event, Finished, FinishReason, Request, Text, ToolRequest
from bot.llm.tokens import estimate_payload, estimate_request, estimate_tokens
from bot.llm.visible import Visible

MOST_CHARS_PER_TOKEN = 16
"""Text and tool arguments over this many characters for each token that was asked for are a runaway stream."""
FREE_CHARS = 4000


@dataclass(slots=True, kw_only=True)
class ToolPiece:
    """A piece of a tool call as a vendor streams it; arguments are JSON, cut anywhere."""

    index: int | None = None
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class Received:
    """Collects one stream; `moves` counts what brought the reply forward, so that a pace can tell life from noise."""

    def __init__(self, provider: str, model: str, request: Request) -> None:
        self.moves = 0
        self.reason: FinishReason | None = None
        self._provider = provider
        self._model = model
        self._request = request
        self._visible = Visible()
        self._text: list[str] = []
        self._fresh: list[str] = []
        self._calls: list[ToolPiece] = []
        self._by_index: dict[int, ToolPiece] = {}
        self._room = FREE_CHARS + MOST_CHARS_PER_TOKEN * request.max_tokens
        self._usage: tuple[int | None, int | None] = (None, None)

    def text(self, piece: str) -> None:
        """Take a piece of text. Raises StreamBroken on what is no Unicode text."""
        if not piece:
            return
        self._take(len(piece))
        try:
            shown = self._visible.take(piece)
        except UnicodeError as unreadable:
            raise StreamBroken(self._provider, str(unreadable)) from None
        self._text.append(shown)
        self._fresh.append(shown)

    def fresh(self) -> str:
        """The text that came since this was last asked, as far as it may be shown."""
        text = "".join(self._fresh)
        self._fresh.clear()
        return text

    def thought(self) -> None:
        """The model thinks aloud; never shown, but a sign of life."""
        self.moves += 1

    def tool_piece(self, piece: ToolPiece) -> None:
        """Take a piece of a tool call.

        It belongs to the call of its index. Without an index (Gemini's compatible endpoint), or with the index of another
        call (some servers send 0 for all), a name with a new id begins a call; what has no name continues the last one.
        """
        self._take(len(piece.arguments))
        last = self._calls[-1] if self._calls else None
        call = self._by_index.get(piece.index) if piece.index is not None else last
        another = bool(call and piece.name and (piece.id != call.id if piece.id else piece.index is None))
        if call is None or another:
            self._calls.append(piece)
            if piece.index is not None:
                self._by_index[piece.index] = piece
            return
        call.id = call.id or piece.id
        call.name = call.name or piece.name
        call.arguments += piece.arguments
        call.extra |= piece.extra

    def usage(self, prompt: object, completion: object) -> None:
        """Take the vendor's count of tokens; the last one stands, and what is no count is not taken."""
        was_prompt, was_completion = self._usage
        self._usage = (_count(prompt, was_prompt), _count(completion, was_completion))

    def finish(self, reason: FinishReason) -> None:
        """The vendor said that it is done, and why."""
        self.reason = reason

    def close(self) -> list[Event]:
        """What was held back, the tool requests, and Finished. Raises StreamBroken where this is not a whole reply."""
        if self.reason is None:
            raise StreamBroken(self._provider, "the stream ended without a finish reason")
        if self._calls and self.reason == "length":
            raise ToolCallBroken(self._provider, "the reply was cut at its longest within a tool call")
        try:
            rest = self._visible.end()
        except UnicodeError as unreadable:
            raise StreamBroken(self._provider, str(unreadable)) from None
        self._text.append(rest)
        requests = [self._request_of(call) for call in self._calls]
        if not requests and not "".join(self._text).strip():
            raise EmptyCompletion(self._provider, f"no text and no tool call, finish reason {self.reason}")
        return [*([Text(text=rest)] if rest else []), *requests, self._finished()]

    def _take(self, size: int) -> None:
        self.moves += 1
        self._room -= size
        if self._room < 0:
            raise StreamTooLong(self._provider, f"over the cap of text for {self._request.max_tokens} tokens")

    def _request_of(self, call: ToolPiece) -> ToolRequest:
        if not call.name:
            raise ToolCallBroken(self._provider, f"a tool call without a name: {call.arguments!r}")
        try:
            arguments = json.loads(call.arguments, parse_constant=_refuse) if call.arguments.strip() else {}
        except (ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            raise ToolCallBroken(self._provider, f"arguments of {call.name} are not a JSON object: {call.arguments!r}")
        return ToolRequest(
            id=call.id or f"call_{uuid.uuid4().hex[:16]}",
            name=call.name,
            arguments=arguments,
            provider=self._provider,
            extra=call.extra,
        )

    def _finished(self) -> Finished:
        reason = self.reason if self.reason and not self._calls else "tools"
        prompt, completion = self._usage
        said = estimate_tokens("".join(self._text)) + sum(estimate_payload(call.arguments) for call in self._calls)
        return Finished(
            reason="stop" if reason == "tools" and not self._calls else reason,
            provider=self._provider,
            model=self._model,
            prompt_tokens=prompt if prompt is not None else estimate_request(self._request),
            completion_tokens=completion if completion is not None else said,
            estimated=prompt is None or completion is None,
        )


def _count(value: object, before: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else before


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
