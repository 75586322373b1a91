"""A server on loopback that speaks the vendors' protocols and misbehaves as asked; also a demo provider.

    python -m tests.llm.vendor_server --port 9000 [--first 0.3] [--pause 0.02] [--fault stall --after 5]

OpenAI Chat Completions as events (any path that ends with /chat/completions: plain, Azure, Gemini's compatible one),
Gemini's streamGenerateContent as events (`alt=sse`) or as a JSON array, and generateContent in one piece.
"""

import argparse
import asyncio
import contextlib
import json
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

HELLO = ("Your ", "bill ", "went ", "up ", "because ", "a ", "discount ", "ended.")
OPENAI_ERRORS = {
    "rate": (429, "rate_limit_exceeded"),
    "quota": (429, "insufficient_quota"),
    "context": (400, "context_length_exceeded"),
    "auth": (401, "invalid_api_key"),
    "forbidden": (403, "forbidden"),
    "model": (404, "model_not_found"),
    "bad": (400, "invalid_request_error"),
    "filter": (400, "content_filter"),
    "500": (500, "server_error"),
    "503": (503, "overloaded"),
}
GEMINI_ERRORS = {
    "rate": (429, "RESOURCE_EXHAUSTED", ""),
    "quota": (429, "RESOURCE_EXHAUSTED", "GenerateRequestsPerDayPerProjectPerModel"),
    "context": (400, "INVALID_ARGUMENT", "The input token count (99) exceeds the maximum number of tokens allowed (9)."),
    "auth": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "forbidden": (403, "PERMISSION_DENIED", ""),
    "model": (404, "NOT_FOUND", ""),
    "bad": (400, "INVALID_ARGUMENT", ""),
    "filter": None,  # Gemini says it in a good answer
    "500": (500, "INTERNAL", ""),
    "503": (503, "UNAVAILABLE", ""),
}


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool call to be streamed; `arguments` is JSON, or what is meant to look like it."""

    name: str
    arguments: str = "{}"
    id: str | None = None
    signature: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a request is answered: text and tools, pauses in seconds, and the fault after so many events of the stream.

    With `quote` the text is the beginning of the first passage in the prompt, with its mark: what a careful model would say.
    """

    text: tuple[str, ...] = HELLO
    tools: tuple[Tool, ...] = ()
    thoughts: tuple[str, ...] = ()
    finish: str | None = "stop"
    usage: bool = True
    indexed: bool = True
    first: float = 0.0
    pause: float = 0.0
    fault: str = ""
    after: int = 0
    error: str = ""
    detail: str = "something telling"
    quote: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    sse_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


class VendorServer:
    """One server; `plans` are used one a request, the last one for all that follow."""

    def __init__(self, *plans: Plan) -> None:
        self.plans = list(plans) or [Plan()]
        self.asked: list[Asked] = []
        self.connections = 0
        self.open = 0
        self.idle = asyncio.Event()
        self.busy = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "VendorServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**24, backlog=2000)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # what a client never read
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def plan(self, asked: Asked) -> Plan:
        """How this request is answered; a server of one's own may look at it."""
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open += 1
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, _Hangup, asyncio.CancelledError):
                while asked := await _read(reader):
                    self.asked.append(asked)
                    self.busy.set()
                    await _answer(self.plan(asked), asked, reader, writer)
        finally:
            self.open -= 1
            if not self.open:
                self.idle.set()
            self._tasks.discard(task)
            writer.close()


class _Hangup(Exception):
    """The connection is over."""


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(path=head[0].split(" ")[1], headers=headers, body=json.loads(body) if body else None)


async def _answer(plan: Plan, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if plan.quote:
        plan = replace(plan, text=quoted(json.dumps(asked.body, ensure_ascii=False)))
    dialect = _dialect(asked.path, plan)
    if plan.fault == "reset":
        _reset(writer)
    if plan.fault == "hang":
        await _until_gone(reader)
    if plan.first:
        await asyncio.sleep(plan.first)
    if plan.error and (answer := dialect.error(plan)):
        await _send_whole(writer, *answer, plan.headers)
        return
    if plan.fault == "not_sse":
        await _send_whole(writer, 200, b"<html>It works!</html>", {"content-type": "text/html"})
        return
    if not dialect.streams:
        await _send_whole(writer, 200, dialect.whole(plan), {"content-type": "application/json"})
        return
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + dialect.type + b"\r\ntransfer-encoding: chunked\r\n\r\n")
    await writer.drain()
    await _stream(plan, dialect, reader, writer)


async def _stream(plan: Plan, dialect: "_Dialect", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for number, event in enumerate(dialect.events(plan)):
        if plan.fault and number >= plan.after:
            await _fail(plan, dialect, reader, writer)
            return
        _chunk(writer, event)
        await writer.drain()
        if plan.pause:
            await asyncio.sleep(plan.pause)
    if plan.fault:
        await _fail(plan, dialect, reader, writer)
        return
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _fail(plan: Plan, dialect: "_Dialect", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Misbehave in the middle of a stream."""
    if plan.fault in ("stall", "headers_only"):
        await _until_gone(reader)
    elif plan.fault == "rst":
        _reset(writer)
    elif plan.fault == "fin":
        raise _Hangup
    elif plan.fault in ("endless", "noise", "huge", "huge_line"):
        await _flood(plan, dialect, writer)
    elif plan.fault != "clean":
        _chunk(writer, dialect.garbage(plan))
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    raise _Hangup


async def _flood(plan: Plan, dialect: "_Dialect", writer: asyncio.StreamWriter) -> None:
    if plan.fault == "huge_line":
        _chunk(writer, b'data: {"x": "')
    piece = {"huge_line": b"x" * 100_000, "noise": dialect.noise()}.get(plan.fault, dialect.text("word " * 200))
    for _ in range(10_000_000 // len(piece) if plan.fault.startswith("huge") else 10**9):
        _chunk(writer, piece)
        await writer.drain()
        if plan.fault == "noise":
            await asyncio.sleep(0.01)


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise _Hangup


async def _until_gone(reader: asyncio.StreamReader) -> None:
    await reader.read()
    raise _Hangup


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))


async def _send_whole(writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]) -> None:
    lines = {"content-type": "application/json", **headers, "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body)
    await writer.drain()


class _Dialect:
    """A wire format."""

    streams = True
    type = b"text/event-stream"

    def frame(self, event: object) -> bytes:
        return b"data: " + json.dumps(event).encode() + b"\n\n"

    def garbage(self, plan: Plan) -> bytes:
        """A chunk that is broken in the way asked for."""
        if plan.fault == "bad_utf8":
            return self.text("X").replace(b"X", b"\xff\xfe")
        if plan.fault == "surrogate":
            return self.text("X").replace(b"X", b"\\ud83d end")
        made: dict[str, bytes] = {
            "bad_json": self.frame({"x": "y"})[:-5] + b"\n\n",
            "nulls": self.frame({"choices": None, "candidates": None}),
            "list": self.frame([1, 2]),
            "number": self.frame(7),
            "wrong_types": self.frame({"choices": [{"delta": {"content": 5}}], "candidates": [{"content": {"parts": 5}}]}),
            "deep": b"data: " + b"[" * 100_000 + b"\n\n",
            "error_event": self.frame({"error": {"message": plan.detail, "code": 500, "status": "INTERNAL"}}),
        }
        return made[plan.fault]

    def noise(self) -> bytes:
        return b": keep-alive\n\n"

    def text(self, piece: str) -> bytes:
        raise NotImplementedError

    def events(self, plan: Plan) -> Iterator[bytes]:
        raise NotImplementedError

    def error(self, plan: Plan) -> tuple[int, bytes] | None:
        raise NotImplementedError

    def whole(self, plan: Plan) -> bytes:
        raise NotImplementedError


class _OpenAI(_Dialect):
    def __init__(self, listed: bool) -> None:
        self._listed = listed

    def chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return self.frame({"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})

    def text(self, piece: str) -> bytes:
        return self.chunk({"content": piece})

    def noise(self) -> bytes:
        return self.chunk({})

    def events(self, plan: Plan) -> Iterator[bytes]:
        yield self.chunk({"role": "assistant", "content": ""})
        for thought in plan.thoughts:
            yield self.chunk({"reasoning_content": thought})
        for piece in plan.text:
            yield self.text(piece)
        for number, tool in enumerate(plan.tools):
            yield from self._tool(plan, number, tool)
        if plan.finish:
            yield self.chunk({}, "tool_calls" if plan.tools and plan.finish == "stop" else plan.finish)
        if plan.usage:
            yield self.frame({"id": "c1", "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
        yield b"data: [DONE]\n\n"

    def _tool(self, plan: Plan, number: int, tool: Tool) -> Iterator[bytes]:
        extra = {"extra_content": {"google": {"thought_signature": tool.signature}}} if tool.signature else {}
        call = {"id": tool.id or f"call_{number}", "type": "function", **extra}
        if not plan.indexed:
            yield self.chunk({"tool_calls": [call | {"function": {"name": tool.name, "arguments": tool.arguments}}]})
            return
        yield self.chunk({"tool_calls": [call | {"index": number, "function": {"name": tool.name, "arguments": ""}}]})
        for start in range(0, len(tool.arguments), 5):
            piece = {"index": number, "function": {"arguments": tool.arguments[start : start + 5]}}
            yield self.chunk({"tool_calls": [piece]})

    def error(self, plan: Plan) -> tuple[int, bytes] | None:
        if plan.error == "html":
            return 502, f"<html>{plan.detail}</html>".encode()
        if self._listed and plan.error != "filter":  # Gemini's compatible endpoint has Gemini's errors, in a list
            return _Gemini("array").error(plan)
        status, code = OPENAI_ERRORS[plan.error]
        error = {"error": {"message": f"{plan.detail} ({code})", "type": code, "code": code, "param": None}}
        return status, json.dumps(error).encode()


class _Gemini(_Dialect):
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.streams = kind != "whole"
        self.type = b"text/event-stream" if kind == "sse" else b"application/json"
        self._first = True

    def frame(self, event: object) -> bytes:
        if self.kind == "sse":
            return b"data: " + json.dumps(event).encode() + b"\r\n\r\n"
        start, self._first = b"[" if self._first else b",\r\n", False
        return start + json.dumps(event).encode()

    def text(self, piece: str) -> bytes:
        return self.frame(self.response([{"text": piece}]))

    def noise(self) -> bytes:
        return self.frame({"modelVersion": "m"}) if self.kind == "array" else b": keep-alive\n\n"

    def response(self, parts: list[Any], finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate]}

    def events(self, plan: Plan) -> Iterator[bytes]:
        if plan.error == "filter":
            yield self.frame({"promptFeedback": {"blockReason": "SAFETY"}})
        for thought in plan.thoughts:
            yield self.frame(self.response([{"text": thought, "thought": True}]))
        for piece in plan.text:
            yield self.text(piece)
        for tool in plan.tools:
            yield self.frame(self.response([self._tool(tool)]))
        last = self.response([{"text": ""}], _GEMINI_FINISH.get(plan.finish or "", plan.finish))
        if plan.usage:
            last["usageMetadata"] = {"promptTokenCount": 11, "candidatesTokenCount": 5, "thoughtsTokenCount": 2}
        yield self.frame(last) + (b"]" if self.kind == "array" else b"")

    def _tool(self, tool: Tool) -> dict[str, Any]:
        call: dict[str, Any] = {"name": tool.name, "args": json.loads(tool.arguments)}
        if tool.id:
            call["id"] = tool.id
        return {"functionCall": call, **({"thoughtSignature": tool.signature} if tool.signature else {})}

    def error(self, plan: Plan) -> tuple[int, bytes] | None:
        if plan.error == "html":
            return 502, f"<html>{plan.detail}</html>".encode()
        known = GEMINI_ERRORS[plan.error]
        if known is None:
            return None
        status, name, text = known
        error = {"error": {"code": status, "message": f"{text} {plan.detail}", "status": name, "details": []}}
        if delay := plan.headers.get("x-delay"):
            error["error"]["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
        return status, json.dumps([error] if self.kind == "array" else error).encode()

    def whole(self, plan: Plan) -> bytes:
        parts = [{"text": "".join(plan.text)}, *map(self._tool, plan.tools)]
        answer = self.response(parts, _GEMINI_FINISH.get(plan.finish or "", plan.finish))
        return json.dumps(answer | {"usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7}}).encode()


_GEMINI_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


def quoted(prompt: str) -> tuple[str, ...]:
    """The first two sentences of the first passage, word by word, a mark after each; the usual words where there is none."""
    passage = re.search(r'<passage number=\\"1\\"[^>]*>\\n(.*?)\\n</passage>', prompt)
    if not passage:
        return HELLO
    text = json.loads(f'"{passage[1]}"')
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))[:2]
    return tuple(word for sentence in sentences for word in re.findall(r"\S+ ", f"{sentence} [1] "))


def _dialect(path: str, plan: Plan) -> _Dialect:
    call, _, query = path.partition("?")
    if call.endswith("/chat/completions"):
        return _OpenAI(listed=call.endswith("/openai/chat/completions"))
    if call.endswith(":streamGenerateContent"):
        return _Gemini("sse" if "alt=sse" in query or plan.sse_only else "array")
    if call.endswith(":generateContent"):
        return _Gemini("whole")
    return _Nothing()


class _Nothing(_OpenAI):
    """A path that is not there."""

    streams = False

    def __init__(self) -> None:
        super().__init__(listed=False)

    def whole(self, plan: Plan) -> bytes:
        return b"{}"


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A vendor's server on loopback that misbehaves as asked.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first", type=float, default=0.0, help="seconds before the answer begins")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between tokens")
    parser.add_argument("--fault", default="", help="hang, reset, stall, rst, fin, clean, bad_json, ...")
    parser.add_argument("--after", type=int, default=0, help="events before the fault")
    parser.add_argument("--quote", action="store_true", help="say the beginning of the first passage in the prompt")
    parser.add_argument("--error", default="", help="rate, quota, auth, model, 500, 503, ...")
    options = vars(parser.parse_args())
    server = VendorServer(replace(Plan(), **{name: value for name, value in options.items() if name != "port"}))
    await server.start(options["port"])
    print(server.url, flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
