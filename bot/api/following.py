"""What happens in a conversation, as it happens: the log's entries, and the sentences of the reply that is being written."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from bot.bot import Bot
from bot.domain import ConversationId, Entry, Holder, Speaker
from bot.ending import end

SLACK_SECONDS = 3.0
"""What a turn may take beyond its deadline until it is settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """More of the reply to message `answers`: `text` is all of it so far, `sentence` what is new.

    With `replaces` the reply was begun anew: what was shown of it is to be taken back.
    """

    answers: int
    sentence: str
    text: str
    replaces: bool


class Following:
    """Follows one conversation from an entry on; `events` ends when the log is closed."""

    def __init__(self, bot: Bot, conversation: ConversationId, seq: int) -> None:
        self._bot, self._conversation, self._seq = bot, conversation, seq
        self._events: asyncio.Queue[Entry | Sentence | Exception | None] = asyncio.Queue()
        self._shown: dict[int, str] = {}
        self._settled = 0

    async def events(self) -> AsyncGenerator[Entry | Sentence, None]:
        """Entries and sentences in order; no sentence comes after the entry that settles its message."""
        unwatch = self._bot.live.watch(self._conversation, self._hear)
        reading = asyncio.create_task(self._read())
        try:
            while (event := await self._events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, Entry) and (settled := _settled_by(event)):
                    self._settled = max(self._settled, settled)
                    self._shown.clear()
                if isinstance(event, Entry) or event.answers > self._settled:
                    yield event
        finally:
            unwatch()
            await end(reading)

    async def _read(self) -> None:
        try:
            async with aclosing(self._bot.log.follow(self._conversation, self._seq)) as entries:
                async for entry in entries:
                    self._events.put_nowait(entry)
        except Exception as error:  # noqa: BLE001  whatever it is, it is raised where the events are awaited
            self._events.put_nowait(error)
        else:
            self._events.put_nowait(None)

    def _hear(self, answers: int, text: str) -> None:
        before = self._shown.get(answers, "")
        if not text or text == before:
            return
        goes_on = text.startswith(before)
        self._shown[answers] = text
        new = text[len(before) :] if goes_on else text
        self._events.put_nowait(Sentence(answers=answers, sentence=new, text=text, replaces=not goes_on))


def _settled_by(entry: Entry) -> int | None:
    """The last message that nothing more is written about once this entry is there; a takeover settles all."""
    if "holder" not in entry.data:
        return entry.answers
    return entry.seq - (entry.speaker is Speaker.CUSTOMER)  # who takes the chat back to the assistant waits for its reply


async def wait_for_reply(bot: Bot, asked: Entry, seconds: float) -> Entry | None:
    """The entry that settles a message, or None if it does not come in time."""
    try:
        async with asyncio.timeout(seconds), aclosing(bot.log.follow(asked.conversation, asked.seq)) as entries:
            async for entry in entries:
                if entry.answers == asked.seq:
                    return entry
    except TimeoutError:
        return None
    return None


async def events_of_turn(bot: Bot, asked: Entry, seconds: float) -> AsyncIterator[Entry | Sentence]:
    """The sentences of the reply to a message, then its entry; ends early without one when it does not come in time."""
    try:
        async with asyncio.timeout(seconds), aclosing(Following(bot, asked.conversation, asked.seq).events()) as events:
            async for event in events:
                if isinstance(event, Sentence) and event.answers == asked.seq:
                    yield event
                if isinstance(event, Entry) and event.answers == asked.seq:
                    yield event
                    return
    except TimeoutError:
        return


async def holder_of(bot: Bot, conversation: ConversationId) -> Holder:
    """Who holds a conversation now."""
    found = await bot.log.conversation(conversation)
    return found.holder if found else Holder.BOT


def patience(bot: Bot) -> float:
    """How long a message may wait for its reply, in seconds: those before it in the line have their turns first."""
    return bot.settings.turn_seconds + SLACK_SECONDS
