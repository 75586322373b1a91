"""Gemini through `google-generativeai`, which Google retired in 2025; the only file that imports it.

Its asynchronous client speaks gRPC only, so the REST one runs in a thread. It cannot carry thought signatures, which current
models demand with native tool calls, so tool rounds go back as text; and it cannot tell a thought from an answer.
"""

import asyncio
import json
import logging
import threading
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import requests
from google.protobuf import json_format
from requests.adapters import HTTPAdapter

from bot.errors import (
    ContentFiltered,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    SettingsInvalid,
    StreamBroken,
    StreamTooLong,
)
from bot.llm.failures import classify, retry_after, safe_detail
from bot.llm.lanes import MOST_BYTES, is_loopback
from bot.llm.lines import arguments_text, dialogue, gemini_schema, system_text
from bot.llm.receive import receive
from bot.llm.received import Received, ToolPiece
from bot.llm.stream import Event, FinishReason, Limits, Line, Request
from bot.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # that it is retired stands in the README and in our own log line
    from google.api_core import exceptions
    from google.generativeai import protos
    from google.generativeai.client import configure, get_default_generative_client

logger = logging.getLogger(__name__)

REASONS: Mapping[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length"}
FILTERED = frozenset("SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII".split())
API_VERSION = "v1beta"
_NO_ARRAY = "Can only parse array"
"""What the library says of a server that streams events instead of a JSON array."""


class GeminiLegacyLLM:
    """A Gemini model through the retired library: one daemon thread for each stream, its chunks in a queue."""

    failures = (
        exceptions.GoogleAPIError,
        json_format.Error,
        requests.RequestException,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        RuntimeError,
    )

    def __init__(self, client: Any, model: str, key: str) -> None:  # noqa: ANN401  (the library has no types for it)
        self.name = "gemini"
        self.model = model
        self._client = client
        self._key = key
        self._streams = True

    def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The reply; see `bot.llm.stream.LLM`."""
        return receive(self, request, limits)

    async def close(self) -> None:
        """Release connections."""
        self._client.transport.close()

    async def chunks(self, request: Request, limits: Limits) -> AsyncGenerator[Any, None]:
        """The vendor's chunks; after a cancel the thread lives on until its next chunk or its read limit."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Any]()

        def put(item: object) -> None:
            if not reader.stopped and not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, item)

        wait = max(limits.first_token_seconds, limits.between_tokens_seconds)
        reader = _Reader(partial(self._run, _body(request, self.model), wait, put))
        reader.start()
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            reader.stopped = True

    def read(self, chunk: Any, received: Received) -> None:  # noqa: ANN401
        """Take a chunk in."""
        if used := chunk.usage_metadata:
            received.usage(used.prompt_token_count or None, used.candidates_token_count or None)
        if chunk.prompt_feedback.block_reason:
            raise ContentFiltered(self.name, f"prompt blocked: {_name(chunk.prompt_feedback.block_reason)}")
        if not chunk.candidates:
            return
        candidate = chunk.candidates[0]
        for part in candidate.content.parts:
            _read_part(part, received)
        if candidate.finish_reason:
            self._finish(_name(candidate.finish_reason), received)

    def failure(self, failure: Exception) -> ProviderFailed:
        """The library's or the wire's failure in our words."""
        detail = safe_detail(f"{type(failure).__name__}: {failure}", [self._key])
        if isinstance(failure, exceptions.GoogleAPICallError):
            answered = failure.response
            kind = classify(failure.code, str(failure.reason or ""), f"{failure.message} {failure.details}")
            headers = getattr(answered, "headers", None) or {}
            return kind(self.name, detail, retry_after=retry_after(headers, getattr(answered, "text", "")))
        if isinstance(failure, requests.Timeout):
            return ProviderTimedOut(self.name, detail)
        if isinstance(failure, requests.ConnectionError):
            return ProviderRefused(self.name, detail)
        return StreamBroken(self.name, detail)

    def _finish(self, reason: str, received: Received) -> None:
        if reason in FILTERED:
            raise ContentFiltered(self.name, f"finish reason {reason}")
        if reason not in REASONS:
            raise StreamBroken(self.name, f"finish reason {reason}")
        received.finish(REASONS[reason])

    def _run(self, body: object, wait: float, put: Callable[[object], None]) -> None:
        """In the thread: every chunk, then the failure if there was one, then None."""
        try:
            for chunk in self._ask(body, wait):
                put(chunk)
        except (ProviderFailed, *self.failures) as failure:
            put(failure)
        finally:
            put(None)

    def _ask(self, body: object, wait: float) -> Iterator[Any]:
        """The answer's chunks; in one piece from a server whose streams this library cannot read."""
        if self._streams:
            began = False
            try:
                for chunk in self._client.stream_generate_content(body, retry=None, timeout=wait):
                    began = True
                    yield chunk
                return
            except ValueError as unreadable:
                if began or _NO_ARRAY not in str(unreadable):
                    raise
                self._streams = False
        yield self._client.generate_content(body, retry=None, timeout=wait)


def build_gemini(settings: Settings) -> GeminiLegacyLLM:
    """Gemini at GEMINI_BASE_URL. Raises SettingsInvalid for an API version that the library does not speak."""
    if settings.gemini_api_version != API_VERSION:
        raise SettingsInvalid(
            f"GEMINI_API_VERSION: google-generativeai speaks {API_VERSION} only; choose another GEMINI_BACKEND"
        )
    logger.warning("GEMINI_BACKEND=google-generativeai was retired by Google in 2025; google-genai is its successor")
    key = settings.gemini_api_key.get_secret_value() if settings.gemini_api_key else ""
    base = settings.gemini_base_url.removesuffix(f"/{settings.gemini_api_version}")
    configure(api_key=key, transport="rest", client_options={"api_endpoint": base})
    client = get_default_generative_client()
    session: requests.Session = client.transport._session  # type: ignore[attr-defined]  # the one way to its timeouts
    session.trust_env = not is_loopback(base)
    session.headers["Connection"] = "close"  # a kept one that the server has closed meanwhile would look like a refusal
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Limited(settings.llm_connect_seconds))
    return GeminiLegacyLLM(client, settings.gemini_model.removeprefix("models/"), key)


class _Reader(threading.Thread):
    """The thread of one stream; once `stopped` it reads no further, and it closes what it has opened."""

    stopped = False

    def __init__(self, read: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._read = read
        self.responses: list[requests.Response] = []

    def run(self) -> None:
        """Read the stream."""
        try:
            self._read()
        finally:
            for response in self.responses:
                response.close()


class _Limited(HTTPAdapter):
    """Gives the connection its own limit and the answer a cap on its bytes, and makes errors readable for the library."""

    def __init__(self, connect_seconds: float) -> None:
        super().__init__(pool_maxsize=100)
        self._connect_seconds = connect_seconds

    def send(self, request: requests.PreparedRequest, timeout: Any = None, **more: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        """Send, and hand back an answer whose reading stops at the cap."""
        response = super().send(request, timeout=(self._connect_seconds, timeout), **more)
        reader = threading.current_thread()
        if isinstance(reader, _Reader):
            reader.responses.append(response)
        response.iter_content = partial(_capped, response, response.iter_content)  # type: ignore[method-assign]
        if response.status_code >= 400:
            _unwrap(response)
        return response


def _capped(
    response: requests.Response, read: Callable[..., Iterator[Any]], chunk_size: int = 1, decode_unicode: bool = False
) -> Iterator[Any]:
    """The answer's pieces as they come (the library would read byte by byte), up to the cap or until nobody waits."""
    left, reader = MOST_BYTES, threading.current_thread()
    for piece in read(None if getattr(response.raw, "chunked", False) else chunk_size, decode_unicode):
        left -= len(piece)
        if left < 0:
            raise StreamTooLong("gemini", f"the answer is over {MOST_BYTES} bytes")
        if isinstance(reader, _Reader) and reader.stopped:
            return
        yield piece


def _unwrap(response: requests.Response) -> None:
    """Google wraps the error of a stream in a list, on which the library breaks."""
    try:
        error = json.loads(response.content)
    except ValueError:
        return
    if isinstance(error, list) and error:
        response._content = json.dumps(error[0]).encode()


def _body(request: Request, model: str) -> Any:  # noqa: ANN401
    """The request in the wire's own JSON, read into the library's message."""
    body: dict[str, Any] = {
        "model": f"models/{model}",
        "contents": _contents(dialogue(request.lines, None)),
        "generationConfig": {"maxOutputTokens": request.max_tokens, "temperature": request.temperature},
    }
    if system := system_text(request.lines):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    if request.tools:
        declared = [
            {"name": t.name, "description": t.description, "parameters": gemini_schema(t.parameters)} for t in request.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    return protos.GenerateContentRequest.from_json(json.dumps(body), ignore_unknown_fields=True)


def _contents(lines: Sequence[Line]) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    for line in lines:
        role = "model" if line.role == "bot" else "user"
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"].append({"text": line.text})
        else:
            contents.append({"role": role, "parts": [{"text": line.text}]})
    return contents


def _read_part(part: Any, received: Received) -> None:  # noqa: ANN401
    if "function_call" in part:
        call = type(part.function_call).to_dict(part.function_call)
        received.tool_piece(ToolPiece(name=call.get("name", ""), arguments=arguments_text(_whole(call.get("args") or {}))))
    if "text" in part:
        received.text(part.text)


def _whole(value: Any) -> Any:  # noqa: ANN401
    """Arguments with their whole numbers back: the library makes every number a float."""
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _name(reason: Any) -> str:  # noqa: ANN401
    return str(getattr(reason, "name", reason))
