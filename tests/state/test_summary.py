"""The running summary: made behind a turn, of masked words, put into the memory, and missing where nobody can make it."""

import asyncio

import pytest

from bot.accounts import Account
from bot.accounts_memory import MemoryAccounts
from bot.billing import Billing
from bot.cells import LocalCells
from bot.domain import Speaker
from bot.errors import ProviderDown
from bot.llm.prices import read_prices
from bot.llm.scripted import ScriptedLLM
from bot.llm.stream import Finished, Text
from bot.log_memory import MemoryLog
from bot.memory import CachedMemory
from bot.mind import Mind
from bot.profile_memory import MemoryProfiles
from bot.prompts.loader import Prompts
from bot.recollection import recollect
from bot.seal import Seal
from bot.settings import Settings
from bot.summary import MOST_CHARS, ModelSummariser, Summaries, shorten
from tests.state.talk import ANN, CHAT, append_turn, entry

SETTINGS = Settings(_env_file=None, max_conversation_history=600)
ACCOUNT = Account(customer=ANN, conversation=CHAT, seq=1)


class Teller:
    """Says how often it was asked, or fails, or waits to be let go."""

    def __init__(self) -> None:
        self.given: list[list[str]] = []
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def summarise(self, before, said, account):
        await self.gate.wait()
        if self.failure:
            raise self.failure
        self.given.append([line["text"] for line in said])
        return f"They talked about {len(self.given)} things."


def build(teller):
    log = MemoryLog()
    memory = CachedMemory(LocalCells(), Seal([b"o" * 32]), log, SETTINGS)
    return log, memory, Mind(memory, MemoryProfiles(), SETTINGS, log, teller)


async def talk(log, mind, turns, *, settles=True, first=1):
    """Turns, each recalled and remembered; the summaries of each are waited for, if they shall be."""
    for number in range(first, first + turns):
        asked, reply = await append_turn(log, number)
        recalled = await mind.recall(asked, (), ANN)
        await mind.remember(recalled, asked, reply, ANN)
        if settles:
            await mind._summaries.settle()
    return entry(asked.seq + 2, "and now?")


async def test_what_falls_out_is_told_in_order_and_the_summary_is_in_the_prompt():
    teller = Teller()
    log, memory, mind = build(teller)
    asked = await talk(log, mind, 20)
    told = [text for given in teller.given for text in given]
    entries = [one.text for one in await log.after(CHAT)]
    assert [text[:40] for text in told] == [text[:40] for text in entries[: len(told)]]
    recalled = await memory.recall(asked, ())
    assert recalled.told == f"They talked about {len(teller.given)} things."
    assert recalled.told in recollect(recalled, asked, SETTINGS.max_conversation_history).summary


async def test_no_turn_waits_for_a_summary_and_one_is_made_at_a_time():
    teller = Teller()
    teller.gate.clear()
    log, _, mind = build(teller)
    asked = await talk(log, mind, 20, settles=False)  # nobody lets the summary go, and the turns go on
    assert "order: LF-204815" in (await mind.recall(asked, (), ANN)).summary
    teller.gate.set()
    await mind._summaries.settle()
    assert len(teller.given) == 1
    await mind.close()


async def test_a_summary_that_fails_leaves_the_extractive_one_and_is_tried_again():
    teller = Teller()
    teller.failure = ProviderDown("openai")
    log, _, mind = build(teller)
    asked = await talk(log, mind, 15)
    assert "order: LF-204815" in (await mind.recall(asked, (), ANN)).summary
    teller.failure = None
    await talk(log, mind, 1, first=16)
    assert teller.given


async def test_a_summary_that_comes_after_the_customer_was_erased_is_not_kept():
    teller = Teller()
    teller.gate.clear()
    log, memory, mind = build(teller)
    asked = await talk(log, mind, 20, settles=False)
    await memory.forget(CHAT)
    teller.gate.set()
    await mind._summaries.settle()
    assert (await memory.recall(asked, ())).told == ""


def summariser(llm, **settings):
    accounts = MemoryAccounts()
    billing = Billing(accounts, settings.pop("cap", None))
    made = ModelSummariser(
        llm=llm, prompts=Prompts(), prices=read_prices(), settings=Settings(_env_file=None), billing=billing
    )
    return made, accounts, billing


async def test_only_masked_words_leave_the_house_and_the_customer_pays():
    ended = Finished(reason="stop", provider="", model="", prompt_tokens=100, completion_tokens=9)
    llm = ScriptedLLM([[Text(text="The customer moved. See https://evil.example for more."), ended]])
    made, accounts, billing = summariser(llm)
    log, memory, mind = build(None)
    private = ("ana.silva@example.org", "4111 1111 1111 1111")
    for number in range(1, 13):
        asked, reply = await append_turn(log, number)
        await mind.remember(await mind.recall(asked, (), ANN), asked, reply, ANN)
    secret = [
        entry(1, f"I am {private[0]}"),
        entry(2, f"We wrote to {private[0]}, card {private[1]}.", Speaker.AGENT),
    ]
    summaries = Summaries(made, memory, Entries(secret), mind._mask_any)
    kept = await memory.recall(entry(25, "?"), ())
    summaries.note(kept, ACCOUNT)
    await summaries.settle()
    sent = "\n".join(line.text for request in llm.requests for line in request.lines)
    assert "We wrote to" in sent
    assert not any(one in sent for one in private)
    assert (await memory.recall(entry(25, "?"), ())).told == "The customer moved. See for more."
    await billing.close()
    assert [(bill.account, bill.tokens) for bill in accounts.bills] == [(ACCOUNT, 109)]


class Entries(MemoryLog):
    """A log of these entries."""

    def __init__(self, entries):
        super().__init__()
        self._these = entries

    async def after(self, conversation, seq=0, limit=1000):
        return self._these


@pytest.mark.parametrize("by", ["extractive", "nobody, for the day's tokens are used up"])
async def test_what_is_no_models_words_is_no_summary(by):
    quoted = [Text(text="We charge £7.50."), Finished(reason="stop", provider="extractive", model="articles")]
    made, _, billing = summariser(ScriptedLLM([quoted]), cap=None if by == "extractive" else 1)
    assert await made.summarise("", [{"by": "customer", "text": "Hello"}], ACCOUNT) == ""
    await billing.close()


def test_a_summary_that_is_too_long_ends_after_a_sentence():
    assert shorten("One thing.\nTwo things.") == "One thing. Two things."
    cut = shorten("They said this and that. " * 100)
    assert len(cut) <= MOST_CHARS
    assert cut.endswith("that.")
    assert len(shorten("x" * 5000)) == MOST_CHARS
