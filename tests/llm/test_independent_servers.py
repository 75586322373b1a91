"""Servers that call themselves OpenAI-compatible and differ: llama.cpp, Ollama, vLLM, proxies. Real HTTP, cut anywhere."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from bot.errors import ContextTooLong, ModelUnknown, ProviderDown, ProviderFailed, RateLimited, StreamBroken
from bot.llm.events import Events
from bot.llm.stream import Text, ToolRequest
from tests.llm.conftest import build, events_of, limits, request, text_of

REPLY = "Grüße: your bill is £7.50 — 日本 👍."
WORDS = ["Grüße: ", "your bill ", "is £7.50 ", "— 日本 ", "👍."]


def delta(content=None, finish=None, **more):
    choice = {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice | more]}


def data(*documents, opening="data: ", end="\n\n", done=True):
    lines = [f"{opening}{json.dumps(document, ensure_ascii=False)}{end}" for document in documents]
    return "".join([*lines, f"{opening}[DONE]{end}" if done else ""]).encode()


SAID = [delta(word) for word in WORDS]
STOP = delta(finish="stop")
USAGE = {"id": "c", "choices": [], "usage": {"prompt_tokens": 31, "completion_tokens": 9}}
PLAIN = data(*SAID, STOP, USAGE)


@asynccontextmanager
async def server(*pieces, content_type="text/event-stream"):
    """The vendor `compatible` at a server that answers everything with these bytes, one HTTP chunk a piece."""

    async def serve(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
            for piece in pieces:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1")
    async with listening:
        llm = build("compatible", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        try:
            yield llm
        finally:
            await llm.close()


async def reply_of(*pieces, **options):
    async with server(*pieces, **options) as llm:
        return await events_of(llm)


async def failure_of(*pieces, **options):
    """The failure, and the text that came through before it."""
    came = []
    async with server(*pieces, **options) as llm:
        with pytest.raises(ProviderFailed) as raised:
            await collect(llm, came)
    return raised.value, text_of(came)


async def collect(llm, came):
    async for event in llm.stream(request(), limits()):
        came.append(event)


WAYS = {
    "plain": PLAIN,
    "no space after data:": data(*SAID, STOP, USAGE, opening="data:"),
    "carriage returns": data(*SAID, STOP, USAGE, end="\r\n\r\n"),
    "only carriage returns": data(*SAID, STOP, USAGE, end="\r\r"),
    "no blank line between events": data(*SAID, STOP, USAGE, end="\n"),
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "blank lines first": b"\n\n\r\n" + PLAIN,
    "comments and keep-alives": b": ping\n\n" + PLAIN.replace(b"\n\n", b"\n\n: keep-alive\n\ndata:\n\ndata: \n\n"),
    "ids, retries and event names": PLAIN.replace(b"data: {", b"event: message\nid: 7\nretry: 10\ndata: {"),
    "no [DONE]": data(*SAID, STOP, USAGE, done=False),
    "no [DONE] and no end of the last line": data(*SAID, USAGE, STOP, done=False).rstrip(),
    "no finish reason": data(*SAID, USAGE),
    "an empty finish reason until the last": data(*(delta(word, "") for word in WORDS), STOP, USAGE),
    "finish reason null in words": data(*(delta(word, "null") for word in WORDS), STOP, USAGE),
    "finish reason of its own": data(*SAID, delta(finish="eos_token"), USAGE),
    "finish reason with the last word": data(*SAID[:-1], delta(WORDS[-1], "stop"), USAGE),
    "a first chunk with the role alone": data(delta(delta={"role": "assistant"}), *SAID, STOP, USAGE),
    "content null": data(delta(delta={"role": "assistant", "content": None}), *SAID, delta(finish="stop"), USAGE),
    "delta null": data(delta(delta=None), *SAID, delta(finish="stop", delta=None), USAGE),
    "no delta at all": data({"choices": [{"index": 0}]}, *SAID, {"choices": [{"index": 0, "finish_reason": "stop"}]}, USAGE),
    "choices null beside the usage": data(*SAID, STOP, USAGE | {"choices": None}),
    "usage on every chunk": data(*(one | {"usage": {"prompt_tokens": 31, "completion_tokens": 9}} for one in SAID), STOP),
    "usage null on every chunk": data(*(one | {"usage": None} for one in SAID), STOP, USAGE),
    "usage with the finish reason": data(*SAID, STOP | {"usage": USAGE["usage"]}),
    "usage in Groq's place": data(*SAID, STOP | {"x_groq": {"usage": USAGE["usage"]}}),
    "unknown fields everywhere": data(
        *(one | {"system_fingerprint": "x", "timings": {"n": 1}} for one in SAID), STOP, USAGE
    ),
    "a ping with data": data({"type": "ping"}, *SAID, STOP, USAGE),
    "content in parts": data(*(delta([{"type": "text", "text": word}]) for word in WORDS), STOP, USAGE),
    "thoughts in their own field": data(
        delta(delta={"content": None, "reasoning_content": "He is cross."}),
        delta(delta={"reasoning": "Hm."}),
        *SAID,
        STOP,
        USAGE,
    ),
    "thoughts in tags": data(delta("<think>He is"), delta(" cross.</think>\n"), *SAID, STOP, USAGE),
    "a document over two data lines": data(*SAID, STOP, USAGE).replace(b'"choices": ', b'"choices":\ndata: '),
    "escaped characters": "".join(f"data: {json.dumps(one)}\n\n" for one in (*SAID, STOP, USAGE)).encode()
    + b"data: [DONE]\n\n",
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_reply_is_understood_in_every_way_of_writing_it(way):
    for pieces in ([WAYS[way]], [WAYS[way][n : n + 7] for n in range(0, len(WAYS[way]), 7)]):
        events = await reply_of(*pieces)
        assert text_of(events) == REPLY
        last = events[-1]
        assert (last.reason, last.prompt_tokens, last.completion_tokens, last.estimated) == ("stop", 31, 9, False)


@pytest.mark.parametrize("way", WAYS)
def test_bytes_may_be_cut_anywhere_also_within_a_character(way):
    whole = WAYS[way]

    def read(*pieces):
        events = Events()
        documents = [document for piece in pieces for document in events.feed(piece)]
        return documents if events.done else [*documents, *events.end()]

    expected = read(whole)
    assert len(expected) >= 6
    assert read(*(whole[n : n + 1] for n in range(len(whole)))) == expected
    for cut in range(1, len(whole), 3):
        assert read(whole[:cut], whole[cut:]) == expected, f"cut at {cut}"


async def test_without_usage_tokens_are_estimated():
    last = (await reply_of(data(*SAID, STOP)))[-1]
    assert last.estimated
    assert last.completion_tokens > 3


async def test_a_burst_of_tokens_is_one_piece_of_text():
    events = await reply_of(PLAIN)
    assert sum(isinstance(event, Text) for event in events) == 1


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
async def test_a_server_that_does_not_stream_is_read_in_one_piece(content_type):
    message = {"role": "assistant", "content": REPLY}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE["usage"]}
    body = json.dumps(whole, indent=2, ensure_ascii=False).encode()
    events = await reply_of(body[:50], body[50:], content_type=content_type)
    assert text_of(events) == REPLY
    assert events[-1].prompt_tokens == 31


async def test_a_tool_call_with_arguments_as_an_object_and_without_an_index_is_understood():
    call = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": {"month": "May"}}}
    events = await reply_of(data(delta(delta={"tool_calls": [call]}), delta(finish="tool_calls"), USAGE))
    [request] = [event for event in events if isinstance(event, ToolRequest)]
    assert (request.name, request.arguments) == ("lookup", {"month": "May"})
    assert events[-1].reason == "tools"


TOLD = [
    (b'data: {"error": {"message": "so sorry", "code": 503}}\n\n', ProviderDown),
    (b'data: {"error": {"message": "so sorry", "code": "429", "type": "x"}}\n\n', RateLimited),
    (b'data: {"error": "so sorry"}\n\n', ProviderDown),
    (b'error: {"code": 500, "message": "so sorry", "type": "server_error"}\n\n', ProviderDown),
    (
        b'event: error\ndata: {"message": "so sorry: the maximum context length is 9", "code": 400}\n\n',
        ContextTooLong,
    ),
    (b'data: {"object": "error", "message": "so sorry, model x does not exist", "code": 404}\n\n', ModelUnknown),
]


@pytest.mark.parametrize(("told", "expected"), TOLD)
async def test_an_error_within_a_good_answer_is_a_failure_and_what_came_before_it_came_through(told, expected):
    failure, text = await failure_of(data(*SAID[:2], done=False) + told + b"data: [DONE]\n\n")
    assert type(failure) is expected
    assert text == "".join(WORDS[:2])
    assert "so sorry" in failure.detail
    assert "so sorry" not in str(failure)


async def test_an_error_as_the_whole_of_a_good_answer_is_a_failure():
    failure, text = await failure_of(b'{"error": {"message": "so sorry", "code": 429}}', content_type="application/json")
    assert (type(failure), text) == (RateLimited, "")


@pytest.mark.parametrize(
    "broken",
    [
        data(*SAID, done=False),
        data(*SAID[:3], done=False) + b'data: {"choices": [{"del\n\n',
        data(*SAID[:3], done=False) + b'data: {"choices": [{"del',
        data(*SAID[:3], done=False) + b"data: \xff\xfe\n\n",
        data(*SAID[:3], delta(finish="error")),
        data(*SAID[:3], delta(finish="abort")),
        data(*SAID[:3], done=False) + b"data: 7\n\n",
        data(*SAID[:3], delta({"text": "x"})),
        b'{"choices": [{"message": {"content": "half',
        b"[1, 2]",
        b"true",
        b"",
    ],
)
async def test_what_is_no_whole_reply_is_broken_and_never_the_librarys_exception(broken):
    failure, text = await failure_of(broken)
    assert type(failure) is StreamBroken
    assert REPLY.startswith(text)
