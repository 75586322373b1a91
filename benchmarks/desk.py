"""The desk under race: `python -m benchmarks.desk`. Claims of two agents, takeovers of a bot that answers, in SQLite.

Prints a table: how often exactly one won, how often the bot spoke after a takeover, and how long a claim took.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from bot.desk.desk import Desk
from bot.desk.policy import read_policy
from bot.domain import AgentId, ConversationId, CustomerId, Draft, Held, Holder, Kind, Speaker
from bot.log import ConversationLog
from bot.sql.log import open_log
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.staff import Agent, Role

RACES = 1000
BOT, QUEUE = Held(holder=Holder.BOT), Held(holder=Holder.QUEUE)


def agent(id: str) -> Agent:
    """An agent with room for every chat."""
    return Agent(id=AgentId(id), name=id.title(), role=Role.AGENT, password_hash="", capacity=10**6)


async def ask(log: ConversationLog, number: int, **fields: object) -> ConversationId:
    """A conversation with one message."""
    chat = ConversationId(f"chat-{number}")
    await log.open(chat, CustomerId("ana"))
    await log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="help", **fields))
    return chat


async def race(desks: list[Desk], log: ConversationLog, number: int) -> tuple[bool, float]:
    """Whether exactly one of two claims won, and the seconds until both knew."""
    chat = await ask(log, number, moves_to=QUEUE)
    began = time.perf_counter()
    claims = [desk.claim(agent(name), chat) for desk, name in zip(desks, ("zoe", "max"), strict=True)]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    took = time.perf_counter() - began
    joined = [entry for entry in await log.after(chat) if entry.data.get("notice") == "joined"]
    return outcomes.count(None) == 1 and len(joined) == 1, took


async def take_over(desk: Desk, log: ConversationLog, number: int) -> bool:
    """Whether the bot said nothing after an agent took over while it was answering."""
    chat = await ask(log, number)
    reply = Draft(conversation=chat, speaker=Speaker.BOT, kind=Kind.MESSAGE, text="An answer", answers=1, only_if=BOT)

    async def answer() -> None:
        await asyncio.sleep(0.001 * (number % 4))
        await log.append(reply)

    await asyncio.gather(answer(), desk.claim(agent("zoe"), chat), return_exceptions=True)
    entries = await log.after(chat)
    taken = next(entry.seq for entry in entries if entry.data.get("notice") == "joined")
    return not any(entry.speaker is Speaker.BOT and entry.seq > taken for entry in entries)


async def measure(folder: Path) -> None:
    """Run both and print the table."""
    logs = [open_log(None, folder), open_log(None, folder)]
    store = open_store(None, folder)
    desks = [Desk(log, SqlStaff(store), read_policy()) for log in logs]
    races = [await race(desks, logs[0], number) for number in range(RACES)]
    silent = [await take_over(desks[0], logs[0], RACES + number) for number in range(RACES)]
    for log in logs:
        await log.close()
    await store.close()
    took = sorted(seconds for _, seconds in races)
    print("| what | n | result |\n|---|---|---|")
    print(f"| races of two agents on two logs, exactly one winner | {RACES} | {sum(won for won, _ in races)} |")
    print(f"| takeovers while the bot answers, no word of the bot after | {RACES} | {sum(silent)} |")
    median, p95 = (took[int(RACES * share)] * 1e3 for share in (0.5, 0.95))
    print(f"| both agents know, median and p95 | {RACES} | {median:.0f} ms, {p95:.0f} ms |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
