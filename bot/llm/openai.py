"""OpenAI, Azure OpenAI and every server that speaks Chat Completions; the only file that imports `openai`."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import openai
from pydantic import SecretStr

from bot.errors import ContentFiltered, ProviderFailed, ProviderRefused, ProviderTimedOut, StreamBroken
from bot.llm.events import Events
from bot.llm.failures import classify, retry_after, safe_detail
from bot.llm.lanes import KEEP_ALIVE_SECONDS, CappedBody, Lanes, proxy_for
from bot.llm.lines import arguments_text, dialogue, system_text
from bot.llm.receive import receive
from bot.llm.received import Received, ToolPiece
from bot.llm.stream import Event, FinishReason, Limits, Line, Request, ToolRequest, ToolSpec
from bot.settings import Settings

Chunk = Sequence[Mapping[str, Any]]
"""The events that came with one read of the connection, each as it came."""
DONE: Mapping[str, Any] = {"done": True}
"""Stands for the `[DONE]` of a stream."""
THINKING_ROOM = 2000
"""Tokens added for models that count their thinking as part of the reply."""

_REASONS: Mapping[str, FinishReason] = {"length": "length", "tool_calls": "tools", "function_call": "tools"}
_BROKEN = frozenset(("error", "abort", "aborted", "cancelled", "insufficient_system_resource"))
"""What servers call an end that is none (vLLM, OpenRouter, DeepSeek)."""
_NOT_YET = frozenset(("null", "none", "None"))
"""How some write that there is no reason yet."""
_UNSUPPORTED = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|extra input", re.IGNORECASE
)
_ADAPTABLE = re.compile(r"\b(max_completion_tokens|max_tokens|temperature|stream_options)\b")


class OpenAILLM:
    """A model behind `/chat/completions`; `name` says whose, for prices, status and tool rounds."""

    failures = (
        openai.OpenAIError,
        httpx.HTTPError,
        httpx.StreamError,
        httpx.InvalidURL,
        OSError,
        ValueError,  # broken JSON, invalid UTF-8, a chunk that is no chunk
        TypeError,
        AttributeError,
        LookupError,
        RuntimeError,  # JSON nested without end; a connection closed under the reader
    )

    def __init__(self, client: openai.AsyncOpenAI, name: str, model: str) -> None:
        self.name = name
        self.model = model
        self._client = client
        self._unsupported: set[str] = set()

    def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The reply; see `bot.llm.stream.LLM`."""
        return receive(self, request, limits)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def chunks(self, request: Request, limits: Limits) -> AsyncGenerator[Chunk, None]:
        """The vendor's chunks."""
        async with await self._open(request, limits) as stream:
            async for chunk in stream:
                yield chunk

    def read(self, chunk: Chunk, received: Received) -> None:
        """Take the events in: usage may come on any, a delta on those with a choice."""
        for event in chunk:
            if event is DONE:
                received.reason = received.reason or "stop"
            else:
                self._read_event(event, received)

    def _read_event(self, event: Mapping[str, Any], received: Received) -> None:
        usage = event.get("usage") or (event.get("x_groq") or {}).get("usage")
        if isinstance(usage, Mapping):
            received.usage(usage.get("prompt_tokens"), usage.get("completion_tokens"))
        if not (choices := event.get("choices")):
            return
        delta = choices[0].get("delta") or choices[0].get("message") or {}
        if delta.get("reasoning_content") or delta.get("reasoning"):
            received.thought()
        for call in delta.get("tool_calls") or ():
            received.tool_piece(_tool_piece(call))
        received.text(_content_text(delta.get("content") or ""))
        self._finish(choices[0].get("finish_reason"), received)

    def _finish(self, reason: str | None, received: Received) -> None:
        if reason == "content_filter":
            raise ContentFiltered(self.name, "finish reason content_filter")
        if reason in _BROKEN:
            raise StreamBroken(self.name, f"finish reason {reason}")
        if reason and reason not in _NOT_YET:
            received.finish(_REASONS.get(reason, "stop"))

    def failure(self, failure: Exception) -> ProviderFailed:
        """The library's or the wire's failure in our words."""
        detail = safe_detail(f"{type(failure).__name__}: {failure}", [self._client.api_key])
        if isinstance(failure, openai.APITimeoutError | httpx.TimeoutException):
            return ProviderTimedOut(self.name, detail)
        if isinstance(failure, openai.APIConnectionError):
            cause = safe_detail(f"{detail}: {failure.__cause__!r}", [self._client.api_key])
            return ProviderRefused(self.name, cause)
        if isinstance(failure, openai.APIStatusError):
            kind = classify(failure.status_code, _codes(failure), failure.message)
            return kind(self.name, detail, retry_after=retry_after(failure.response.headers, failure.message))
        if isinstance(failure, openai.APIError) and failure.body is not None:
            return classify(_told_status(failure), _codes(failure), failure.message)(self.name, detail)
        return StreamBroken(self.name, detail)

    async def _open(self, request: Request, limits: Limits) -> openai.AsyncStream[Chunk]:
        """The vendor's stream; learns which parameters this server or model does not take, and does without them.

        Posted as it is: checking the request against the library's types and building a model of every chunk takes half of
        the time of a reply (docs/decisions/0010).
        """
        options: Any = {"timeout": httpx.Timeout(None, connect=limits.connect_seconds, pool=limits.connect_seconds)}
        while True:
            try:
                stream: openai.AsyncStream[Any] = await self._client.post(
                    "/chat/completions",
                    cast_to=object,
                    body=self._body(request),
                    options=options,
                    stream=True,
                    stream_cls=_Stream,
                )
                return stream
            except (openai.BadRequestError, openai.UnprocessableEntityError) as refused:
                parameter = _unsupported(refused)
                if parameter is None or parameter in self._unsupported:
                    raise
                self._unsupported.add(parameter)

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "stream": True,
            "messages": _messages(request, self.name),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "stream_options": {"include_usage": True},
        }
        if "max_tokens" in self._unsupported:
            body["max_completion_tokens"] = body["max_tokens"] + THINKING_ROOM
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        return {name: value for name, value in body.items() if name not in self._unsupported}


def _messages(request: Request, provider: str) -> list[dict[str, Any]]:
    system = system_text(request.lines)
    head = [{"role": "system", "content": system}] if system else []
    return head + [_message(line) for line in dialogue(request.lines, provider)]


def _message(line: Line) -> dict[str, Any]:
    if line.role == "tool":
        return {"role": "tool", "tool_call_id": line.answers, "content": line.text}
    if line.role == "customer":
        return {"role": "user", "content": line.text}
    if not line.tool_requests:
        return {"role": "assistant", "content": line.text}
    return {"role": "assistant", "content": line.text or None, "tool_calls": [_call(call) for call in line.tool_requests]}


def _call(call: ToolRequest) -> dict[str, Any]:
    """A call as it came, with what the vendor hung on it (Gemini's thought signature in `extra_content`)."""
    function = {"name": call.name, "arguments": arguments_text(call.arguments)}
    return {"id": call.id, "type": "function", "function": function, **call.extra}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tool_piece(call: Mapping[str, Any]) -> ToolPiece:
    function = call.get("function") or {}
    arguments = function.get("arguments")
    return ToolPiece(
        index=call.get("index"),
        id=call.get("id") or None,
        name=function.get("name") or None,
        arguments=arguments if isinstance(arguments, str) else arguments_text(arguments) if arguments is not None else "",
        extra={"extra_content": call["extra_content"]} if call.get("extra_content") else {},
    )


def _codes(failure: openai.APIError) -> str:
    """Everything short in the vendor's error that names it."""
    return " ".join(str(part) for part in (failure.code, failure.type, failure.param) if part)


def _told_status(failure: openai.APIError) -> int | None:
    """The status that an error within a good stream gives as its code, if it does."""
    code = str(failure.code or "")
    return int(code) if re.fullmatch(r"[45]\d\d", code) else None


def _content_text(content: object) -> str:
    """The text of a delta; some send a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    if not isinstance(content, str):
        raise TypeError(f"content is {type(content).__name__}")
    return content


def _unsupported(refused: openai.APIStatusError) -> str | None:
    """The parameter that a server or model does not know, of those a reply can do without."""
    if not _UNSUPPORTED.search(f"{refused.code} {refused.message}"):
        return None
    named = _ADAPTABLE.search(refused.param or "") or _ADAPTABLE.search(refused.message)
    return named[1] if named else None


def build_openai(settings: Settings) -> OpenAILLM:
    """OpenAI itself, or whatever stands at OPENAI_BASE_URL."""
    return _compatible("openai", settings.openai_base_url, settings.openai_api_key, settings.openai_model)


def build_compatible(settings: Settings) -> OpenAILLM:
    """Any OpenAI-compatible server."""
    return _compatible(
        "compatible", settings.compatible_base_url or "", settings.compatible_api_key, settings.compatible_model or ""
    )


def build_gemini(settings: Settings) -> OpenAILLM:
    """Gemini at Google's OpenAI-compatible address."""
    base = settings.gemini_base_url
    if not base.endswith("/openai"):
        version = "" if base.endswith(f"/{settings.gemini_api_version}") else f"/{settings.gemini_api_version}"
        base = f"{base}{version}/openai"
    return _compatible("gemini", base, settings.gemini_api_key, settings.gemini_model.removeprefix("models/"))


def build_azure(settings: Settings) -> OpenAILLM:
    """Azure OpenAI: the deployment stands where other servers have the model."""
    client = openai.AsyncAzureOpenAI(
        azure_endpoint=settings.azure_openai_endpoint or "",
        api_version=settings.azure_openai_api_version,
        api_key=_secret(settings.azure_openai_api_key),
        **_options("azure", settings.azure_openai_endpoint or ""),
    )
    return OpenAILLM(client, "azure", settings.azure_openai_deployment or "")


def _compatible(name: str, base_url: str, key: SecretStr | None, model: str) -> OpenAILLM:
    client = openai.AsyncOpenAI(base_url=base_url, api_key=_secret(key), **_options(name, base_url))
    return OpenAILLM(client, name, model)


def _secret(key: SecretStr | None) -> str:
    """The key; servers that want none get a word, because the library insists on one."""
    return key.get_secret_value() if key else "none"


def _options(name: str, base_url: str) -> dict[str, Any]:
    """What every client is made with: no retries of its own, no limits but ours, a lane for each stream."""
    new_lane = partial(
        httpx.AsyncHTTPTransport,
        verify=httpx.create_ssl_context(),
        proxy=proxy_for(base_url),
        limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
    )
    http = httpx.AsyncClient(transport=_Lanes(name, new_lane, _Body), follow_redirects=True, timeout=httpx.Timeout(None))
    return {"max_retries": 0, "timeout": httpx.Timeout(None), "http_client": http}


class _Stream(openai.AsyncStream[Any]):
    """The library's stream, with our own reading of events: more servers understood, and a third of the time.

    What came with one read of the connection is one chunk, so that a burst of tokens costs one round of waiting.
    """

    async def __stream__(self) -> AsyncIterator[Any]:
        events = Events()
        try:
            async for data in self.response.aiter_bytes():
                chunk, broken = self._take(events.feed(data))
                if events.done:
                    chunk.append(DONE)
                if chunk:
                    yield chunk
                if broken:
                    raise broken
                if events.done:
                    return
            chunk, broken = self._take(events.end())
            yield chunk
            if broken:
                raise broken
        finally:
            await self.response.aclose()

    def _take(self, documents: Iterator[Any]) -> tuple[list[Mapping[str, Any]], Exception | None]:
        """The events up to the first that is broken or tells an error, and that failure."""
        events: list[Mapping[str, Any]] = []
        try:
            for document in documents:
                if failure := self._told(document):
                    return events, failure
                events.append(document)
        except (ValueError, RecursionError) as broken:
            return events, broken
        return events, None

    def _told(self, document: Any) -> openai.APIError | None:  # noqa: ANN401
        """The failure that an event tells instead of a piece of the reply."""
        error = document.get("error") if document.get("object") != "error" else document
        if not error:
            return None
        body = error if isinstance(error, dict) else {"message": str(error)}
        message = body.get("message")
        return openai.APIError(message if isinstance(message, str) else str(error), self.response.request, body=body)


class _Body(CappedBody, httpx.AsyncByteStream):
    """httpx takes only its own kind of body."""


class _Lanes(Lanes, httpx.AsyncBaseTransport):
    """And its own kind of transport."""
