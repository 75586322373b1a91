"""Every vendor over real HTTP: what a good stream becomes, and what each way of failing is called."""

import asyncio
import json
import socket

import pytest

from bot.errors import (
    BadRequest,
    ContentFiltered,
    ContextTooLong,
    DeadlinePassed,
    EmptyCompletion,
    ModelUnknown,
    ProviderDown,
    ProviderFailed,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnauthorised,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
    StreamTooLong,
    ToolCallBroken,
)
from bot.llm.lanes import MOST_IDLE
from bot.llm.stream import Finished, Line, Text, ToolRequest
from tests.llm.conftest import (
    EVERY_VENDOR,
    LOOKUP,
    NATIVE,
    OPENAI_LIKE,
    build,
    events_of,
    limits,
    request,
    text_of,
    vendor_at,
)
from tests.llm.vendor_server import HELLO, Plan, Tool

REPLY = "".join(HELLO)


async def failure_of(vendor, plan, within=None):
    """The failure, the text that came before it, and how often the server was asked."""
    came = []

    async def collect(llm):
        async for event in llm.stream(request(), within or limits()):
            came.append(event)

    async with vendor_at(vendor, plan) as (llm, server):
        with pytest.raises(ProviderFailed) as raised:
            await collect(llm)
    assert all(isinstance(event, Text) for event in came), "a broken stream leaves nothing but text"
    return raised.value, text_of(came), server


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_reply_streams_and_ends_with_its_usage(vendor):
    async with vendor_at(vendor, Plan()) as (llm, server):
        *text, last = await events_of(llm)
    assert text_of(text) == REPLY
    assert len(text) > 1
    assert isinstance(last, Finished)
    assert (last.reason, last.provider, last.model) == ("stop", llm.name, llm.model)
    assert (last.prompt_tokens, last.estimated) == (11, False)
    assert last.completion_tokens in (5, 7)
    assert len(server.asked) == 1


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_tokens_are_estimated_when_the_vendor_does_not_say(vendor):
    async with vendor_at(vendor, Plan(usage=False)) as (llm, _):
        last = (await events_of(llm))[-1]
    assert last.estimated
    assert 8 <= last.completion_tokens <= 14
    assert last.prompt_tokens > 5


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_tool_calls_come_whole_and_apart(vendor, indexed):
    tools = (Tool(name="lookup", arguments='{"month": "May", "n": 3}'), Tool(name="close", arguments="{}", id="c-9"))
    async with vendor_at(vendor, Plan(text=("One ", "moment."), tools=tools, indexed=indexed)) as (llm, _):
        events = await events_of(llm, request(tools=(LOOKUP,)))
    calls = [event for event in events if isinstance(event, ToolRequest)]
    assert [(call.name, call.arguments) for call in calls] == [("lookup", {"month": "May", "n": 3}), ("close", {})]
    assert len({call.id for call in calls}) == 2
    assert all(call.provider == llm.name for call in calls)
    assert events[-1].reason == "tools"
    assert text_of(events) == "One moment."


ERRORS = [
    ("rate", RateLimited),
    ("quota", QuotaExhausted),
    ("context", ContextTooLong),
    ("auth", ProviderUnauthorised),
    ("forbidden", ProviderUnauthorised),
    ("model", ModelUnknown),
    ("bad", BadRequest),
    ("filter", ContentFiltered),
    ("500", ProviderDown),
    ("503", ProviderDown),
    ("html", ProviderDown),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS)
@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_an_error_answer_has_a_name_and_is_not_tried_again_by_the_library(vendor, error, expected):
    failure, _, server = await failure_of(vendor, Plan(error=error, detail="the vendor's own words"))
    assert type(failure) is expected
    assert str(failure) == f"{failure.provider}: {expected.kind}"
    assert len(server.asked) == 1
    if error != "filter":
        assert "the vendor's own words" in failure.detail


BROKEN = ["rst", "fin", "clean", "bad_json", "bad_utf8", "surrogate", "nulls", "list", "wrong_types", "deep"]


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_stream_that_breaks_midway_is_a_failure_and_its_text_came_through(vendor, fault):
    failure, text, _ = await failure_of(vendor, Plan(fault=fault, after=4))
    assert type(failure) is StreamBroken
    assert REPLY.startswith(text)


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_an_error_told_inside_the_stream_is_a_failure(vendor):
    failure, _, _ = await failure_of(vendor, Plan(fault="error_event", after=4, detail="so sorry"))
    assert type(failure) in (ProviderDown, StreamBroken)
    assert "so sorry" in failure.detail


@pytest.mark.parametrize("fault", ["hang", "headers_only", "stall", "noise"])
@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_silence_and_noise_alike_run_into_the_limits(vendor, fault):
    plan = Plan(fault=fault, after=0 if fault == "headers_only" else 3)
    failure, _, _ = await failure_of(vendor, plan, limits(first=0.3, between=0.2))
    assert type(failure) is ProviderTimedOut


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_the_turns_deadline_is_not_the_vendors_fault(vendor):
    failure, _, _ = await failure_of(vendor, Plan(pause=0.05), limits(deadline=0.12))
    assert type(failure) is DeadlinePassed
    assert failure.trips == "never"


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_reset_before_the_first_byte_and_a_closed_port_are_refusals(vendor):
    failure, _, _ = await failure_of(vendor, Plan(fault="reset"))
    assert type(failure) is ProviderRefused
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    llm = build(vendor, f"http://127.0.0.1:{port}")
    with pytest.raises(ProviderRefused):
        await events_of(llm)
    await llm.close()


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_server_that_does_not_take_the_connection_has_its_own_short_limit(vendor):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        llm = build(vendor, f"http://127.0.0.1:{full.getsockname()[1]}", llm_connect_seconds=0.2)
        began = asyncio.get_running_loop().time()
        with pytest.raises(ProviderFailed) as raised:
            await events_of(llm, within=limits(connect=0.2))
        assert asyncio.get_running_loop().time() - began < 20, "the limit for connecting, not the first word's"
        assert type(raised.value) in (ProviderTimedOut, ProviderRefused)
        await llm.close()
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("fault", ["endless", "huge"])
@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_stream_without_end_is_cut_at_the_cap(vendor, fault):
    failure, text, _ = await failure_of(vendor, Plan(fault=fault, after=2))
    assert type(failure) is StreamTooLong
    assert len(text) < 20_000


@pytest.mark.parametrize("vendor", [*OPENAI_LIKE, "gemini"])
async def test_ten_megabytes_on_one_line_are_not_collected(vendor):
    failure, _, _ = await failure_of(vendor, Plan(fault="huge_line", after=2), limits())
    assert type(failure) is StreamTooLong
    assert "bytes" in failure.detail


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_an_answer_that_is_no_stream_is_broken(vendor):
    failure, text, _ = await failure_of(vendor, Plan(fault="not_sse"))
    assert type(failure) is StreamBroken
    assert text == ""


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_an_empty_completion_is_a_failure(vendor):
    failure, _, _ = await failure_of(vendor, Plan(text=()))
    assert type(failure) is EmptyCompletion
    failure, _, _ = await failure_of(vendor, Plan(text=("  ", "\n")))
    assert type(failure) is EmptyCompletion


@pytest.mark.parametrize("vendor", OPENAI_LIKE)
async def test_a_server_that_gives_no_finish_reason_has_finished_when_it_says_done(vendor):
    async with vendor_at(vendor, Plan(finish=None)) as (llm, _):
        events = await events_of(llm)
    assert text_of(events) == REPLY
    assert events[-1].reason == "stop"
    failure, text, _ = await failure_of(vendor, Plan(finish=None, usage=False, fault="clean", after=9))
    assert type(failure) is StreamBroken
    assert text == REPLY


@pytest.mark.parametrize("vendor", NATIVE)
async def test_a_reply_without_a_finish_reason_is_not_whole(vendor):
    failure, text, _ = await failure_of(vendor, Plan(finish=None))
    assert type(failure) is StreamBroken
    assert text == REPLY


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_reply_that_the_filter_stopped_is_filtered(vendor):
    failure, _, _ = await failure_of(vendor, Plan(finish="content_filter"))
    assert type(failure) is ContentFiltered


@pytest.mark.parametrize("arguments", ['{"month": "Ma', "[1]", "7", '{"a": NaN}', "null"])
@pytest.mark.parametrize("vendor", OPENAI_LIKE)
async def test_broken_arguments_never_become_a_tool_call(vendor, arguments):
    failure, _, _ = await failure_of(vendor, Plan(text=(), tools=(Tool(name="lookup", arguments=arguments),)))
    assert type(failure) is ToolCallBroken


@pytest.mark.parametrize("vendor", OPENAI_LIKE)
async def test_a_tool_call_cut_at_the_longest_reply_is_broken_even_if_it_parses(vendor):
    failure, _, _ = await failure_of(vendor, Plan(text=(), tools=(Tool(name="lookup"),), finish="length"))
    assert type(failure) is ToolCallBroken


@pytest.mark.parametrize("finish", ["MALFORMED_FUNCTION_CALL", "OTHER"])
@pytest.mark.parametrize("vendor", NATIVE)
async def test_a_finish_reason_of_geminis_that_is_a_failure_is_one(vendor, finish):
    failure, _, _ = await failure_of(vendor, Plan(finish=finish))
    assert isinstance(failure, StreamBroken)


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_what_fails_after_the_finish_reason_costs_only_the_usage(vendor):
    last_event_but_usage = {"gemini": 9, "gemini by google-generativeai": 9}.get(vendor, 10)
    for fault in ("fin", "stall", "bad_json"):
        async with vendor_at(vendor, Plan(fault=fault, after=last_event_but_usage)) as (llm, _):
            events = await events_of(llm, within=limits(between=1))
        assert text_of(events) == REPLY
        assert events[-1].reason == "stop"


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_closing_the_stream_closes_the_connection(vendor):
    async with vendor_at(vendor, Plan(fault="stall", after=4)) as (llm, server):
        stream = llm.stream(request(), limits(first=3, between=0.4))
        assert isinstance(await anext(stream), Text)
        await stream.aclose()
        async with asyncio.timeout(60):
            await server.idle.wait()


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_cancelled_wait_closes_the_connection(vendor):
    async with vendor_at(vendor, Plan(fault="hang")) as (llm, server):
        waiting = asyncio.create_task(events_of(llm, within=limits(first=3, between=3)))
        async with asyncio.timeout(60):
            await server.busy.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await server.idle.wait()


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_one_connection_serves_one_reply_after_the_other(vendor):
    async with vendor_at(vendor, Plan(pause=0.002)) as (llm, server):
        for _ in range(4):
            await events_of(llm)
        assert server.connections == 1


@pytest.mark.parametrize("vendor", [*OPENAI_LIKE, "gemini"])
async def test_many_streams_at_once_leave_few_connections_open(vendor):
    async with vendor_at(vendor, Plan(first=0.05)) as (llm, server):
        replies = await asyncio.gather(*(events_of(llm, within=limits()) for _ in range(50)))
        assert {text_of(events) for events in replies} == {REPLY}
        assert server.connections == 50
        await events_of(llm)
        assert server.connections == 50
        assert server.open <= MOST_IDLE


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_a_slow_reader_does_not_run_into_the_limits(vendor):
    async with vendor_at(vendor, Plan()) as (llm, _):
        said = []
        async for event in llm.stream(request(), limits(between=1)):
            if len(said) < 2:
                await asyncio.sleep(0.6)  # the reader's slowness: longer than the limit in all
            said.append(event)
    assert text_of(said) == REPLY


@pytest.mark.parametrize("vendor", [*OPENAI_LIKE, "gemini"])
async def test_a_thought_is_never_shown(vendor):
    async with vendor_at(vendor, Plan(thoughts=("The customer ", "seems cross."))) as (llm, _):
        assert text_of(await events_of(llm)) == REPLY


@pytest.mark.parametrize("vendor", OPENAI_LIKE)
async def test_a_thought_in_tags_before_the_reply_is_never_shown(vendor):
    async with vendor_at(vendor, Plan(text=("<th", "ink>He is", " cross.</thi", "nk>\n\n", "It ", "rose."))) as (llm, _):
        assert text_of(await events_of(llm)) == "It rose."


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"retry-after": "7"}, 7), ({"retry-after-ms": "1500"}, 1.5), ({"retry-after": "soon"}, None)]
)
@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_retry_after_is_read_from_the_headers(vendor, headers, seconds):
    failure, _, _ = await failure_of(vendor, Plan(error="rate", headers=headers))
    assert failure.retry_after == seconds


@pytest.mark.parametrize("vendor", ["gemini", "gemini by google-generativeai", "gemini by openai"])
async def test_geminis_retry_delay_is_read_from_its_details(vendor):
    failure, _, _ = await failure_of(vendor, Plan(error="rate", headers={"x-delay": "17s"}))
    assert failure.retry_after == 17


async def test_a_server_that_streams_only_events_is_read_in_one_piece_by_the_retired_library():
    async with vendor_at("gemini by google-generativeai", Plan(sse_only=True)) as (llm, server):
        assert text_of(await events_of(llm)) == REPLY
        assert text_of(await events_of(llm)) == REPLY
    assert [asked.path.partition("?")[0].rpartition(":")[2] for asked in server.asked] == [
        "streamGenerateContent",
        "generateContent",
        "generateContent",
    ]


@pytest.mark.parametrize("vendor", OPENAI_LIKE)
async def test_parameters_that_a_model_does_not_know_are_left_out_from_then_on(vendor):
    first = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    second = "Unsupported value: 'temperature' does not support 0.2 with this model."
    plans = [Plan(error="bad", detail=first), Plan(error="bad", detail=second), Plan()]
    async with vendor_at(vendor, *plans) as (llm, server):
        assert text_of(await events_of(llm)) == REPLY
        assert text_of(await events_of(llm)) == REPLY
    assert len(server.asked) == 4
    assert not {"max_tokens", "temperature"} & set(server.asked[-1].body)
    assert server.asked[-1].body["max_completion_tokens"] > 700


GEMINI = "/v1beta/models/gemini-2.5-flash-lite"
ASKED_PATHS = {
    "openai": "/v1/chat/completions",
    "azure": "/openai/deployments/desk/chat/completions?api-version=2024-10-21",
    "compatible": "/v1/chat/completions",
    "gemini by openai": "/v1beta/openai/chat/completions",
    "gemini": f"{GEMINI}:streamGenerateContent?alt=sse",
    "gemini by google-generativeai": f"{GEMINI}:streamGenerateContent?%24alt=json%3Benum-encoding%3Dint",
}
KEYS = {
    "openai": ("authorization", "Bearer sk-secret-one"),
    "azure": ("api-key", "secret-two"),
    "compatible": ("authorization", "Bearer none"),
    "gemini by openai": ("authorization", "Bearer AIza-secret-three"),
    "gemini": ("x-goog-api-key", "AIza-secret-three"),
    "gemini by google-generativeai": ("x-goog-api-key", "AIza-secret-three"),
}


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_every_vendor_is_asked_at_its_own_address_with_its_own_key(vendor):
    async with vendor_at(vendor, Plan()) as (llm, server):
        await events_of(llm)
    assert server.asked[0].path == ASKED_PATHS[vendor]
    name, value = KEYS[vendor]
    assert server.asked[0].headers[name] == value


def tool_round(provider, extra=None):
    call = ToolRequest(id="c1", name="lookup", arguments={"month": "May"}, provider=provider, extra=extra or {})
    return (
        Line(role="system", text="Be kind."),
        Line(role="customer", text="Why?"),
        Line(role="bot", text="", tool_requests=(call,)),
        Line(role="tool", text="42 pounds", answers="c1"),
        Line(role="system", text="Be short."),
    )


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_another_providers_tool_round_is_told_as_text_with_its_result(vendor):
    async with vendor_at(vendor, Plan()) as (llm, server):
        await events_of(llm, request(*tool_round("somebody else", {"thought_signature": b"sig"}), tools=(LOOKUP,)))
    sent = json.dumps(server.asked[0].body)
    assert '[called lookup({\\"month\\": \\"May\\"})]' in sent
    assert "[result of lookup] 42 pounds" in sent
    assert "tool_call_id" not in sent
    assert "functionResponse" not in sent
    assert "signature" not in sent


@pytest.mark.parametrize("vendor", OPENAI_LIKE)
async def test_an_own_tool_round_goes_back_as_it_came_with_the_signature(vendor):
    tools = (Tool(name="lookup", arguments='{"month": "May"}', signature="c2ln", id="c1"),)
    async with vendor_at(vendor, Plan(text=(), tools=tools), Plan()) as (llm, server):
        call = next(event for event in await events_of(llm) if isinstance(event, ToolRequest))
        await events_of(llm, request(*tool_round(llm.name, call.extra)))
    system, user, asked, answered = server.asked[1].body["messages"]
    assert system == {"role": "system", "content": "Be kind.\n\nBe short."}
    assert user["role"] == "user"
    assert asked["tool_calls"] == [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "lookup", "arguments": '{"month": "May"}'},
            "extra_content": {"google": {"thought_signature": "c2ln"}},
        }
    ]
    assert answered == {"role": "tool", "tool_call_id": "c1", "content": "42 pounds"}


async def test_geminis_own_tool_round_goes_back_natively_with_the_signature():
    tools = (Tool(name="lookup", arguments='{"month": "May"}', signature="c2ln"),)
    async with vendor_at("gemini", Plan(text=(), tools=tools), Plan()) as (llm, server):
        call = next(event for event in await events_of(llm) if isinstance(event, ToolRequest))
        await events_of(llm, request(*tool_round(llm.name, call.extra), tools=(LOOKUP,)))
    body = server.asked[1].body
    assert body["systemInstruction"]["parts"] == [{"text": "Be kind.\n\nBe short."}]
    _, asked, answered = body["contents"]
    assert asked["parts"] == [{"functionCall": {"name": "lookup", "args": {"month": "May"}}, "thoughtSignature": "c2ln"}]
    assert answered["parts"] == [{"functionResponse": {"name": "lookup", "response": {"result": "42 pounds"}}}]


@pytest.mark.parametrize("vendor", NATIVE)
async def test_tools_are_declared_in_geminis_dialect(vendor):
    async with vendor_at(vendor, Plan()) as (llm, server):
        await events_of(llm, request(tools=(LOOKUP,)))
    declared = server.asked[0].body["tools"][0]["functionDeclarations"][0]["parameters"]
    assert declared["required"] == ["month"]
    assert declared["properties"]["month"]["nullable"] is True
    assert declared["properties"]["kind"]["enum"] == ["a", "b"]
