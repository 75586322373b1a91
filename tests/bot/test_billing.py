"""What turns take, through the whole flow: every call is on the customer's account, and no call goes over the cap."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from bot.accounts_memory import MemoryAccounts
from bot.domain import ConversationId, Outcome
from bot.errors import LogUnavailable, StreamBroken
from bot.llm.prices import read_prices
from bot.llm.scripted import ScriptedLLM
from bot.llm.stream import Text
from tests.bot.test_writer import ANN, FALSE, GOOD, TEXTS, Chat, says

CHAT = ConversationId("chat")
CAP = 5000
"""Room for some calls: one of these tests' is 1,000 to 2,000 tokens with what its reply may take."""


def today() -> date:
    return datetime.now(UTC).date()


async def settled(chat):
    """The bot, closed, so that every bill is kept."""
    await chat.bot.close()
    return chat.accounts.bills


async def test_a_turn_is_put_down_with_its_provider_customer_and_day():
    chat = Chat(ScriptedLLM([says(GOOD)]))
    reply = await chat.ask()
    [bill] = await settled(chat)
    assert (bill.account.customer, bill.account.conversation, bill.account.seq) == (ANN, reply.conversation, 1)
    assert [(u.provider, u.model, u.prompt_tokens, u.completion_tokens) for u in bill.usage] == [
        ("scripted", "script", 100, 20)
    ]
    assert (await chat.accounts.spent(ANN, today())).tokens == 120


async def test_a_try_cut_short_by_the_check_is_put_down_as_an_estimate():
    chat = Chat(ScriptedLLM([says(f"{FALSE} And more of it follows here."), says(GOOD)]))
    await chat.ask()
    [bill] = await settled(chat)
    assert [(u.provider, u.estimated) for u in bill.usage] == [("scripted", True), ("scripted", False)]
    assert bill.usage[0].prompt_tokens > 100
    assert bill.usage[0].completion_tokens > 0


class Sells(ScriptedLLM):
    """A scripted model under the name and model of one whose price is known."""

    def __init__(self, scripts):
        super().__init__(scripts, name="openai", model="gpt-4.1-mini")
        self.asked = asyncio.Event()

    def stream(self, request, limits):
        self.asked.set()
        return super().stream(request, limits)


async def test_a_call_cut_short_goes_under_who_was_writing_at_that_ones_price_with_those_who_died_before_it():
    dying = ScriptedLLM([[*says(GOOD)[:3], StreamBroken("first", "cut")]], name="first")
    chat = Chat(dying, Sells([says(f"{FALSE} And more of it follows here.")]))
    await chat.ask()
    [bill] = await settled(chat)
    assert {(u.provider, u.model) for u in bill.usage} == {("first", "script"), ("openai", "gpt-4.1-mini")}
    cut = [u for u in bill.usage if u.provider == "openai"]
    assert [u.estimated for u in cut] == [True, True]
    assert all(u.cost == read_prices().cost("openai", "gpt-4.1-mini", u.prompt_tokens, u.completion_tokens) for u in cut)
    assert all(u.cost > 0 for u in cut)
    assert [u.completion_tokens > 0 for u in bill.usage if u.provider == "first"] == [True, True]


async def test_a_call_stopped_before_its_first_word_goes_under_who_was_asked():
    model = Sells([[30.0]])
    chat = Chat(model)
    asked = await chat.bot.accept(CHAT, ANN, "what is the late fee?")
    async with asyncio.timeout(60):
        await model.asked.wait()
        await chat.bot.stop(CHAT, ANN)
        async for _ in chat.bot.log.follow(CHAT, asked.seq):
            break
    [bill] = await settled(chat)
    assert [(u.provider, u.completion_tokens, u.first_token_ms) for u in bill.usage] == [("openai", 0, None)]
    assert bill.usage[0].took_ms >= 0


async def test_every_call_says_how_long_it_took_and_when_its_first_word_came():
    model = ScriptedLLM([[0.03, Text(text=GOOD[:20]), 0.03, *says(GOOD[20:])]])
    chat = Chat(model)
    reply = await chat.ask()
    [bill] = await settled(chat)
    [usage] = bill.usage
    assert 0 < usage.first_token_ms < usage.took_ms
    told = reply.data["turn"]["writing"]["usage"][0]
    assert (told["first_token_ms"], told["took_ms"]) == (usage.first_token_ms, usage.took_ms)


async def test_a_stream_that_died_is_put_down_as_an_estimate_beside_the_one_that_replaced_it():
    dying = ScriptedLLM([[*says(GOOD)[:12], StreamBroken("scripted", "cut")]])
    chat = Chat(dying, ScriptedLLM([says(GOOD)], name="second"))
    await chat.ask()
    [bill] = await settled(chat)
    assert [(u.provider, u.estimated) for u in bill.usage] == [("second", False), ("scripted", True)]
    assert bill.usage[1].completion_tokens > 0


async def test_a_stream_that_died_with_nobody_to_replace_it_is_put_down_too():
    chat = Chat(ScriptedLLM([[*says(GOOD)[:12], StreamBroken("scripted", "cut")]]), quotes=False)
    await chat.ask()
    [bill] = await settled(chat)
    assert [(u.provider, u.estimated) for u in bill.usage] == [("scripted", True)]


async def test_a_reply_that_the_customer_stops_is_put_down_as_an_estimate():
    chat = Chat(ScriptedLLM([[Text(text=GOOD), 2.0]]), tokens_per_customer_per_day=CAP)
    asked = await chat.bot.accept(CHAT, ANN, "what is the late fee?")
    shown = asyncio.Event()
    chat.bot.live.watch(CHAT, lambda answers, text: shown.set())
    async with asyncio.timeout(60):
        await shown.wait()
        await chat.bot.stop(CHAT, ANN)
        async for entry in chat.bot.log.follow(CHAT, asked.seq):
            assert entry.data["outcome"] == Outcome.STOPPED
            break
    [bill] = await settled(chat)
    assert bill.usage[0].estimated
    assert bill.reserved > bill.tokens > 100
    assert (await chat.accounts.spent(ANN, today())).tokens == bill.tokens


async def test_quotes_of_the_articles_cost_nothing_and_make_no_bill():
    chat = Chat()
    await chat.ask()
    assert await settled(chat) == []


async def test_over_the_cap_nobody_is_asked_and_the_articles_are_quoted_with_a_note_in_the_trace():
    model = ScriptedLLM([says(GOOD)])
    chat = Chat(model, tokens_per_customer_per_day=10)
    reply = await chat.ask()
    assert model.requests == []
    assert reply.data["outcome"] == Outcome.ANSWERED
    assert TEXTS[0] in reply.text
    notes = {name: note for name, _, _, note in reply.data["turn"]["steps"]}
    assert notes["write"] == "nobody: quoted, the customer's tokens of the day are used up"
    assert (await chat.accounts.spent(ANN, today())).tokens == 0


async def test_what_was_set_aside_and_not_taken_is_given_back():
    chat = Chat(ScriptedLLM([says(GOOD)]), tokens_per_customer_per_day=CAP)
    for _ in range(6):
        assert "£7.50" in (await chat.ask()).text
    bills = await settled(chat)
    assert all(bill.reserved > 700 for bill in bills)
    assert (await chat.accounts.spent(ANN, today())).tokens == 6 * 120


async def test_fifteen_chats_of_a_customer_at_once_stay_under_the_cap():
    model = ScriptedLLM([says(GOOD)])
    chat = Chat(model, tokens_per_customer_per_day=CAP)
    most = []
    reserve = chat.accounts.reserve

    async def watched(customer, day, tokens, cap):
        made = await reserve(customer, day, tokens, cap)
        most.append((await chat.accounts.spent(customer, day)).tokens)
        return made

    chat.accounts.reserve = watched
    replies = await asyncio.gather(*(chat.ask() for _ in range(15)))
    assert all("£7.50" in reply.text for reply in replies)
    assert 1 <= len(model.requests) < 15
    assert max(most) <= CAP
    await settled(chat)


async def test_who_takes_over_a_reply_is_not_asked_when_only_the_first_call_had_room():
    dying, second = ScriptedLLM([[*says(GOOD)[:12], StreamBroken("first", "cut")]], name="first"), ScriptedLLM([says(GOOD)])
    chat = Chat(dying, second, tokens_per_customer_per_day=CAP)
    for _ in range(8):
        assert "£7.50" in (await chat.ask()).text
    bills = await settled(chat)
    assert 0 < len(second.requests) < len(dying.requests)
    assert (await chat.accounts.spent(ANN, today())).tokens == sum(bill.tokens for bill in bills) <= CAP
    last = bills[len(dying.requests) - 1]
    assert [u.provider for u in last.usage] == ["first"], "what the one that died took is put down once"


class BrokenAccounts(MemoryAccounts):
    async def reserve(self, customer, day, tokens, most):
        raise LogUnavailable("the disk is full")

    async def record(self, bill):
        raise LogUnavailable("the disk is full")


async def test_accounts_that_cannot_be_kept_fail_no_turn_and_are_told_in_the_log(caplog):
    chat = Chat(ScriptedLLM([says(GOOD)]), accounts=BrokenAccounts())
    assert (await chat.ask()).text.startswith("There is a late payment fee")
    await settled(chat)
    assert "120 tokens were not put down" in caplog.text


async def test_with_a_cap_and_no_accounts_to_hold_it_against_nobody_is_asked():
    model = ScriptedLLM([says(GOOD)])
    chat = Chat(model, accounts=BrokenAccounts(), tokens_per_customer_per_day=CAP)
    assert TEXTS[0] in (await chat.ask()).text
    assert model.requests == []


async def test_a_turn_run_again_is_on_the_developers_account_and_has_no_cap():
    model = ScriptedLLM([says(GOOD)])
    chat = Chat(model, tokens_per_customer_per_day=10)
    reply = await chat.ask()
    await chat.bot.replay(reply.id)
    [bill] = await settled(chat)
    assert bill.account.customer == "developers"


@pytest.mark.parametrize("setting", [0, -1])
def test_a_cap_of_nothing_is_no_setting(setting):
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Chat(tokens_per_customer_per_day=setting)
