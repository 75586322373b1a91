"""Streams cut after every token: one whole reply comes of it, nothing broken or twice, and tools are asked for once."""

import asyncio
import logging
import random

import pytest

from bot.errors import ProviderFailed
from bot.llm.breaker import BreakerRules
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.scripted import ScriptedLLM, say
from bot.llm.stream import Finished, Replaced, Text, ToolRequest
from tests.llm.conftest import EVERY_VENDOR, build, events_of, limits, request
from tests.llm.vendor_server import GEMINI_ERRORS, OPENAI_ERRORS, Plan, Tool, VendorServer

WORDS = tuple(f"word{number} " for number in range(200))
FRESH = tuple(f"fresh{number} " for number in range(20))
NEVER = BreakerRules(failures=10**6)
CUTS = ["fin", "rst", "clean", "bad_json", "error_event"]


def shown(events):
    """The reply of a view that withdraws what Replaced says was withdrawn."""
    text = ""
    for event in events:
        text = "" if isinstance(event, Replaced) else text + event.text if isinstance(event, Text) else text
    return text


async def collect(llm, came):
    async for event in llm.stream(request(), limits()):
        came.append(event)


@pytest.mark.parametrize("tools", [(), (Tool(name="open_ticket", arguments='{"about": "the bill in May"}'),)])
async def test_cut_after_every_token_one_whole_reply_comes_of_it(tools):
    async with VendorServer() as first, VendorServer(Plan(text=FRESH, tools=tools)) as second:
        primary, fallback = build("openai", first.url), build("gemini", second.url)
        for cut in range(201):
            first.plans = [Plan(text=WORDS, tools=tools, fault=CUTS[cut % len(CUTS)], after=cut + 1)]
            llm = Failover([Member(primary, NEVER), Member(fallback, NEVER)])
            events = await events_of(llm, request(shown=lambda: "word0"), limits())
            assert shown(events) == "".join(FRESH), f"cut after {cut}"
            calls = [event for event in events if isinstance(event, ToolRequest)]
            assert [(call.name, call.provider) for call in calls] == [(tool.name, "gemini") for tool in tools]
            assert sum(isinstance(event, Finished) for event in events) == 1
            assert isinstance(events[-1], Finished)
        await llm.close()


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_cut_at_random_by_every_vendor_leaves_a_prefix_and_a_failure(vendor):
    chance = random.Random(7)
    async with VendorServer() as server:
        llm = build(vendor, server.url)
        for _ in range(12):
            tools = chance.choice([(), (Tool(name="open_ticket"),)])
            server.plans = [Plan(text=WORDS, tools=tools, fault=chance.choice(CUTS), after=chance.randrange(1, 200))]
            came = []
            with pytest.raises(ProviderFailed):
                await collect(llm, came)
            assert all(isinstance(event, Text) for event in came)
            assert "".join(WORDS).startswith(shown(came))
        await llm.close()


KINDS = [kind for kind in OPENAI_ERRORS if kind != "filter"] + ["html"]


async def replies_despite_errors(vendor, numbers):
    """What a customer reads when every one of these requests fails with a telling text."""
    quoting = ScriptedLLM([say("The article says.")], name="extractive")
    replies = []
    async with VendorServer() as server:
        failing = build(vendor, server.url)
        for number in numbers:
            secret = "sk-secret-one" if number % 2 else "AIza-secret-three"
            server.plans = [Plan(error=KINDS[number % len(KINDS)], detail=f"telling-{number}-end, db.internal, {secret}")]
            llm = Failover([Member(failing), Member(quoting, quotes=True)])
            replies.append(shown(await events_of(llm, within=limits())))
        await failing.close()
    return replies


async def test_a_thousand_telling_errors_are_all_in_the_log_and_none_reaches_a_customer(caplog):
    groups = {vendor: range(place, 1000, len(EVERY_VENDOR)) for place, vendor in enumerate(EVERY_VENDOR)}
    with caplog.at_level(logging.WARNING):
        replies = await asyncio.gather(*(replies_despite_errors(vendor, group) for vendor, group in groups.items()))
    assert {reply for group in replies for reply in group} == {"The article says."}
    assert sum(map(len, replies)) == 1000
    logged = caplog.text
    assert [number for number in range(1000) if f"telling-{number}-end" not in logged] == []
    assert "secret" not in logged


@pytest.mark.parametrize("vendor", EVERY_VENDOR)
async def test_no_failures_text_is_made_of_the_vendors_words(vendor):
    kinds = {**OPENAI_ERRORS, **GEMINI_ERRORS}
    async with VendorServer() as server:
        llm = build(vendor, server.url)
        for kind in kinds:
            server.plans = [Plan(error=kind, detail="telling", finish="content_filter")]
            with pytest.raises(ProviderFailed) as raised:
                await events_of(llm)
            assert "telling" not in str(raised.value)
            assert "telling" not in repr(raised.value)
            assert raised.value.__cause__ is None
        await llm.close()
