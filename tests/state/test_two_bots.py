"""Two bots on one log and one server: every message is answered once and in order, whichever bot it came to."""

import asyncio

from bot.between import Between
from bot.bot import Bot
from bot.bus import hold
from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.settings import Settings
from bot.sql.log import open_log
from bot.state import open_state
from tests.bot.readers import FeeSearch

CHAT, ANN = ConversationId("chat"), CustomerId("ann")
MESSAGES = 40


async def build(folder, waiting=MESSAGES):
    settings = Settings(data_dir=folder, messages_per_minute=1000, waiting_messages=waiting)
    log, state = open_log(None, folder, poll_seconds=60.0), await open_state(settings)
    bot = Bot(settings=settings, log=log, search=FeeSearch(), state=state, between=Between(state, log))
    await bot.start()
    return bot


async def test_messages_that_come_to_two_bots_in_turn_are_answered_once_each_and_in_order(tmp_path):
    bots = [await build(tmp_path), await build(tmp_path)]
    for number in range(MESSAGES):
        await bots[number % 2].accept(CHAT, ANN, f"what is the late fee? {number}")
    replies, seqs = [], []
    async with asyncio.timeout(60):
        async for entry in bots[0].log.follow(CHAT):  # it hears of the other's entries from the bus, not by looking
            seqs.append(entry.seq)
            replies += [entry.answers] if entry.answers else []
            if len(replies) == MESSAGES:
                break
    entries = await bots[1].log.after(CHAT)
    asked = [entry.seq for entry in entries if entry.speaker is Speaker.CUSTOMER]
    assert replies == asked
    assert seqs == [entry.seq for entry in entries] == list(range(1, 2 * MESSAGES + 1))
    for bot in bots:
        await bot.close()


async def test_a_line_that_the_other_bot_has_emptied_takes_the_next_message(tmp_path):
    bots = [await build(tmp_path), await build(tmp_path, waiting=2)]
    async with hold(bots[0].bus, CHAT, 60.0):  # the other bot answers this conversation just now
        asked = [await bots[1].accept(CHAT, ANN, f"what is the late fee? {number}") for number in range(2)]
        for entry in asked:
            draft = Draft(conversation=CHAT, speaker=Speaker.BOT, kind=Kind.MESSAGE, text="5", answers=entry.seq)
            await bots[0].log.append(draft)
        asked.append(await bots[1].accept(CHAT, ANN, "and when?"))
    async with asyncio.timeout(60):
        async for entry in bots[1].log.follow(CHAT):
            if entry.answers == asked[-1].seq:
                break
    for bot in bots:
        await bot.close()
