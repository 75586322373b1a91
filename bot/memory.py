"""Session memory: what a turn knows of its conversation. A cache of the log, which tells it again when it is gone."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from bot.bus import place_of
from bot.cells import Cells
from bot.domain import ConversationId, Entry
from bot.errors import LogUnavailable, SealBroken, StoreUnavailable
from bot.facts import load_facts
from bot.log import ConversationLog
from bot.remembering import Memory, Rememberer
from bot.seal import Seal
from bot.settings import Settings

logger = logging.getLogger(__name__)

PAGE = 500
AT_ONCE = 20
"""Entries taken in without a pause, about 5 ms."""
LOOKS_BACK = 5000
"""Entries that a memory is rebuilt from at most: the latest."""
SHARE_OF_TURN = 0.25
"""Share of a turn's time that rebuilding may take; then the turn goes by the entries it has at hand."""
_AS_JSON: TypeAdapter[Memory] = TypeAdapter(Memory)


class SessionMemory(Protocol):
    """What a turn knows of its conversation. No method raises because a store is away."""

    async def recall(self, asked: Entry, earlier: Sequence[Entry]) -> Memory:
        """The memory up to the entry before `asked` at least; `earlier` are the entries before it that are at hand."""
        ...

    async def remember(self, memory: Memory, entries: Sequence[Entry]) -> Memory:
        """Keep a memory with the entries that came since: the question and its reply."""
        ...

    async def tell(self, conversation: ConversationId, told: str, upto: int) -> None:
        """Put a model's words for what fell out up to that entry into what is kept; nothing where nothing is kept."""
        ...

    async def forget(self, conversation: ConversationId) -> bool:
        """Keep nothing of it; False when the store is away, and then it is gone after `SESSION_TIMEOUT` at the latest."""
        ...

    async def scrub(self) -> bool:
        """Take what was forgotten out of our own files; False when that failed, and then it is there still, but sealed."""
        ...


class CachedMemory:
    """A SessionMemory kept sealed in cells."""

    def __init__(self, cells: Cells, seal: Seal, log: ConversationLog, settings: Settings) -> None:
        self._cells, self._seal, self._log = cells, seal, log
        self._seconds = settings.session_timeout
        self._rebuilding_seconds = SHARE_OF_TURN * settings.turn_seconds
        self._rememberer = Rememberer(load_facts(), settings.max_conversation_history)

    async def recall(self, asked: Entry, earlier: Sequence[Entry]) -> Memory:
        """See SessionMemory."""
        kept = await self._read(asked.conversation)
        memory = self._rememberer.fold(kept or Memory(conversation=asked.conversation), earlier)
        if memory.seq >= asked.seq - 1:
            return memory
        try:
            async with asyncio.timeout(self._rebuilding_seconds):
                return await self._caught_up(memory, asked)
        except (TimeoutError, LogUnavailable) as failure:
            logger.warning("conversation %s: only its last entries are known: %r", asked.conversation, failure)
            return self._at_hand(asked, earlier)

    async def remember(self, memory: Memory, entries: Sequence[Entry]) -> Memory:
        """See SessionMemory."""
        after = self._rememberer.fold(memory, entries)
        await self._keep(after)
        return after

    async def tell(self, conversation: ConversationId, told: str, upto: int) -> None:
        """See SessionMemory."""
        kept = await self._read(conversation)
        if kept and kept.told_to < upto:
            await self._keep(replace(kept, told=told, told_to=upto))

    async def forget(self, conversation: ConversationId) -> bool:
        """See SessionMemory."""
        try:
            await self._cells.drop(place_of("memory", conversation))
        except StoreUnavailable:
            return False
        return True

    async def scrub(self) -> bool:
        """See SessionMemory."""
        try:
            await self._cells.scrub()
        except StoreUnavailable as failure:
            logger.warning("what was forgotten is still in a file, sealed: %s", failure)
            return False
        return True

    async def _keep(self, memory: Memory) -> None:
        place = place_of("memory", memory.conversation)
        sealed = self._seal.close(_AS_JSON.dump_json(memory), place, memory.conversation)
        try:
            await self._cells.put(place, sealed, self._seconds)
        except StoreUnavailable:
            logger.debug("conversation %s: the memory is not kept", memory.conversation)

    async def _read(self, conversation: ConversationId) -> Memory | None:
        """What is kept; None when there is nothing, or nothing that can be used."""
        place = place_of("memory", conversation)
        try:
            sealed = await self._cells.get(place)
            return _AS_JSON.validate_json(self._seal.open(sealed, place, conversation)) if sealed else None
        except StoreUnavailable:
            return None
        except SealBroken as broken:
            logger.warning("conversation %s: its memory is rebuilt: %s", conversation, broken)
        except ValidationError:
            logger.warning("conversation %s: its memory is rebuilt: it has the shape of another version", conversation)
        return None

    async def _caught_up(self, memory: Memory, asked: Entry) -> Memory:
        """The memory with what the log has more than it."""
        if asked.seq - memory.seq > LOOKS_BACK:
            memory = Memory(conversation=asked.conversation, seq=asked.seq - LOOKS_BACK)
        while memory.seq < asked.seq - 1:
            page = await self._log.after(asked.conversation, memory.seq, min(PAGE, asked.seq - 1 - memory.seq))
            if not page or page[0].seq != memory.seq + 1:
                raise LogUnavailable(f"conversation {asked.conversation} has no entry {memory.seq + 1}")
            for start in range(0, len(page), AT_ONCE):
                memory = self._rememberer.fold(memory, page[start : start + AT_ONCE])
                await asyncio.sleep(0)  # while a long conversation is read, others' turns go on
        return memory

    def _at_hand(self, asked: Entry, earlier: Sequence[Entry]) -> Memory:
        begin = earlier[0].seq - 1 if earlier else asked.seq - 1
        return self._rememberer.fold(Memory(conversation=asked.conversation, seq=begin), earlier)


class NoMemory:
    """A SessionMemory that knows what is at hand and keeps nothing: for replays and tests."""

    def __init__(self, settings: Settings) -> None:
        self._rememberer = Rememberer(load_facts(), settings.max_conversation_history)

    async def recall(self, asked: Entry, earlier: Sequence[Entry]) -> Memory:
        """See SessionMemory."""
        begin = earlier[0].seq - 1 if earlier else asked.seq - 1
        return self._rememberer.fold(Memory(conversation=asked.conversation, seq=begin), earlier)

    async def remember(self, memory: Memory, entries: Sequence[Entry]) -> Memory:
        """See SessionMemory."""
        return self._rememberer.fold(memory, entries)

    async def tell(self, conversation: ConversationId, told: str, upto: int) -> None:
        """See SessionMemory."""

    async def forget(self, conversation: ConversationId) -> bool:
        """See SessionMemory."""
        return True

    async def scrub(self) -> bool:
        """See SessionMemory."""
        return True
