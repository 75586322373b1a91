"""Replies that a model writes: what its passages do not bear never reaches the customer, whoever fails on the way."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from bot import phrases
from bot.accounts_memory import MemoryAccounts
from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Outcome, Speaker
from bot.errors import ProviderDown, StreamBroken
from bot.llm.breaker import BreakerRules
from bot.llm.extractive import ExtractiveLLM
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.prices import read_prices
from bot.llm.scripted import ScriptedLLM
from bot.llm.stream import Finished, Text
from bot.log_memory import MemoryLog
from bot.prompts.loader import Prompts
from bot.settings import Settings
from bot.writer import Writer
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

ANN = CustomerId("ann")
PROMPTS, PRICES = Prompts(), read_prices()
"""Read once for all chats."""
TEXTS = (
    "We charge a late payment fee of £7.50 if a bill is unpaid 7 days after it was due.",
    "Pay by card under Billing > Pay now.",
)
PASSAGES = tuple(
    Passage(
        id=PassageId(f"late#{n}"),
        document=DocumentId("late"),
        title="Late payments",
        heading="",
        text=text,
        position=n,
        score=0.9,
    )
    for n, text in enumerate(TEXTS)
)
GOOD = (
    "There is a late payment fee of £7.50 if your bill is unpaid 7 days after it was due. [1] "
    "You can pay by card under Billing. [2]"
)
FALSE = "The late payment fee is £25. [1]"


class OneArticle:
    answerability = 0.9
    title = "Late payments"
    passages = PASSAGES

    async def search(self, question, history=(), limit=8):
        return Found(passages=self.passages, answerability=self.answerability, version="v1")

    async def article(self, document):
        return Article(document=Document(id=document, title=self.title, text=""), passages=self.passages)

    async def contents(self):
        return Contents()


def says(text, *, pieces=7):
    return [*(Text(text=text[n : n + pieces]) for n in range(0, len(text), pieces)), done()]


def done(reason="stop"):
    return Finished(reason=reason, provider="", model="", prompt_tokens=100, completion_tokens=20)


class Chat:
    def __init__(self, *llms, quotes=True, accounts=None, **settings):
        self.settings = Settings(**{"turn_seconds": 10, **settings})
        self.accounts = accounts or MemoryAccounts()
        rules = BreakerRules(failures=99, open_seconds=1, longest_seconds=1)
        members = [Member(llm, rules) for llm in llms]
        if quotes:
            members.append(Member(ExtractiveLLM(), rules, quotes=True))
        writer = Writer(Failover(members, prompts=PROMPTS), PROMPTS, PRICES, self.settings, self.accounts)
        self.search = OneArticle()
        self.bot = Bot(settings=self.settings, log=MemoryLog(), search=self.search, writer=writer)
        self.shown = []

    async def ask(self, text="what is the late fee?"):
        chat = ConversationId(str(uuid4()))
        self.bot.live.watch(chat, lambda answers, shown: self.shown.append(shown))
        asked = await self.bot.accept(chat, ANN, text)
        async with asyncio.timeout(60):
            async for entry in self.bot.log.follow(chat, asked.seq):
                if entry.answers == asked.seq:
                    self.entries = await self.bot.log.after(chat)
                    return entry


async def test_a_fluent_reply_is_shown_sentence_by_sentence_and_cites_what_it_rests_on():
    chat = Chat(ScriptedLLM([says(GOOD)]))
    reply = await chat.ask()
    assert reply.text.startswith("There is a late payment fee of £7.50")
    assert [citation["passage"] for citation in reply.data["citations"]] == ["late#0", "late#1"]
    assert len(chat.shown) == 2
    assert chat.shown[0].endswith("due.")
    writing = reply.data["turn"]["writing"]
    assert writing["usage"][0]["prompt_tokens"] == 100
    assert set(writing["prompts"]) == {"voice", "answer"}
    assert TEXTS[0] in writing["prompt"]


async def test_an_unsupported_sentence_is_never_shown_and_the_model_is_asked_once_more_with_the_finding():
    model = ScriptedLLM([says(FALSE), says(GOOD)])
    chat = Chat(model)
    reply = await chat.ask()
    assert "£25" not in "".join(chat.shown) + reply.text
    assert "£7.50" in reply.text
    assert "The late payment fee is £25." in model.requests[1].lines[0].text


async def test_a_model_that_insists_on_what_does_not_hold_ends_in_an_honest_reply():
    chat = Chat(ScriptedLLM([says(FALSE)]))
    reply = await chat.ask()
    assert reply.data["outcome"] == Outcome.ABSTAINED
    assert chat.shown == []
    assert reply.data["turn"]["writing"]["findings"] == ["The late payment fee is £25."] * 2


@pytest.mark.parametrize("text", ["NO ANSWER", "NO ANSWER.\n", "[1][2]", "   \n"])
async def test_a_model_that_finds_no_answer_or_writes_only_marks_ends_in_an_honest_reply(text):
    reply = await Chat(ScriptedLLM([says(text)])).ask()
    assert reply.data["outcome"] == Outcome.ABSTAINED
    assert reply.data["citations"] == []


async def test_a_claim_without_a_mark_is_given_the_passage_that_bears_it():
    reply = await Chat(ScriptedLLM([says(TEXTS[1])])).ask()
    assert [citation["passage"] for citation in reply.data["citations"]] == ["late#1"]


async def test_a_mark_of_a_passage_that_does_not_exist_leads_nowhere_and_is_not_shown():
    reply = await Chat(ScriptedLLM([says(TEXTS[0] + " [9] [77]")])).ask()
    assert reply.text == TEXTS[0] + " [1]"


async def test_a_web_address_of_the_models_own_is_never_shown():
    chat = Chat(ScriptedLLM([says("Pay the late payment fee at https://pay.evil.example/now. [1]"), says(GOOD)]))
    reply = await chat.ask()
    assert "evil" not in reply.text + "".join(chat.shown)


async def test_a_promise_that_no_passage_makes_is_never_shown():
    chat = Chat(ScriptedLLM([says("We will refund the late payment fee of £7.50. [1]"), says(GOOD)]))
    reply = await chat.ask()
    assert "refund" not in reply.text + "".join(chat.shown)


async def test_when_every_provider_fails_the_articles_are_quoted():
    down = ScriptedLLM([[ProviderDown("scripted", "secret detail of the vendor")]])
    chat = Chat(down)
    reply = await chat.ask()
    assert reply.data["outcome"] == Outcome.ANSWERED
    assert TEXTS[0] in reply.text
    assert "secret detail" not in reply.text


async def test_the_quote_is_not_held_against_the_articles_twice_so_nobody_is_asked_again_for_it():
    down = ScriptedLLM([[ProviderDown("scripted", "down")]])
    chat = Chat(down)
    chat.search.title = "Paying after the 99th day"  # the quote's own heading, which no passage bears
    reply = await chat.ask()
    assert len(down.requests) == 2, "once, and at once again"
    assert reply.data["turn"]["writing"]["findings"] == []
    assert TEXTS[0] in reply.text


async def test_without_anybody_to_quote_a_failure_is_said_honestly_and_never_in_the_vendors_words():
    chat = Chat(ScriptedLLM([[ProviderDown("scripted", "secret detail of the vendor")]]), quotes=False)
    reply = await chat.ask()
    assert reply.speaker is Speaker.BOT
    assert "secret detail" not in reply.text


@pytest.mark.parametrize("cut", range(0, 40, 3))
async def test_a_stream_that_dies_anywhere_gives_one_reply_without_repeats(cut):
    dying = ScriptedLLM([[*says(GOOD)[:cut], StreamBroken("scripted", "cut")]])
    chat = Chat(dying, ScriptedLLM([says(GOOD)], name="second"))
    reply = await chat.ask()
    assert reply.text.count("£7.50") == 1
    assert reply.text.count("by card") == 1
    assert sum(entry.speaker is Speaker.BOT for entry in chat.entries) == 1


async def test_a_replacement_that_contradicts_what_was_shown_withdraws_it():
    first = "There is a late payment fee of £7.50 if a bill is unpaid 7 days after it was due. [1] Pay by "
    dying = ScriptedLLM([[*says(first)[:-1], StreamBroken("scripted", "cut")]])
    second = "There is no late payment fee of £7.50 if a bill is unpaid 7 days after it was due. [2]"
    chat = Chat(dying, ScriptedLLM([says(second)], name="second"))
    denied = replace(PASSAGES[1], text="There is no late payment fee of £7.50 if a bill is unpaid 7 days after it was due.")
    chat.search.passages = (PASSAGES[0], denied)
    reply = await chat.ask()
    assert reply.text.count("late payment fee") == 1
    assert reply.text.startswith(f"{phrases.CORRECTED}\n\nThere is no late")
    assert phrases.CORRECTED not in "".join(chat.shown)


async def test_the_prompt_that_a_replacement_was_told_with_is_in_the_record():
    dying = ScriptedLLM([[*says(GOOD)[:18], StreamBroken("scripted", "cut")]])
    reply = await Chat(dying, ScriptedLLM([says(GOOD)], name="second")).ask()
    assert set(reply.data["turn"]["writing"]["prompts"]) == {"voice", "answer", "already_read"}


async def test_what_the_search_is_unsure_of_may_be_answered_by_a_model_that_reads_the_passages():
    chat = Chat(ScriptedLLM([says(GOOD), says("NO ANSWER")]))
    chat.search.answerability = 0.7
    assert (await chat.ask()).data["outcome"] == Outcome.ANSWERED
    assert (await chat.ask()).data["outcome"] == Outcome.ASKED_BACK


async def test_a_greeting_asks_no_provider():
    model = ScriptedLLM([says(GOOD)])
    assert (await Chat(model).ask("hello")).data["outcome"] == Outcome.GREETED
    assert model.requests == []


async def test_when_only_the_quoting_one_is_left_in_the_middle_its_answer_stands_alone_and_whole():
    begun = ScriptedLLM([[*says(GOOD)[:18], StreamBroken("scripted", "cut")]])
    chat = Chat(begun)
    reply = await chat.ask()
    assert chat.shown[0].startswith("There is a late payment fee")
    assert "There is a late payment fee" not in reply.text
    assert TEXTS[0] in reply.text
    assert TEXTS[1] in reply.text
