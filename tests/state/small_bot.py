"""A small bot: accepts, answers in order, remembers; what one process of the product is to the server and the log."""

from bot.domain import ConversationId, CustomerId, Draft, Entry, Kind, Outcome, Speaker
from bot.log import ConversationLog
from bot.memory import CachedMemory
from bot.recollection import recollect
from bot.seal import Seal
from bot.settings import Settings
from bot.turns import InOrder
from bot.valkey.bus import ServerBus
from bot.valkey.cells import ServerCells
from bot.valkey.server import Server

ORDER = "LF-204815"
SETTINGS = Settings(_env_file=None, max_conversation_history=400)


class SmallBot:
    """Its replies end with True where it knows the customer's order number."""

    def __init__(self, log: ConversationLog, url: str) -> None:
        self.log = log
        self.server = Server(url, "Redis")
        self.bus = ServerBus(self.server)
        self.memory = CachedMemory(ServerCells(self.server), Seal([b"k" * 32]), log, SETTINGS)
        self._in_order = InOrder(self.bus, log, lambda _: None)

    async def say(self, chat: ConversationId, text: str) -> Entry:
        """A customer's message, once it is answered."""
        await self.log.open(chat, CustomerId(chat))
        asked = await self.log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text))
        async with self._in_order.upto(asked) as waiting:
            for entry in waiting:
                await self._answer(entry)
        await self.bus.wake(chat, asked.seq)
        return asked

    async def _answer(self, asked: Entry) -> None:
        recalled = await self.memory.recall(asked, ())
        knows = ORDER in recollect(recalled, asked, SETTINGS.max_conversation_history).summary
        draft = Draft(
            conversation=asked.conversation,
            speaker=Speaker.BOT,
            kind=Kind.MESSAGE,
            text=f"{asked.text}: {knows}",
            data={"outcome": Outcome.ANSWERED},
            answers=asked.seq,
        )
        await self.memory.remember(recalled, [asked, await self.log.append(draft)])

    async def close(self) -> None:
        """Let go of the server; the log is its owner's."""
        await self.bus.close()
        await self.server.close()
