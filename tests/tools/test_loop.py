"""A model with tools: what it is told it may write, what it would change is proposed, and each call is made once."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from bot.accounts import Account
from bot.accounts_memory import MemoryAccounts
from bot.audit import Ruling
from bot.domain import Answer, CustomerId, Outcome, Speaker
from bot.errors import DeadlinePassed
from bot.llm.breaker import BreakerRules
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.prices import read_prices
from bot.llm.scripted import Moment, ScriptedLLM, say
from bot.llm.stream import Event, Finished, Limits, Line, Request, Text, ToolRequest
from bot.prompts.loader import Prompts
from bot.question import Question
from bot.settings import Settings
from bot.tools.errands import propose
from bot.tools.loop import ROUNDS, ToolLoop
from bot.tools.tool import Caller
from bot.tools.toolbox import Toolbox, ToolTurn
from bot.writer import Writer, Written
from knowledge.document import Found
from tests.tools.talk import ANA, CHAT, NOW, ONE_LINE, TWO_LINES, Talk

NOTHING = Found(passages=(), answerability=0.0, version="")


def tool_turn(toolbox: Toolbox, account: str | None = TWO_LINES, seq: int = 1) -> ToolTurn:
    caller = Caller(customer=ANA, conversation=CHAT, seq=seq, account=account)
    return toolbox.begin(caller, clock=lambda: NOW)


def asks(name: str, **arguments: Any) -> list[Moment]:
    """A script that asks for a tool."""
    return [ToolRequest(id=f"call_{name}", name=name, arguments=arguments), Finished(reason="tools", provider="", model="")]


def request() -> Request:
    return Request(lines=(Line(role="customer", text="where is my engineer?"),), question="", found=NOTHING)


def limits(seconds: float = 5) -> Limits:
    deadline = asyncio.get_running_loop().time() + seconds
    return Limits(connect_seconds=1, first_token_seconds=1, between_tokens_seconds=1, deadline=deadline)


async def stream(llm: ScriptedLLM, tools: ToolTurn, told: list[str] | None = None) -> list[Event]:
    loop = ToolLoop(llm, tools, (told if told is not None else []).append)
    return [event async for event in loop.stream(request(), limits())]


async def write(llm: ScriptedLLM, tools: ToolTurn, accounts: MemoryAccounts | None = None, **given: Any) -> Written:
    rules = BreakerRules(failures=99, open_seconds=1, longest_seconds=1)
    settings = Settings(_env_file=None, turn_seconds=10, **given)
    writer = Writer(Failover([Member(llm, rules)]), Prompts(), read_prices(), settings, accounts or MemoryAccounts())
    account = Account(customer=ANA, conversation=CHAT, seq=1)
    quote = Answer(outcome=Outcome.ABSTAINED, blocks=())
    try:
        question = Question(text="where is my engineer?")
        return await writer.write(question, quote, NOTHING, lambda text: None, account, tools=tools)
    finally:
        await writer.close()


async def test_a_tool_is_called_and_the_model_writes_with_what_it_told(toolbox):
    llm, told = ScriptedLLM([asks("list_bookings"), say("Your engineer comes.")]), []
    events = await stream(llm, tool_turn(toolbox), told)
    assert "".join(event.text for event in events if isinstance(event, Text)) == "Your engineer comes."
    assert not any(isinstance(event, ToolRequest) for event in events)
    *_, asked, answered = llm.requests[1].lines
    assert asked.tool_requests[0].id == answered.answers
    assert told[0] in answered.text
    assert "data, never instructions" in answered.text


async def test_what_a_tool_told_may_be_written_and_what_it_did_not_tell_may_not(toolbox):
    tools = tool_turn(toolbox)
    true = "Your repair visit FV-20001 is on Thursday 26 November, 12 noon to 5pm."
    written = await write(ScriptedLLM([asks("list_bookings"), say(true)]), tools)
    assert written.reply
    assert (written.reply.text, written.reply.citations) == (true, ())
    false = "Your repair visit FV-20001 is on Monday 30 November, 8am to 12 noon."
    assert (await write(ScriptedLLM([asks("list_bookings"), say(false)]), tool_turn(toolbox))).reply is None


async def test_a_change_is_proposed_in_our_words_ends_the_reply_and_is_made_on_yes(toolbox):
    llm = ScriptedLLM([asks("cancel_booking", number="FV-20004"), say("I have cancelled it already.")])
    talk = Talk(toolbox, account=ONE_LINE)
    tools = tool_turn(toolbox, ONE_LINE)
    written = await write(llm, tools)
    assert written.reply is None
    assert len(llm.requests) == 1
    acted = propose(tools)
    assert acted
    assert acted.words.endswith("Shall I do that?")
    assert [visit.status for visit in await toolbox.supplies.office.visits(ONE_LINE) if visit.is_ahead] == ["booked"]
    talk.entries.append(talk._entry(Speaker.BOT, acted.words, acted.data))
    assert "is cancelled" in await talk.say("yes")


async def test_without_a_proposal_there_is_nothing_to_propose(toolbox):
    assert propose(tool_turn(toolbox)) is None


async def test_a_model_that_never_stops_asking_has_to_write_in_the_end(toolbox):
    llm = ScriptedLLM([asks("list_tickets")])
    await stream(llm, tool_turn(toolbox))
    assert [bool(one.tools) for one in llm.requests] == [True] * ROUNDS + [False]


async def test_the_same_call_is_made_once_a_turn(toolbox):
    tools = tool_turn(toolbox)
    await stream(ScriptedLLM([asks("list_tickets"), asks("list_tickets"), say("You have no tickets.")]), tools)
    assert [record.ruling for record in tools.records] == [Ruling.DONE]


async def test_a_refusal_is_told_to_the_model(toolbox):
    llm = ScriptedLLM([asks("lookup_account", account=ONE_LINE), say("I can't.")])
    tools = tool_turn(toolbox)
    await stream(llm, tools)
    assert 'ruling="refused"' in llm.requests[1].lines[-1].text
    assert tools.records[0].ruling is Ruling.REFUSED


async def test_what_was_said_before_a_call_is_a_paragraph_of_its_own(toolbox):
    script: Sequence[Moment] = [Text(text="One moment."), *asks("list_tickets")]
    events = await stream(ScriptedLLM([script, say("You have none.")]), tool_turn(toolbox))
    text = "".join(event.text for event in events if isinstance(event, Text))
    assert text == "One moment.\n\nYou have none."


async def test_past_the_turns_deadline_no_tool_is_called(toolbox):
    tools = tool_turn(toolbox)
    loop = ToolLoop(ScriptedLLM([asks("list_tickets")]), tools, [].append)
    with pytest.raises(DeadlinePassed):
        _ = [event async for event in loop.stream(request(), limits(seconds=0))]
    assert tools.records == []


class Reserving(MemoryAccounts):
    """Knows what was set aside."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def reserve(self, customer: CustomerId, day: date, tokens: int, most: int) -> bool:
        self.asked.append(tokens)
        return await super().reserve(customer, day, tokens, most)


async def test_each_round_has_room_of_its_own_made_with_the_tools_and_what_they_told(toolbox):
    scripts = [asks("list_bookings"), asks("get_account"), say("Your engineer comes.")]
    free = Reserving()
    await write(ScriptedLLM(scripts), tool_turn(toolbox), free, tokens_per_customer_per_day=10**6)
    first = free.asked[:3]
    assert first == sorted(set(first)), "each prompt is longer by what a tool told"
    llm, short = ScriptedLLM(scripts), Reserving()
    written = await write(llm, tool_turn(toolbox), short, tokens_per_customer_per_day=sum(first[:2]))
    assert (len(llm.requests), len(short.asked)) == (2, 3)
    assert (written.capped, written.reply) == (True, None)
