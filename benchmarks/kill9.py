"""Kill -9 under load: the real server is killed at random moments while customers ask, and no promise may be broken."""

import asyncio
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.crowd import Customer
from benchmarks.history import Event, History, Log, Verdict, What, check_history
from benchmarks.report import Goal, Result
from benchmarks.servers import NO_LIMITS
from bot.domain import CustomerId
from bot.sql.log import open_log
from tests.chat_client import open_http
from tests.server import Server

CUSTOMERS, KILLS = 60, 20
SHORTEST_LIFE, LONGEST_LIFE = 0.05, 4.0
"""Seconds between the moment the server answers and its death."""
START_SECONDS = SETTLING_SECONDS = 300.0
LOOK_SECONDS = 0.05
SEED = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Siege:
    """How many customers ask, how often the server is killed, and the seed of the moments.

    With `between`, each moment waits until every customer is connected again and so many messages were acknowledged.
    """

    customers: int = CUSTOMERS
    kills: int = KILLS
    longest_life: float = LONGEST_LIFE
    seed: int = SEED
    between: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the checker says, who still waited when the time was over, and the seconds until the server was back."""

    verdict: Verdict
    waiting: Sequence[str]
    back_seconds: Sequence[float]

    @property
    def violations(self) -> list[str]:
        """Everything that was broken, a sentence each; nothing when all promises were kept."""
        found = [f"{what}: {one}" for what, many in self.verdict.violations.items() for one in many]
        return [*found, *(f"{name} never saw the last replies" for name in self.waiting)]


def run(*, quick: bool = False) -> Result:
    """The long version, or with `quick` a short one; the data and the history stay on disk if something is wrong."""
    siege = Siege(customers=10, kills=2) if quick else Siege()
    folder = Path(mkdtemp(prefix="frontdesk-kill9-"))
    outcome = asyncio.run(besiege(folder, siege))
    if outcome.violations:
        print(f"  the history and the data are in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return Result(
        name="kill9",
        rows=[{"what": what, "number": number} for what, number in outcome.verdict.counts.items()],
        goals=[
            *(Goal(what=what, figure=len(found), limit=0) for what, found in outcome.verdict.violations.items()),
            Goal(what="customers who never saw the last replies", figure=len(outcome.waiting), limit=0),
            Goal(what="longest time until it answers again, s", figure=round(max(outcome.back_seconds), 1), limit=60),
        ],
        remarks=outcome.violations[:20],
        details={"back_seconds": outcome.back_seconds, "violations": outcome.violations},
    )


async def besiege(folder: Path, siege: Siege) -> Outcome:
    """Let customers ask while the server is killed and started, let them finish, then compare with the log."""
    server = Server(folder / "data", env=NO_LIMITS)
    with History(folder / "history.jsonl") as history:
        await asyncio.to_thread(_start, server)
        try:
            async with open_http() as http:
                customers = [Customer(f"customer {n}", server.address, http, history) for n in range(siege.customers)]
                async with _asking(customers) as asking:
                    back_seconds = await _kill_and_start(server, siege, history)
                    for customer in customers:
                        customer.finishing = True
                    done, late = await asyncio.wait(asking, timeout=SETTLING_SECONDS)
                    for task in done:
                        task.result()
        finally:
            await asyncio.to_thread(server.stop)
    log = await read_log(folder / "data", [customer.identity for customer in customers])
    waiting = [asking[task].name for task in late]
    return Outcome(verdict=check_history(history.events, log), waiting=waiting, back_seconds=back_seconds)


@asynccontextmanager
async def _asking(customers: Sequence[Customer]) -> AsyncIterator[dict[asyncio.Task[None], Customer]]:
    """The customers, each asking in a task of its own, and none left behind."""
    asking = {asyncio.create_task(customer.keep_asking()): customer for customer in customers}
    try:
        yield asking
    finally:
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)


async def _kill_and_start(server: Server, siege: Siege, history: History) -> list[float]:
    """Kill at seeded random moments; returns the seconds from each kill until the server answers again."""
    chance = random.Random(siege.seed)
    back_seconds = []
    for _ in range(siege.kills):
        since = len(history.events)
        while siege.between and not _is_lively(history.events[since:], siege):  # noqa: ASYNC110  the history has no bell
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(chance.uniform(SHORTEST_LIFE, siege.longest_life))
        killed = time.monotonic()
        server.kill()
        history.note(What.KILLED)
        await asyncio.to_thread(_start, server)
        back_seconds.append(round(time.monotonic() - killed, 1))
    await asyncio.sleep(siege.longest_life)
    return back_seconds


def _is_lively(events: Sequence[Event], siege: Siege) -> bool:
    connected = {event.customer for event in events if event.what is What.CONNECTED}
    acknowledged = sum(event.what is What.ACKNOWLEDGED for event in events)
    return len(connected) == siege.customers and acknowledged >= siege.between


def _start(server: Server) -> None:
    server.start(wait=False)
    server.wait_ready(START_SECONDS)


async def read_log(data_dir: Path, customers: Sequence[str]) -> Log:
    """Every conversation of these customers, read as any view reads it."""
    log = open_log(None, data_dir)
    try:
        found = [one for customer in customers for one in await log.conversations(CustomerId(customer), 100_000)]
        return {one.id: await log.after(one.id, 0, 1_000_000) for one in found}
    finally:
        await log.close()
