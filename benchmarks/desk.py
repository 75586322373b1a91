"""The desk under race: `python -m benchmarks.desk`. Claims of two agents, takeovers of a bot that answers, in SQLite.

Prints a table: how often exactly one won, how often the bot spoke after a takeover, and how long a claim took.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from bot.bot import Bot
from bot.desk.board import Board
from bot.desk.desk import Desk
from bot.desk.policy import read_policy
from bot.desk.watch import Watch
from bot.domain import AgentId, ConversationId, CustomerId, Draft, Held, Holder, Kind, Speaker
from bot.llm.breaker import BreakerRules
from bot.llm.failover import Failover
from bot.llm.members import Member
from bot.llm.scripted import ScriptedLLM
from bot.llm.stream import Text
from bot.log import ConversationLog
from bot.settings import Settings
from bot.sql.desk import SqlRoster
from bot.sql.log import SqlLog, open_log
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.staff import Agent, Role
from bot.writer import Writer
from tests.bot.test_writer import GOOD, PRICES, PROMPTS, OneArticle, says

RACES = 1000
PAUSE_SECONDS = 0.002
"""Between two words of the scripted model; takeovers come at every word of the answer in turn."""
QUEUE = Held(holder=Holder.QUEUE)


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


def open_bot(log: SqlLog) -> Bot:
    """A bot that writes word by word, a few milliseconds a word, and whose every sentence its article bears."""
    words = [moment for word in GOOD.split(" ") for moment in (Text(text=f"{word} "), PAUSE_SECONDS)]
    model = ScriptedLLM([[*words, *says("")]])
    settings = Settings(turn_seconds=60, messages_per_minute=10**6)
    failover = Failover([Member(model, BreakerRules(failures=99, open_seconds=1, longest_seconds=1))], prompts=PROMPTS)
    writer = Writer(failover, PROMPTS, PRICES, settings, log.accounts)
    return Bot(settings=settings, log=log, search=OneArticle(), writer=writer)


async def take_over(desk: Desk, bot: Bot, watch: Watch, number: int) -> tuple[bool, bool]:
    """Whether the reply was cut in flight, and whether nothing of the bot's was kept or shown after the takeover."""
    chat, shown = ConversationId(f"chat-{number}"), []
    bot.live.watch(chat, lambda _, text: shown.append(text))
    await bot.accept(chat, CustomerId("ana"), "what is the late fee?")
    await asyncio.sleep(PAUSE_SECONDS * (number % len(GOOD.split(" "))))
    await desk.claim(agent("zoe"), chat)
    await watch.look()
    before = len(shown)
    while bot._dispatch.busy(chat):  # noqa: ASYNC110
        await asyncio.sleep(PAUSE_SECONDS)
    entries = await bot.log.after(chat)
    taken = next(entry.seq for entry in entries if entry.data.get("notice") == "joined")
    said = [entry.seq for entry in entries if entry.speaker is Speaker.BOT]
    await desk.close(agent("zoe"), chat, "solved")
    return not said, len(shown) == before and all(seq < taken for seq in said)


async def measure(folder: Path) -> None:
    """Run both and print the table."""
    logs = [open_log(None, folder), open_log(None, folder)]
    store = open_store(None, folder)
    desks = [Desk(log, SqlStaff(store), read_policy()) for log in logs]
    bot = open_bot(logs[0])
    watch = Watch(logs[0], Board(logs[0]), SqlRoster(store), SqlStaff(store), read_policy())
    watch.on_taken = bot.cut
    taken = [await take_over(desks[0], bot, watch, RACES + number) for number in range(RACES)]
    races = [await race(desks, logs[0], number) for number in range(RACES)]
    await bot.close()
    for log in logs:
        await log.close()
    await store.close()
    took = sorted(seconds for _, seconds in races)
    print("| what | n | result |\n|---|---|---|")
    print(f"| races of two agents on two logs, exactly one winner | {RACES} | {sum(won for won, _ in races)} |")
    kept, cut = sum(is_silent for _, is_silent in taken), sum(is_cut for is_cut, _ in taken)
    print(f"| takeovers of a bot that streams its answer, no word of it kept or shown after | {RACES} | {kept} |")
    print(f"| of them in the middle of the answer, which was cut | {RACES} | {cut} |")
    median, p95 = (took[int(RACES * share)] * 1e3 for share in (0.5, 0.95))
    print(f"| both agents know, median and p95 | {RACES} | {median:.0f} ms, {p95:.0f} ms |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
