"""Rewriting a follow-up: one provider, once, soon, on the customer's account; without it the turn goes on as it was."""

import asyncio
import shutil
from datetime import UTC, datetime

import pytest

from bot.accounts import Account
from bot.accounts_memory import MemoryAccounts
from bot.domain import ConversationId, CustomerId, WritingRecord
from bot.errors import ProviderDown, ProviderUnauthorised, RateLimited
from bot.llm.breaker import BreakerRules
from bot.llm.extractive import ExtractiveLLM
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.prices import read_prices
from bot.llm.scripted import ScriptedLLM
from bot.llm.stream import Finished, Text
from bot.prompts.loader import FOLDER, Prompts
from bot.question import Question
from bot.rewriting import join_records
from bot.settings import Settings
from bot.writer import Writer
from knowledge.document import Found

ANN = CustomerId("ann")
ASKED = "How much is the late payment fee?"
FOLLOW_UP = Question(text="and for business customers?", history=(ASKED,), context=(ASKED, "Late payments"))
ALONE = "How much is the late payment fee for business customers?"


def says(text):
    return [Text(text=text), Finished(reason="stop", provider="", model="", prompt_tokens=150, completion_tokens=12)]


class Desk:
    """A writer over scripted models and, after them, the one that quotes."""

    def __init__(self, *llms, prompts=None, **settings):
        self.accounts = MemoryAccounts()
        self.settings = Settings(_env_file=None, **settings)
        members = [*(Member(llm, BreakerRules(failures=1)) for llm in llms), Member(ExtractiveLLM(), quotes=True)]
        self.failover = Failover(members)
        self.writer = Writer(self.failover, prompts or Prompts(), read_prices(), self.settings, self.accounts)

    async def rewrite(self, question=FOLLOW_UP):
        account = Account(customer=ANN, conversation=ConversationId("chat"), seq=3)
        rewritten = await self.writer.rewrite(question, account)
        await self.writer.close()
        return rewritten


async def test_a_follow_up_becomes_a_question_that_stands_alone():
    model = ScriptedLLM([says(f"{ALONE}\n")])
    rewritten = await Desk(model).rewrite()
    assert rewritten.question == Question(text=ALONE, history=(ASKED,), context=())
    system, asked = model.requests[0].lines
    assert ASKED in system.text
    assert "Late payments" in system.text
    assert asked.text == FOLLOW_UP.text


async def test_the_record_names_the_prompt_file_and_what_it_took():
    desk = Desk(ScriptedLLM([says(ALONE)]))
    record = (await desk.rewrite()).record
    assert record.prompts == {"rewrite": Prompts().render("rewrite", {"said": []}).hash}
    assert [(one.provider, one.prompt_tokens, one.completion_tokens) for one in record.usage] == [("scripted", 150, 12)]
    [bill] = desk.accounts.bills
    assert (bill.account.customer, bill.account.seq, bill.usage) == (ANN, 3, record.usage)


@pytest.mark.parametrize("said", ["   ", "It is £10 for Northwind.", FOLLOW_UP.text, "Which\nfee?"])
async def test_a_rewriting_that_is_empty_or_says_more_is_ignored_and_paid(said):
    desk = Desk(ScriptedLLM([says(said)]))
    rewritten = await desk.rewrite()
    assert rewritten.question is None
    assert rewritten.note.startswith("not rewritten")
    assert [bill.tokens for bill in desk.accounts.bills] == [162]


@pytest.mark.parametrize("failure", [ProviderDown, RateLimited, ProviderUnauthorised])
async def test_a_provider_that_fails_is_asked_once_and_nobody_else_is(failure):
    first, second = ScriptedLLM([[failure("first", "telling")]], name="first"), ScriptedLLM([says(ALONE)], name="second")
    rewritten = await Desk(first, second).rewrite()
    assert rewritten.question is None
    assert (len(first.requests), len(second.requests)) == (1, 0)
    assert [attempt["provider"] for attempt in rewritten.record.attempts] == ["first"]
    assert "telling" not in rewritten.note


async def test_the_first_provider_that_fares_well_is_asked():
    first, second = ScriptedLLM([[ProviderDown("first")]], name="first"), ScriptedLLM([says(ALONE)], name="second")
    desk = Desk(first, second)
    await desk.writer.rewrite(FOLLOW_UP, Account(customer=ANN, conversation=ConversationId("chat"), seq=1))
    assert (await desk.rewrite()).question.text == ALONE
    assert len(first.requests) == 1


async def test_with_every_provider_left_out_nobody_is_asked_and_nothing_is_quoted():
    first = ScriptedLLM([[ProviderDown("first")]], name="first")
    desk = Desk(first)
    await desk.writer.rewrite(FOLLOW_UP, Account(customer=ANN, conversation=ConversationId("chat"), seq=1))
    assert (await desk.rewrite()).question is None
    assert len(first.requests) == 1


async def test_one_that_does_not_answer_soon_costs_little_and_its_breaker_learns_nothing(monkeypatch):
    monkeypatch.setattr("bot.rewriting.REWRITE_SECONDS", 0.05)
    desk = Desk(ScriptedLLM([[60.0]]))
    async with asyncio.timeout(60):
        assert (await desk.rewrite()).question is None
    assert desk.writer.providers[0].state == "closed"


async def test_a_customer_whose_tokens_are_used_up_asks_no_model():
    model = ScriptedLLM([says(ALONE)])
    desk = Desk(model, tokens_per_customer_per_day=100)
    assert (await desk.rewrite()).question is None
    assert model.requests == []
    assert desk.accounts.bills == []
    assert (await desk.accounts.spent(ANN, datetime.now(UTC).date())).tokens == 0


async def test_a_prompt_file_that_broke_while_running_costs_the_rewriting_and_not_the_turn(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "prompts")
    (tmp_path / "prompts" / "rewrite.md").write_text("---\nvariables: []\n---\n{{ said }}", encoding="utf-8")
    model = ScriptedLLM([says(ALONE)])
    rewritten = await Desk(model, prompts=Prompts(tmp_path / "prompts")).rewrite()
    assert rewritten.question is None
    assert "rewrite.md" in rewritten.note
    assert model.requests == []


def test_only_what_needs_it_is_rewritten():
    writer = Desk().writer
    sure, unsure = (Found(passages=(), answerability=a, version="v") for a in (0.9, 0.5))
    plain = Question(text="Where can I find my account number?", history=(ASKED,))
    assert writer.wants_rewriting(FOLLOW_UP, sure)
    assert not writer.wants_rewriting(plain, sure)
    assert writer.wants_rewriting(plain, unsure)


async def test_the_record_of_a_turn_holds_both_calls():
    first = (await Desk(ScriptedLLM([says(ALONE)])).rewrite()).record
    then = WritingRecord(usage=first.usage, prompts={"answer": "1"}, prompt="the prompt", first_shown_ms=3.0, took_ms=9.0)
    both = join_records(first, then)
    assert len(both.usage) == 2
    assert set(both.prompts) == {"rewrite", "answer"}
    assert (both.prompt, both.first_shown_ms) == ("the prompt", 3.0)
    assert join_records(first, None) is first
    assert join_records(None, then) is then
    assert join_records(None, None) is None
