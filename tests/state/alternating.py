"""Sends every second message of a conversation, each after the other process's last, and answers what is to be answered.

Usage: python -m tests.state.alternating FOLDER WHICH MESSAGES; prints whether it shared the server, and the turns it took.
"""

import asyncio
import sys
from pathlib import Path

from bot.domain import ConversationId, CustomerId, Draft, Entry, Kind, Speaker
from bot.log import ConversationLog
from bot.settings import Settings
from bot.sql.log import open_log
from bot.state import open_state
from bot.turns import InOrder

PATIENCE_SECONDS = 10.0
"""So that a machine that is slow for a moment is not taken for a server that is away."""
CHAT, ANN = ConversationId("chat"), CustomerId("ann")


async def main(folder: Path, which: int, messages: int) -> None:
    settings = Settings(_env_file=None, data_dir=folder)
    log, state = open_log(None, folder), await open_state(settings, PATIENCE_SECONDS)
    stale: set[ConversationId] = set()
    taken: list[int] = []
    in_order = InOrder(state.bus, log, stale.add)
    await log.open(CHAT, ANN)

    async def take(asked: Entry) -> None:
        async with in_order.upto(asked) as waiting:
            for entry in waiting:
                taken.append(entry.seq)
                await asyncio.sleep(0.001 * (entry.seq % 4))
                await say(log, Speaker.BOT, f"{which} answers {entry.text}", entry.seq)

    turns = []
    for number in range(which, messages, 2):
        while number and not await is_said(log, str(number - 1)):  # noqa: ASYNC110  (another process says it)
            await asyncio.sleep(0.002)
        turns.append(asyncio.create_task(take(await say(log, Speaker.CUSTOMER, str(number)))))
    await asyncio.gather(*turns)
    shared = state.status.kind == "embedded" and stale
    print("shared" if shared else "alone", *taken)  # noqa: T201
    await state.close()
    await log.close()


async def say(log: ConversationLog, speaker: Speaker, text: str, answers: int | None = None) -> Entry:
    return await log.append(Draft(conversation=CHAT, speaker=speaker, kind=Kind.MESSAGE, text=text, answers=answers))


async def is_said(log: ConversationLog, text: str) -> bool:
    held = await log.conversation(CHAT)
    return held is not None and any(entry.text == text for entry in await log.before(CHAT, held.last_seq + 1, 20))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
