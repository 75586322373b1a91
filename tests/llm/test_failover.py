"""Failover: who is asked when, what is shown of it, and what is learnt."""

import asyncio
import logging

import pytest

from bot.errors import (
    AllProvidersFailed,
    BadRequest,
    ContentFiltered,
    ContextTooLong,
    EmptyCompletion,
    ModelUnknown,
    ProviderDown,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnauthorised,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
)
from bot.llm.breaker import BreakerRules
from bot.llm.failover import RETRY_SECONDS, Failover
from bot.llm.members import Member
from bot.llm.scripted import ScriptedLLM, say
from bot.llm.stream import Began, Finished, Line, Replaced, Text, ToolRequest
from bot.prompts.loader import Prompts
from tests.llm.conftest import events_of, limits, request, text_of


def failing(failure, name="first"):
    return ScriptedLLM([[failure(name, "the vendor's words")]], name=name)


def good(text, name="second", **more):
    return ScriptedLLM([say(text, **more)], name=name)


def failover(*llms, quotes=(), rules=None, **more):
    return Failover([Member(llm, rules, quotes=llm.name in quotes) for llm in llms], **more)


async def test_the_first_that_answers_is_the_only_one_asked():
    first, second = good("Hello there.", "first"), good("Hi.", "second")
    events = await events_of(failover(first, second))
    assert text_of(events) == "Hello there."
    assert events[-1].provider == "first"
    assert events[-1].attempts == ()
    assert second.requests == []


NOT_AGAIN = [RateLimited, QuotaExhausted, ProviderUnauthorised, ModelUnknown, BadRequest, ContextTooLong, ProviderTimedOut]
ONCE_MORE = [ProviderRefused, ProviderDown, StreamBroken, EmptyCompletion]


@pytest.mark.parametrize("failure", NOT_AGAIN)
async def test_what_cannot_succeed_is_not_tried_again(failure):
    first = failing(failure)
    events = await events_of(failover(first, good("Hi.")))
    assert len(first.requests) == 1
    assert text_of(events) == "Hi."
    assert not [event for event in events if isinstance(event, Replaced)]
    assert [(attempt.provider, attempt.error) for attempt in events[-1].attempts] == [("first", failure.kind)]


@pytest.mark.parametrize("failure", ONCE_MORE)
async def test_what_a_second_try_can_help_is_tried_once_more_and_soon(failure):
    first = failing(failure)
    events = await events_of(failover(first, good("Hi.")))
    assert len(first.requests) == 2
    assert text_of(events) == "Hi."
    assert max(RETRY_SECONDS) < 0.3


async def test_a_second_try_that_succeeds_needs_no_other_provider():
    first = ScriptedLLM([[ProviderDown("first")], say("Back again.")], name="first")
    second = good("Hi.")
    events = await events_of(failover(first, second))
    assert text_of(events) == "Back again."
    assert second.requests == []


def shown_so_far(events):
    """What a view has that knows what Replaced means."""
    text = ""
    for event in events:
        if isinstance(event, Replaced):
            text = ""
        if isinstance(event, Text):
            text += event.text
    return text


async def test_a_reply_that_breaks_off_is_replaced_by_a_fresh_one():
    first = ScriptedLLM([[Text(text="Your bill rose. The rea"), StreamBroken("first")]], name="first")
    second = good("It rose because the discount ended.")
    asked = request(
        Line(role="system", text="Be kind."), Line(role="customer", text="Why?"), shown=lambda: "Your bill rose."
    )
    events = await events_of(failover(first, second), asked)
    assert [type(event) for event in events[:4]] == [Began, Text, Began, Replaced]
    told = {"already_read": Prompts().render("already_read", {"shown": "Your bill rose."}).hash}
    assert events[3] == Replaced(failed="first", provider="second", prompts=told)
    assert shown_so_far(events) == "It rose because the discount ended."
    assert len(first.requests) == 1, "after text was said the same provider is not asked again"
    *before, told = second.requests[0].lines
    assert tuple(before) == asked.lines
    assert told.role == "system"
    assert "Your bill rose." in told.text


async def test_the_words_that_a_replacement_is_told_are_a_file_that_may_be_changed(tmp_path):
    (tmp_path / "already_read.md").write_text("---\nvariables: [shown]\n---\nThey know: {{ shown }}", encoding="utf-8")
    second = good("It rose.")
    first = ScriptedLLM([[Text(text="Your bill rose. The rea"), StreamBroken("first")]], name="first")
    llm = Failover([Member(first), Member(second)], prompts=Prompts(tmp_path))
    await events_of(llm, request(shown=lambda: "Your {bill} rose."))
    assert second.requests[0].lines[-1].text == "They know: Your {bill} rose."


async def test_a_replacement_is_told_nothing_when_the_customer_has_read_nothing():
    first = ScriptedLLM([[Text(text="Your b"), StreamBroken("first")]], name="first")
    second = good("It rose.")
    asked = request()
    events = await events_of(failover(first, second), asked)
    assert Replaced(failed="first", provider="second") in events
    assert second.requests[0].lines == asked.lines


async def test_replaced_names_who_really_takes_over():
    first = ScriptedLLM([[Text(text="Your b"), StreamBroken("first")]], name="first")
    events = await events_of(failover(first, failing(RateLimited, "second"), good("It rose.", "third")))
    assert [event for event in events if isinstance(event, Replaced)] == [Replaced(failed="first", provider="third")]


async def test_a_replacement_that_breaks_off_is_replaced_as_well():
    broken = [ScriptedLLM([[Text(text="Your b"), StreamBroken(name)]], name=name) for name in ("first", "second")]
    events = await events_of(failover(*broken, good("It rose.", "third")))
    assert [event for event in events if isinstance(event, Replaced)] == [
        Replaced(failed="first", provider="second"),
        Replaced(failed="second", provider="third"),
    ]
    assert shown_so_far(events) == "It rose."


async def test_a_stream_without_its_end_is_a_failure():
    events = await events_of(failover(ScriptedLLM([[Text(text="Your b")]], name="first"), good("It rose.")))
    assert shown_so_far(events) == "It rose."


async def test_executed_tools_stay_in_the_request_and_the_round_goes_on_with_who_asked():
    call = ToolRequest(id="c1", name="lookup", arguments={}, provider="second")
    lines = (
        Line(role="customer", text="Why?"),
        Line(role="bot", text="", tool_requests=(call,)),
        Line(role="tool", text="42 pounds", answers="c1"),
    )
    first, second = good("I am first.", "first"), failing(RateLimited, "second")
    events = await events_of(failover(first, second), request(*lines))
    assert text_of(events) == "I am first."
    assert [len(second.requests), len(first.requests)] == [1, 1]
    assert first.requests[0].lines == lines


async def test_when_all_fail_the_error_says_so_in_our_words_only():
    with pytest.raises(AllProvidersFailed) as raised:
        await events_of(failover(failing(RateLimited), failing(ProviderUnauthorised, "second")))
    assert str(raised.value) == "failover: all providers failed"
    assert [type(failure) for failure in raised.value.failures] == [RateLimited, ProviderUnauthorised]
    assert [attempt.error for attempt in raised.value.attempts] == ["rate limited", "unauthorised"]


async def test_what_a_filter_stopped_no_other_model_writes_but_quoting_is_allowed():
    second, quoting = good("I will write it."), good("The article says.", "quoting")
    llm = failover(failing(ContentFiltered), second, quoting, quotes=("quoting",))
    assert text_of(await events_of(llm)) == "The article says."
    assert second.requests == []
    with pytest.raises(ContentFiltered) as raised:
        await events_of(failover(failing(ContentFiltered), second))
    assert [attempt.error for attempt in raised.value.attempts] == ["content filtered"]


async def test_a_hanging_provider_costs_its_first_token_limit_once_and_nothing_when_it_is_left_out():
    hanging = ScriptedLLM([[60.0]], name="first")
    llm = failover(hanging, good("Hi."), rules=BreakerRules(failures=1))
    waited = []
    for _ in range(2):
        last = (await events_of(llm, within=limits(first=0.4)))[-1]
        waited.append([attempt.error for attempt in last.attempts])
    assert waited == [["timed out"], ["left out"]]
    assert len(hanging.requests) == 1
    assert llm.status()[0].state == "open"


async def test_patience_is_shared_by_those_who_hang_and_the_quoting_one_answers_in_time():
    hanging = [ScriptedLLM([[60.0]], name=name) for name in ("first", "second", "third")]
    llm = failover(*hanging, good("The article says.", "quoting"), quotes=("quoting",), patience_seconds=1.0)
    events = await events_of(llm, within=limits(first=0.6))
    errors = [attempt.error for attempt in events[-1].attempts]
    assert (errors[0], errors[-1]) == ("timed out", "no time left"), "less than two waits for three"
    assert shown_so_far(events) == "The article says."


async def test_time_is_kept_for_those_who_come_after():
    slow = ScriptedLLM([[*([Text(text="word "), 0.1] * 50)]], name="first")
    llm = failover(slow, good("The article says.", "quoting"), quotes=("quoting",))
    deadline = limits(deadline=3)
    events = await events_of(llm, within=deadline)
    assert asyncio.get_running_loop().time() < deadline.deadline
    assert shown_so_far(events) == "The article says."
    assert events[-1].attempts[0].error == "deadline passed"
    assert llm.status()[0].failures_in_a_row == 0


async def test_a_customer_who_leaves_counts_for_nothing():
    scripts = [[RateLimited("first", retry_after=0.01)], say("One two three."), [60.0]]
    llm = failover(ScriptedLLM(scripts, name="first"), good("Hi."), rules=BreakerRules(failures=1))
    await events_of(llm)
    await asyncio.sleep(0.02)
    stream = llm.stream(request(), limits())  # the probe
    while not isinstance(await anext(stream), Text):
        pass
    await stream.aclose()
    waiting = asyncio.create_task(events_of(llm))  # the next probe
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    status = llm.status()[0]
    assert (status.answered, status.failed, status.state) == (0, 1, "half-open")


async def test_one_probe_at_a_time_while_the_others_are_served_elsewhere():
    slow_probe = ScriptedLLM([[ProviderTimedOut("first")], [2.0, *say("Back.")]], name="first")
    rules = BreakerRules(failures=1, open_seconds=0.01)
    llm = failover(slow_probe, good("Hi."), rules=rules)
    await events_of(llm)
    await asyncio.sleep(0.02)
    texts = [text_of(events) for events in await asyncio.gather(*(events_of(llm) for _ in range(30)))]
    assert sorted(texts) == ["Back."] + ["Hi."] * 29
    assert llm.status()[0].state == "closed"


async def test_the_status_tells_who_fares_how():
    llm = failover(failing(ProviderUnauthorised), good("Hi."))
    await events_of(llm)
    first, second = llm.status()
    assert (first.provider, first.state, first.failed, first.last_error) == ("first", "open", 1, "unauthorised")
    assert first.opens_in_seconds > 290
    assert first.last_error_at is not None
    assert (second.answered, second.failed, second.last_error) == (1, 0, None)


async def test_every_failures_full_text_is_in_the_log_and_the_attempts(caplog):
    with caplog.at_level(logging.WARNING):
        events = await events_of(failover(failing(RateLimited), good("Hi.")))
    assert "the vendor's words" in caplog.text
    assert events[-1].attempts[0].detail == "the vendor's words"


async def test_it_tells_who_is_asked_before_the_first_word_with_those_who_failed_already():
    events = await events_of(failover(failing(RateLimited), good("Hi.")))
    began = [event for event in events if isinstance(event, Began)]
    assert [(one.provider, [a.error for a in one.attempts]) for one in began] == [
        ("first", []),
        ("second", ["rate limited"]),
    ]
    assert events[0] is began[0]


async def test_a_customer_who_leaves_before_the_first_word_gives_the_probe_back():
    now = [0.0]
    scripts = [[RateLimited("first", retry_after=5)], say("Hi.")]
    rules = BreakerRules(failures=1, clock=lambda: now[0])
    llm = failover(ScriptedLLM(scripts, name="first"), good("Ho."), rules=rules)
    await events_of(llm)
    now[0] = 6.0
    stream = llm.stream(request(), limits())
    assert isinstance(await anext(stream), Began)
    await stream.aclose()
    assert text_of(await events_of(llm)) == "Hi."


async def test_a_reply_says_how_long_its_own_provider_took():
    slow = ScriptedLLM([[0.05, StreamBroken("first")]], name="first")
    last = (await events_of(failover(slow, good("Hi."))))[-1]
    assert 0 <= last.first_token_ms <= last.took_ms
    assert last.attempts[0].took_ms > 0
    assert last.attempts[0].first_token_ms is None


async def test_what_a_failed_reply_said_is_accounted_by_estimate():
    first = ScriptedLLM([[Text(text="Your bill rose because "), StreamBroken("first")]], name="first")
    attempt = (await events_of(failover(first, good("Hi."))))[-1].attempts[0]
    assert attempt.completion_tokens > 3
    assert attempt.prompt_tokens > 3


async def test_a_failover_of_one_that_finishes_is_that_one():
    events = await events_of(failover(good("Hi.", "only")))
    assert isinstance(events[-1], Finished)
    assert events[-1].provider == "only"
