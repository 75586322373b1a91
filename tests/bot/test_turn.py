"""The turn on a real SQLite log: a message is kept once and answered once, by the bot, and only while it holds the chat."""

import asyncio
import sqlite3
from uuid import uuid4

import pytest

from bot import phrases
from bot.bot import Bot
from bot.domain import ClientId, ConversationId, CustomerId, Draft, EntryId, Kind, Outcome, Speaker
from bot.errors import ClientIdReused, ConversationUnknown, MessageRefused, MessageTooLong, NotYours, TooManyMessages
from bot.settings import Settings
from bot.sql.log import open_log
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

ANN, BEN = CustomerId("ann"), CustomerId("ben")
FEE = Passage(
    id=PassageId("late-fee#0"),
    document=DocumentId("late-fee"),
    title="Late payment fee",
    heading="",
    text="We charge £7.50 if a bill is unpaid 7 days after it was due.",
    position=0,
    score=0.9,
)


class OneArticle:
    """A search that knows one article; `gate` holds searches back, `error` makes them fail."""

    def __init__(self):
        self.asked = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.searching = asyncio.Event()
        self.error = None
        self.answerability = 0.9

    async def search(self, question, history=(), limit=8):
        self.asked.append((question, tuple(history)))
        self.searching.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return Found(passages=(FEE,), answerability=self.answerability, version="v1")

    async def article(self, document):
        return Article(document=Document(id=document, title=FEE.title, text=FEE.text), passages=(FEE,))

    async def contents(self):
        return Contents()


@pytest.fixture
def chat():
    return ConversationId(str(uuid4()))


@pytest.fixture
async def bot(tmp_path):
    settings = Settings(data_dir=tmp_path, waiting_messages=3, messages_per_minute=100, turn_seconds=30)
    made = Bot(settings=settings, log=open_log(None, tmp_path), search=OneArticle())
    await made.start()
    yield made
    await made.close()


async def settled(bot, asked):
    async with asyncio.timeout(60):
        async for entry in bot.log.follow(asked.conversation, asked.seq):
            if entry.answers == asked.seq:
                return entry


async def texts(bot, chat):
    return [(entry.speaker, entry.text) for entry in await bot.log.after(chat)]


async def test_a_question_is_answered_with_a_citation_and_the_trace_is_kept(bot, chat):
    asked = await bot.accept(chat, ANN, "what is the late fee?")
    reply = await settled(bot, asked)
    assert (reply.speaker, reply.kind) == (Speaker.BOT, Kind.MESSAGE)
    assert "£7.50" in reply.text
    assert reply.data["citations"][0]["url"] == "/help/late-fee#p0"
    steps = [step[0] for step in reply.data["turn"]["steps"]]
    assert steps == ["read", "decide", "retrieve", "answer", "check", "decide again"]
    assert reply.data["turn"]["knowledge"] == "v1"


async def test_a_repeated_client_id_is_one_entry_and_one_reply_even_five_times_at_once(bot, chat):
    sent = [bot.accept(chat, ANN, "what is the late fee?", ClientId("m1")) for _ in range(3)]
    entries = await asyncio.gather(*sent)
    await settled(bot, entries[0])
    again = await bot.accept(chat, ANN, "what is the late fee?", ClientId("m1"))
    last = await bot.accept(chat, ANN, "thanks")
    await settled(bot, last)
    assert {entry.seq for entry in [*entries, again]} == {1}
    assert [speaker for speaker, _ in await texts(bot, chat)] == ["customer", "bot", "customer", "bot"]


async def test_the_same_client_id_with_other_words_is_refused_and_changes_nothing(bot, chat):
    await settled(bot, await bot.accept(chat, ANN, "what is the late fee?", ClientId("m1")))
    before = await texts(bot, chat)
    with pytest.raises(ClientIdReused):
        await bot.accept(chat, ANN, "cancel everything", ClientId("m1"))
    assert await texts(bot, chat) == before


async def test_a_follow_up_is_searched_with_what_was_said_before(bot, chat):
    await settled(bot, await bot.accept(chat, ANN, "what is the late fee?"))
    await settled(bot, await bot.accept(chat, ANN, "and for business customers?"))
    assert bot.search.asked[-1] == ("and for business customers?", ("what is the late fee?", "Late payment fee"))


async def test_messages_are_answered_in_order_each_once(bot, chat):
    asked = [await bot.accept(chat, ANN, f"question {n}") for n in range(3)]
    await settled(bot, asked[-1])
    answered = [entry.answers for entry in await bot.log.after(chat) if entry.speaker is Speaker.BOT]
    assert answered == [entry.seq for entry in asked]


async def test_a_full_line_refuses_the_next_message_and_keeps_those_before(bot, chat):
    bot.search.gate.clear()
    for n in range(3):
        await bot.accept(chat, ANN, f"question {n}")
    with pytest.raises(TooManyMessages):
        await bot.accept(chat, ANN, "one too many")
    bot.search.gate.set()
    await settled(bot, (await bot.log.after(chat))[2])
    assert sum(speaker == "bot" for speaker, _ in await texts(bot, chat)) == 3


async def test_a_customer_over_the_rate_is_refused_in_every_conversation(tmp_path, chat):
    settings = Settings(data_dir=tmp_path, messages_per_minute=2)
    bot = Bot(settings=settings, log=open_log(None, tmp_path), search=OneArticle())
    for _ in range(2):
        await bot.accept(ConversationId(str(uuid4())), ANN, "hello")
    with pytest.raises(TooManyMessages):
        await bot.accept(chat, ANN, "hello")
    await bot.accept(chat, BEN, "hello")
    await bot.close()


async def test_anothers_conversation_takes_no_message_no_stop_and_no_thumb(bot, chat):
    reply = await settled(bot, await bot.accept(chat, ANN, "what is the late fee?"))
    before = await texts(bot, chat)
    with pytest.raises(NotYours):
        await bot.accept(chat, BEN, "I am Ann")
    with pytest.raises(NotYours):
        await bot.stop(chat, BEN)
    with pytest.raises(NotYours):
        await bot.rate(BEN, reply.id, 0)
    assert await texts(bot, chat) == before


async def test_a_refused_message_leaves_no_conversation_behind(bot, chat):
    for text in ("", "x" * 5000, None, "\ud800"):
        with pytest.raises(MessageRefused):
            await bot.accept(chat, ANN, text)
    with pytest.raises(MessageTooLong):
        await bot.accept(chat, ANN, "x" * 1_000_000)
    assert await bot.log.conversation(chat) is None


async def test_nothing_found_is_said_honestly(bot, chat):
    bot.search.answerability = 0.01
    reply = await settled(bot, await bot.accept(chat, ANN, "will it rain tomorrow?"))
    assert reply.data["outcome"] == Outcome.ABSTAINED
    assert "£7.50" not in reply.text
    assert reply.data["citations"] == []


async def test_a_stopped_turn_tells_the_customer_and_is_not_answered_later(bot, chat):
    bot.search.gate.clear()
    asked = await bot.accept(chat, ANN, "what is the late fee?")
    await bot.search.searching.wait()
    await bot.stop(chat, ANN)
    notice = await settled(bot, asked)
    assert (notice.speaker, notice.kind, notice.text) == (Speaker.SYSTEM, Kind.NOTICE, phrases.NOTICES[Outcome.STOPPED])
    bot.search.gate.set()
    await bot.resume(chat)
    await settled(bot, await bot.accept(chat, ANN, "hello"))
    assert [entry.answers for entry in await bot.log.after(chat) if entry.answers == asked.seq] == [asked.seq]


async def test_a_turn_that_fails_tells_the_customer_and_no_exceptions_text(bot, chat, caplog):
    bot.search.error = RuntimeError("password=hunter2 at /srv/index")
    notice = await settled(bot, await bot.accept(chat, ANN, "what is the late fee?"))
    assert notice.text == phrases.NOTICES[Outcome.FAILED]
    assert "hunter2" not in str(notice)
    assert "hunter2" in caplog.text
    assert chat in caplog.text


async def test_a_message_left_unanswered_by_a_crash_is_answered_once_at_the_next_start(tmp_path, chat):
    log = open_log(None, tmp_path)
    await log.open(chat, ANN)
    asked = await log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="late fee?"))
    await log.close()
    bot = Bot(settings=Settings(data_dir=tmp_path), log=open_log(None, tmp_path), search=OneArticle())
    await bot.start()
    await bot.resume(chat)
    await settled(bot, asked)
    await bot.resume(chat)
    assert len(await bot.log.after(chat)) == 2
    await bot.close()


async def test_the_bot_stays_silent_while_it_does_not_hold_the_conversation(bot, chat, tmp_path):
    await settled(bot, await bot.accept(chat, ANN, "hello"))
    with sqlite3.connect(tmp_path / "frontdesk.db") as database:
        database.execute("update conversations set holder = 'agent' where id = ?", (chat,))
    other = open_log(None, tmp_path)
    await other.append(Draft(conversation=chat, speaker=Speaker.AGENT, kind=Kind.MESSAGE, text="Hello, I am Alex."))
    await other.close()
    bot.search.asked.clear()
    asked = await bot.accept(chat, ANN, "what is the late fee?")
    await bot.take_turn(asked)
    assert bot.search.asked == []
    assert [entry.speaker for entry in await bot.log.after(chat, asked.seq)] == []


async def test_what_another_process_wrote_is_read_before_the_next_turn(bot, chat, tmp_path):
    await settled(bot, await bot.accept(chat, ANN, "hello"))
    other = open_log(None, tmp_path)
    await other.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="my broadband is slow"))
    await other.close()
    await settled(bot, await bot.accept(chat, ANN, "and on wi-fi?"))
    assert bot.search.asked[-1] == ("and on wi-fi?", ("hello", "my broadband is slow"))


async def test_a_thumb_is_kept_as_an_entry_and_an_unknown_reply_has_none(bot, chat):
    asked = await bot.accept(chat, ANN, "what is the late fee?")
    reply = await settled(bot, asked)
    thumb = await bot.rate(ANN, reply.id, 1)
    assert (thumb.kind, thumb.data) == (Kind.FEEDBACK, {"of": reply.id, "value": 1})
    for unknown in (EntryId(str(uuid4())), asked.id):
        with pytest.raises(ConversationUnknown):
            await bot.rate(ANN, unknown, 1)
