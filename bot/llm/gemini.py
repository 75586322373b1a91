"""Gemini through Google's current library; the only file that imports `google.genai`."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from bot.errors import (
    ContentFiltered,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    StreamBroken,
    ToolCallBroken,
)
from bot.llm.failures import classify, retry_after, safe_detail
from bot.llm.lanes import KEEP_ALIVE_SECONDS, CappedBody, Lanes, proxy_for
from bot.llm.lines import arguments_text, dialogue, gemini_schema, system_text
from bot.llm.receive import receive
from bot.llm.received import Received, ToolPiece
from bot.llm.stream import Event, FinishReason, Limits, Line, Request, ToolRequest
from bot.settings import Settings

THINKING_ROOM = 2000
"""Tokens added for models that count their thinking as part of the reply."""
SIGNATURE, ID = "thought_signature", "id"
"""What goes back to Gemini with a call, as it came."""

REASONS: Mapping[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length"}
FILTERED = frozenset(
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY MODEL_ARMOR JAILBREAK ESCALATION".split()
)
_COMMENT = re.compile(rb"^:[^\n]*\n", re.MULTILINE)


@dataclass(slots=True)
class _Call:
    """What the library has no place for: the connection's own limit (it has one number for all), and the open answer."""

    connect_seconds: float
    responses: list[httpx2.Response] = field(default_factory=list)


_call: ContextVar[_Call] = ContextVar("call")


class GeminiLLM:
    """A Gemini model over `streamGenerateContent`, with native tool calls and thought signatures."""

    failures = (
        errors.APIError,
        errors.UnknownApiResponseError,
        httpx2.HTTPError,
        httpx2.StreamError,
        httpx2.InvalidURL,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        RuntimeError,
    )

    def __init__(self, client: genai.Client, http: httpx2.AsyncClient, model: str, key: str) -> None:
        self.name = "gemini"
        self.model = model
        self._http = http
        self._models = client.aio.models
        self._client = client  # its finalizer closes what the models use
        self._key = key

    def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The reply; see `bot.llm.stream.LLM`."""
        return receive(self, request, limits)

    async def close(self) -> None:
        """Release connections."""
        await self._http.aclose()

    async def chunks(self, request: Request, limits: Limits) -> AsyncGenerator[types.GenerateContentResponse, None]:
        """The vendor's chunks."""
        call = _Call(limits.connect_seconds)
        _call.set(call)
        contents = _contents(dialogue(request.lines, self.name))
        answered = False
        try:
            stream = await self._models.generate_content_stream(model=self.model, contents=contents, config=_config(request))
            async for chunk in stream:
                answered = True
                yield chunk
        except httpx2.NetworkError as refused:
            if answered:
                raise
            raise ProviderRefused(self.name, safe_detail(repr(refused), [self._key])) from None
        finally:
            for response in call.responses:  # the library leaves an answer that is not read to its end to the collector
                await response.aclose()

    def read(self, chunk: types.GenerateContentResponse, received: Received) -> None:
        """Take a chunk in; a thought is a sign of life and never shown."""
        if (used := chunk.usage_metadata) is not None:
            said = (
                None
                if used.candidates_token_count is None
                else used.candidates_token_count + (used.thoughts_token_count or 0)
            )
            received.usage(used.prompt_token_count, said)
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise ContentFiltered(self.name, f"prompt blocked: {_name(chunk.prompt_feedback.block_reason)}")
        if not chunk.candidates:
            return
        candidate = chunk.candidates[0]
        for part in (candidate.content.parts if candidate.content else None) or ():
            _read_part(part, received)
        if candidate.finish_reason:
            self._finish(_name(candidate.finish_reason), received)

    def failure(self, failure: Exception) -> ProviderFailed:
        """The library's or the wire's failure in our words."""
        detail = safe_detail(f"{type(failure).__name__}: {failure}", [self._key])
        if isinstance(failure, errors.APIError):
            kind = classify(failure.code, failure.status or "", f"{failure.message} {failure.details}")
            headers = getattr(failure.response, "headers", None) or {}
            return kind(self.name, detail, retry_after=retry_after(headers, str(failure.details)))
        if isinstance(failure, httpx2.TimeoutException):
            return ProviderTimedOut(self.name, detail)
        return StreamBroken(self.name, detail)

    def _finish(self, reason: str, received: Received) -> None:
        if reason in FILTERED:
            raise ContentFiltered(self.name, f"finish reason {reason}")
        if "TOOL_CALL" in reason or "FUNCTION_CALL" in reason or "SIGNATURE" in reason:
            raise ToolCallBroken(self.name, f"finish reason {reason}")
        if reason not in REASONS:
            raise StreamBroken(self.name, f"finish reason {reason}")
        received.finish(REASONS[reason])


def build_gemini(settings: Settings) -> GeminiLLM:
    """Gemini at GEMINI_BASE_URL, which may end with the API version."""
    base = settings.gemini_base_url.removesuffix(f"/{settings.gemini_api_version}")
    key = settings.gemini_api_key.get_secret_value() if settings.gemini_api_key else ""
    new_lane = partial(
        httpx2.AsyncHTTPTransport,
        verify=httpx2.create_ssl_context(),
        proxy=proxy_for(base),
        limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
    )
    hooks: dict[str, list[Any]] = {"request": [_limit], "response": [_keep]}
    http = httpx2.AsyncClient(transport=_Lanes("gemini", new_lane, _Body), timeout=httpx2.Timeout(None), event_hooks=hooks)
    options = types.HttpOptions(base_url=base, api_version=settings.gemini_api_version, httpx_async_client=http)
    client = genai.Client(api_key=key, vertexai=False, http_options=options)
    _warm_up()
    return GeminiLLM(client, http, settings.gemini_model.removeprefix("models/"), key)


def _warm_up() -> None:
    """Have the library build its lazy schemas now: in the first turn that would hold up everybody for 0.4 s."""
    part = {"text": "", "functionCall": {"name": "f", "args": {}}}
    answer = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}], "usageMetadata": {}}
    types.GenerateContentResponse.model_validate(answer)
    types.GenerateContentConfig(tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="f")])])


async def _limit(request: httpx2.Request) -> None:
    seconds = _call.get().connect_seconds
    request.extensions = {
        **request.extensions,
        "timeout": {"connect": seconds, "pool": seconds, "read": None, "write": None},
    }


async def _keep(response: httpx2.Response) -> None:
    _call.get().responses.append(response)


class _Body(CappedBody, httpx2.AsyncByteStream):
    """httpx2 takes only its own kind of body. Comment lines are left out: Google's library reads them as broken JSON."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body's bytes without the comments with which a gateway keeps a connection alive."""
        fresh_line = True
        async for chunk in super().__aiter__():
            kept = _COMMENT.sub(b"", chunk) if fresh_line else chunk[:1] + _COMMENT.sub(b"", chunk[1:])
            fresh_line = chunk.endswith(b"\n")
            yield kept


class _Lanes(Lanes, httpx2.AsyncBaseTransport):
    """And its own kind of transport."""


def _config(request: Request) -> types.GenerateContentConfig:
    declared = [
        types.FunctionDeclaration(
            name=tool.name,
            description=tool.description,
            parameters=types.Schema.model_validate(gemini_schema(tool.parameters)),
        )
        for tool in request.tools
    ]
    return types.GenerateContentConfig(
        system_instruction=system_text(request.lines) or None,
        max_output_tokens=request.max_tokens + THINKING_ROOM,
        temperature=request.temperature,
        tools=[types.Tool(function_declarations=declared)] if declared else None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _contents(lines: list[Line]) -> list[types.Content]:
    """The dialogue; neighbours of one role become one content, because parallel calls must be answered together."""
    calls = {call.id: call for line in lines for call in line.tool_requests}
    contents: list[types.Content] = []
    for line in lines:
        role, parts = "model" if line.role == "bot" else "user", _parts(line, calls)
        if contents and contents[-1].role == role:
            contents[-1].parts = [*(contents[-1].parts or ()), *parts]
        else:
            contents.append(types.Content(role=role, parts=parts))
    return contents


def _parts(line: Line, calls: Mapping[str, ToolRequest]) -> list[types.Part]:
    if line.role == "tool":
        call = calls[line.answers or ""]
        answer = types.FunctionResponse(id=call.extra.get(ID), name=call.name, response={"result": line.text})
        return [types.Part(function_response=answer)]
    parts = [types.Part(text=line.text)] if line.text or not line.tool_requests else []
    return parts + [_call_part(call) for call in line.tool_requests]


def _call_part(call: ToolRequest) -> types.Part:
    function = types.FunctionCall(id=call.extra.get(ID), name=call.name, args=dict(call.arguments))
    return types.Part(function_call=function, thought_signature=call.extra.get(SIGNATURE))


def _read_part(part: types.Part, received: Received) -> None:
    if part.thought:
        received.thought()
        return
    if part.function_call:
        call = part.function_call
        extra = {name: value for name, value in ((SIGNATURE, part.thought_signature), (ID, call.id)) if value}
        received.tool_piece(
            ToolPiece(id=call.id, name=call.name or "", arguments=arguments_text(call.args or {}), extra=extra)
        )
    received.text(part.text or "")


def _name(reason: types.FinishReason | types.BlockedReason) -> str:
    return str(reason.value)
