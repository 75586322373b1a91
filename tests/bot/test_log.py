"""What every conversation log promises: run on the fake, on SQLite and on PostgreSQL."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import ClientId, ConversationId, CustomerId, Draft, Entry, EntryId, Holder, Kind, Speaker
from bot.errors import ClientIdReused, ConversationUnknown, LogUnavailable, MessageUnreadable, NotYours
from bot.log import ConversationLog

CHAT, OTHER = ConversationId("chat"), ConversationId("other chat")
ANA, BEN = CustomerId("ana"), CustomerId("ben")


def asks(text: str = "Why is my bill higher?", client_id: str | None = None, **fields: Any) -> Draft:
    given = {"conversation": CHAT, "speaker": Speaker.CUSTOMER, "kind": Kind.MESSAGE, **fields}
    return Draft(text=text, client_id=ClientId(client_id) if client_id else None, **given)


def replies(answers: int | None, text: str = "Your discount ended.", **fields: Any) -> Draft:
    given = {"conversation": CHAT, "speaker": Speaker.BOT, "kind": Kind.MESSAGE, **fields}
    return Draft(text=text, answers=answers, **given)


async def take(log: ConversationLog, count: int, seq: int = 0) -> list[Entry]:
    """The first entries that a follower sees."""
    seen: list[Entry] = []
    async with asyncio.timeout(60), aclosing(log.follow(CHAT, seq)) as entries:
        async for entry in entries:
            seen.append(entry)
            if len(seen) == count:
                break
    return seen


@pytest.fixture
async def chat(log: ConversationLog) -> ConversationLog:
    """A log with one open conversation."""
    await log.open(CHAT, ANA)
    return log


async def test_a_conversation_begins_empty_and_with_the_bot(log):
    begun = await log.open(CHAT, ANA)
    assert (begun.id, begun.customer, begun.holder, begun.title, begun.last_seq) == (CHAT, ANA, Holder.BOT, "", 0)
    assert await log.conversation(CHAT) == begun == await log.open(CHAT, ANA)


async def test_a_conversation_that_was_never_opened_is_absent(log):
    assert await log.conversation(CHAT) is None
    assert not await log.after(CHAT)
    assert not await log.before(CHAT, 10, 5)
    assert not await log.unanswered(CHAT)
    with pytest.raises(ConversationUnknown):
        await log.append(asks())


async def test_another_customers_conversation_is_refused(chat):
    with pytest.raises(NotYours):
        await chat.open(CHAT, BEN)


async def test_of_two_customers_who_open_one_conversation_at_once_one_has_it(log):
    outcomes = await asyncio.gather(log.open(CHAT, ANA), log.open(CHAT, BEN), return_exceptions=True)
    owner = (await log.conversation(CHAT)).customer
    assert [outcome.customer for outcome in outcomes if not isinstance(outcome, NotYours)] == [owner]


async def test_an_entry_is_what_was_drafted_with_a_number_an_id_and_a_time(chat):
    before = datetime.now(UTC)
    draft = asks("Why?", "c-1", data={"device": "phone", "list": [1, 2.5, None, True, "é 😀 عربى"]})
    entry = await chat.append(draft)
    assert before - timedelta(seconds=1) <= entry.at <= datetime.now(UTC)
    assert entry.at.utcoffset() == timedelta(0)
    assert (entry.conversation, entry.seq, entry.text, entry.client_id) == (CHAT, 1, "Why?", "c-1")
    assert (entry.speaker, entry.kind) == (Speaker.CUSTOMER, Kind.MESSAGE)
    assert entry.data == draft.data
    assert await chat.entry(entry.id) == entry
    assert list(await chat.after(CHAT)) == [entry]


async def test_data_is_returned_as_it_will_be_read(chat):
    entry = await chat.append(replies(None, data={"pair": (1, 2), "kind": Kind.NOTICE, "escaped": "\\u0000 is no NUL"}))
    assert entry.data == {"pair": [1, 2], "kind": "notice", "escaped": "\\u0000 is no NUL"}
    assert (await chat.entry(entry.id)) == entry


async def test_numbers_count_from_one_without_gaps_also_for_appends_at_once(chat):
    await chat.open(OTHER, ANA)
    drafts = [asks(str(n), conversation=chat_id) for n in range(60) for chat_id in (CHAT, OTHER)]
    returned = await asyncio.gather(*map(chat.append, drafts))
    for conversation in (CHAT, OTHER):
        stored = await chat.after(conversation)
        assert [entry.seq for entry in stored] == list(range(1, 61))
        assert [entry.text for entry in stored] == [str(n) for n in range(60)]
        assert list(stored) == [entry for entry in returned if entry.conversation == conversation]
        assert (await chat.conversation(conversation)).last_seq == 60


async def test_a_repeated_client_id_returns_the_first_entry(chat):
    first = await chat.append(asks(client_id="c-1"))
    assert await chat.append(asks(client_id="c-1", data={"tries": 2})) == first
    assert list(await chat.after(CHAT)) == [first]


async def test_the_same_client_id_five_times_at_once_is_one_entry(chat):
    returned = await asyncio.gather(*(chat.append(asks(client_id="c-1")) for _ in range(5)))
    assert len({entry.id for entry in returned}) == 1
    assert len(await chat.after(CHAT)) == 1


@pytest.mark.parametrize("changed", [{"text": "Something else"}, {"speaker": Speaker.AGENT}, {"kind": Kind.FEEDBACK}])
async def test_a_client_id_with_another_message_is_refused(chat, changed):
    first = await chat.append(asks(client_id="c-1"))
    with pytest.raises(ClientIdReused):
        await chat.append(asks(client_id="c-1", **changed))
    assert list(await chat.after(CHAT)) == [first]


async def test_a_client_id_counts_within_its_conversation_only(chat):
    await chat.open(OTHER, ANA)
    await chat.append(asks("here", "c-1"))
    assert (await chat.append(asks("there", "c-1", conversation=OTHER))).text == "there"


async def test_one_refused_draft_spoils_none_that_come_with_it(chat):
    await chat.append(asks("first", "c-1"))
    drafts = [asks("good"), asks("other words", "c-1"), asks("lost", conversation=OTHER), replies(99), asks("good too")]
    outcomes = await asyncio.gather(*map(chat.append, drafts), return_exceptions=True)
    refusals = [type(outcome) for outcome in outcomes]
    assert refusals == [Entry, ClientIdReused, ConversationUnknown, ValueError, Entry]
    assert [entry.text for entry in await chat.after(CHAT)] == ["first", "good", "good too"]


async def test_an_entry_is_answered_once(chat):
    asked = await chat.append(asks())
    first = await chat.append(replies(asked.seq))
    assert first.answers == asked.seq
    assert await chat.append(replies(asked.seq, "Another answer.", kind=Kind.NOTICE)) == first
    assert len(await chat.after(CHAT)) == 2


@pytest.mark.parametrize("answers", [-1, 0, 2, 3, 2**70])
async def test_only_an_earlier_entry_can_be_answered(chat, answers):
    await chat.append(asks())
    with pytest.raises(ValueError, match="names no entry"):
        await chat.append(replies(answers))


async def test_customers_messages_are_unanswered_until_something_answers_them(chat):
    asked = [await chat.append(asks(str(n))) for n in range(3)]
    await chat.append(asks("", kind=Kind.FEEDBACK))
    await chat.append(replies(None, "Welcome!"))
    assert list(await chat.unanswered()) == list(await chat.unanswered(CHAT)) == asked
    await chat.append(replies(asked[1].seq, kind=Kind.NOTICE, speaker=Speaker.SYSTEM))
    assert list(await chat.unanswered()) == list(await chat.unanswered(CHAT)) == [asked[0], asked[2]]


async def test_the_conversation_that_waits_longest_comes_first_and_keeps_together(chat):
    await chat.open(OTHER, BEN)
    a = await chat.append(asks("a", conversation=OTHER))
    b = await chat.append(asks("b"))
    c = await chat.append(asks("c", conversation=OTHER))
    assert list(await chat.unanswered()) == [a, c, b]
    assert list(await chat.unanswered(OTHER)) == [a, c]


@pytest.mark.parametrize("holder", [Holder.QUEUE, Holder.AGENT, Holder.CLOSED])
async def test_what_the_bot_does_not_hold_is_not_waiting_for_it(chat, store, holder):
    asked = await chat.append(asks())
    store.hold(CHAT, holder)
    assert not await chat.unanswered()
    assert not await chat.unanswered(CHAT)
    assert (await chat.conversation(CHAT)).holder is holder
    store.hold(CHAT, Holder.BOT)
    assert list(await chat.unanswered()) == [asked]


async def test_pages_run_forwards_and_backwards(chat):
    entries = [await chat.append(asks(str(n))) for n in range(10)]
    assert list(await chat.after(CHAT, 4)) == entries[4:]
    assert list(await chat.after(CHAT, 4, limit=3)) == entries[4:7]
    assert not await chat.after(CHAT, 10)
    assert not await chat.after(CHAT, 2**70)
    assert list(await chat.after(CHAT, -(2**70))) == entries
    assert list(await chat.before(CHAT, 8, 3)) == entries[4:7]
    assert list(await chat.before(CHAT, 3, 50)) == entries[:2]
    assert list(await chat.before(CHAT, 2**70, 2)) == entries[8:]
    assert not await chat.before(CHAT, 1, 5)
    assert not await chat.before(CHAT, -(2**70), 5)


async def test_the_title_is_the_first_message_of_the_customer_on_one_line(chat):
    await chat.append(replies(None, "Welcome, how can I help?"))
    await chat.append(asks("", kind=Kind.FEEDBACK))
    assert (await chat.conversation(CHAT)).title == ""
    await chat.append(asks("My bill\nwent up " + "x" * 200))
    await chat.append(asks("And my phone is dead"))
    assert (await chat.conversation(CHAT)).title == "My bill went up " + "x" * 64


async def test_a_customers_conversations_come_latest_first_and_only_with_entries(chat):
    for number in range(4):
        await chat.open(ConversationId(f"chat {number}"), ANA)
        await chat.append(asks(str(number), conversation=ConversationId(f"chat {number}")))
    await chat.open(OTHER, BEN)
    await chat.append(asks("mine", conversation=OTHER))
    await chat.append(asks("again", conversation=ConversationId("chat 1")))
    theirs = await chat.conversations(ANA)
    assert [each.id for each in theirs] == ["chat 1", "chat 3", "chat 2", "chat 0"]
    assert theirs[0].last_seq == 2
    assert theirs[0].updated > theirs[0].started
    assert [each.id for each in await chat.conversations(ANA, limit=2, offset=1)] == ["chat 3", "chat 2"]
    assert [each.id for each in await chat.conversations(BEN)] == [OTHER]
    assert not await chat.conversations(CustomerId("nobody"))


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "a\ud83d", "\udc00", "x\udfff\ud800"])
async def test_text_that_no_database_takes_is_refused(chat, text):
    for draft in (
        asks(text),
        asks("fine", f"id {text}"),
        asks("fine", data={"deep": [{"key": text}]}),
        asks(data={text: 1}),
    ):
        with pytest.raises(MessageUnreadable):
            await chat.append(draft)
    assert not await chat.after(CHAT)
    assert not await chat.conversations(CustomerId(text))
    assert await chat.conversation(ConversationId(text)) is None
    assert await chat.entry(EntryId(text)) is None
    assert not await chat.unanswered(ConversationId(text))
    with pytest.raises(MessageUnreadable):
        await chat.open(ConversationId(text), ANA)
    with pytest.raises(MessageUnreadable):
        await chat.open(OTHER, CustomerId(text))
    with pytest.raises(ConversationUnknown):
        await chat.append(asks(conversation=ConversationId(text)))


async def test_an_id_of_over_200_characters_is_refused(chat):
    await chat.append(asks(client_id="i" * 200))
    with pytest.raises(MessageUnreadable):
        await chat.append(asks(client_id="i" * 201))
    with pytest.raises(MessageUnreadable):
        await chat.open(ConversationId("c" * 201), ANA)


@pytest.mark.parametrize("data", [{"at": datetime.now(UTC)}, {"score": float("nan")}])
async def test_data_that_is_not_json_is_a_callers_mistake(chat, data):
    with pytest.raises((TypeError, ValueError)):
        await chat.append(replies(None, data=data))
    assert not await chat.after(CHAT)


async def test_awkward_text_comes_back_as_it_was(chat):
    texts = [
        "",
        "'; DROP TABLE entries; --",
        "%s :text ?",
        "\u202eright to left",
        "\x01\x1f",
        "\U0010ffff\ufffe",
        "x" * 1_000_000,
    ]
    for text in texts:
        await chat.append(asks(text, data={"text": text}))
    stored = await chat.after(CHAT)
    assert [entry.text for entry in stored] == texts
    assert [entry.data["text"] for entry in stored] == texts


async def test_a_follower_sees_what_was_and_what_comes(chat):
    before = [await chat.append(asks(str(n))) for n in range(3)]
    follower = asyncio.create_task(take(chat, 6, seq=1))
    after = [await chat.append(asks(str(n))) for n in range(3, 7)]
    assert await follower == before[1:] + after


async def test_followers_that_start_at_any_moment_miss_nothing_and_see_nothing_twice(chat):
    followers: list[asyncio.Task[list[Entry]]] = []
    for burst in range(20):
        writing = asyncio.gather(*(chat.append(asks(f"{burst}.{n}")) for n in range(10)))
        followers.append(asyncio.create_task(take(chat, 200)))
        await writing
    stored = list(await chat.after(CHAT))
    assert len(stored) == 200
    assert all(seen == stored for seen in await asyncio.gather(*followers))


async def test_a_slow_follower_misses_nothing(chat):
    entries = chat.follow(CHAT)
    async with aclosing(entries), asyncio.timeout(60):
        await chat.append(asks("0"))
        seen = [await anext(entries)]
        await asyncio.gather(*(chat.append(asks(str(n))) for n in range(1, 1200)))
        while len(seen) < 1200:
            seen.append(await anext(entries))
    assert [entry.seq for entry in seen] == list(range(1, 1201))


async def test_a_follower_of_a_conversation_that_is_not_there_yet_sees_it_begin(log):
    follower = asyncio.create_task(take(log, 1))
    await asyncio.sleep(0)
    await log.open(CHAT, ANA)
    entry = await log.append(asks())
    assert await follower == [entry]


async def test_an_append_whose_caller_is_gone_hurts_nobody_and_reaches_the_followers(chat):
    follower = asyncio.create_task(take(chat, 21))
    gone = [asyncio.create_task(chat.append(asks(f"gone {n}"))) for n in range(20)]
    staying = [asyncio.create_task(chat.append(asks(f"stays {n}"))) for n in range(20)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    stayed = await asyncio.gather(*staying)
    await asyncio.gather(*gone, return_exceptions=True)
    last = await chat.append(asks("last"))
    stored = list(await chat.after(CHAT))
    assert [entry.seq for entry in stored] == list(range(1, last.seq + 1))
    assert [entry for entry in stored if entry.text.startswith("stays")] == stayed
    assert (await follower) == stored[:21]


async def test_closing_ends_the_followers_and_refuses_what_comes_after(chat):
    entries = chat.follow(CHAT)
    first = await chat.append(asks("first"))
    assert await anext(entries) == first
    waiting = asyncio.create_task(anext(entries, None))
    await asyncio.sleep(0)
    await chat.close()
    async with asyncio.timeout(60):
        assert await waiting is None
    for call in (chat.append(asks()), chat.after(CHAT), chat.open(OTHER, ANA), chat.unanswered()):
        with pytest.raises(LogUnavailable):
            await call
    await chat.close()


async def test_the_latest_replies_are_those_of_all_conversations_latest_first_page_by_page(chat):
    await chat.open(OTHER, BEN)
    said = []
    for conversation in (CHAT, OTHER, CHAT):
        asked = await chat.append(asks(conversation=conversation))
        said.append(await chat.append(replies(asked.seq, conversation=conversation, data={"outcome": "answered"})))
    await chat.append(replies(None, "An agent's words settle nothing."))
    page = await chat.latest_replies(2)
    assert [entry.id for entry in page] == [said[2].id, said[1].id]
    assert page[0].data == {"outcome": "answered"}
    assert [entry.id for entry in await chat.latest_replies(2, page[-1])] == [said[0].id]
    assert not await chat.latest_replies(2, said[0])
