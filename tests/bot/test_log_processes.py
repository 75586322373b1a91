"""The log among processes: several that write one conversation, and one that is killed while it writes."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.log import ConversationLog
from bot.sql.log import open_log

ROOT = Path(__file__).parents[2]
CHAT, ANA = ConversationId("chat"), CustomerId("ana")
# Appends so many messages, some at once and some one after the other, and prints the number of each that is acknowledged.
CHILD = """
import asyncio, sys
from pathlib import Path
from bot.domain import ClientId, ConversationId, CustomerId, Draft, Kind, Speaker
from bot.sql.log import open_log

async def main(url, folder, name, count, at_once):
    log = open_log(url or None, Path(folder))
    await log.open(ConversationId("chat"), CustomerId("ana"))
    async def append(number):
        entry = await log.append(Draft(
            conversation=ConversationId("chat"), speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE,
            text=f"{name} {number}", client_id=ClientId(f"{name}-{number}"),
        ))
        print(entry.seq, entry.text, flush=True)
    for start in range(0, int(count), int(at_once)):
        await asyncio.gather(*(append(number) for number in range(start, start + int(at_once))))
    await log.close()

asyncio.run(main(*sys.argv[1:]))
"""


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str | None:
    """The address of each real store in turn; None is the file in the folder."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_schema")


@pytest.fixture
def start(url: str | None, tmp_path: Path) -> Start:
    """Starts a process that appends."""

    def start(name: str, count: int, at_once: int) -> "subprocess.Popen[str]":
        arguments = [url or "", str(tmp_path), name, str(count), str(at_once)]
        return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    return start


def acknowledged(output: str) -> dict[int, str]:
    """The numbers and texts that a process printed; a line that was cut short does not count."""
    lines = [line.rstrip("\n").partition(" ") for line in output.splitlines(keepends=True) if line.endswith("\n")]
    return {int(seq): text for seq, _, text in lines}


async def test_four_processes_that_start_together_share_one_conversation_without_gap_or_double(url, tmp_path, start):
    processes = [start(name, 200, 5) for name in "abcd"]
    outputs = [await asyncio.to_thread(process.communicate) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    log = open_log(url, tmp_path)
    stored = {entry.seq: entry.text for entry in await log.after(CHAT)}
    await log.close()
    assert list(stored) == list(range(1, 801))
    told: dict[int, str] = {}
    for output, _ in outputs:
        told |= acknowledged(output)
    assert told == stored


async def test_a_repeat_in_another_process_at_the_same_time_returns_the_first_entry(url, tmp_path, start):
    processes = [start("same", 50, 10) for _ in range(2)]
    outputs = [await asyncio.to_thread(process.communicate) for process in processes]
    assert acknowledged(outputs[0][0]) == acknowledged(outputs[1][0])
    log = open_log(url, tmp_path)
    assert len(await log.after(CHAT)) == 50
    await log.close()


async def test_followers_see_what_other_processes_append(url, tmp_path, start):
    log = open_log(url, tmp_path)
    mine = await append(log, "mine")
    entries = log.follow(CHAT)
    assert await anext(entries) == mine
    process = start("theirs", 20, 1)
    seen = [(await anext(entries)).text for _ in range(20)]
    assert seen == [f"theirs {number}" for number in range(20)]
    await asyncio.to_thread(process.communicate)
    other = open_log(url, tmp_path)
    await append(other, "another log's")
    async with asyncio.timeout(60):
        assert (await anext(entries)).text == "another log's"
    await other.close()
    await log.close()


async def append(log: ConversationLog, text: str):
    await log.open(CHAT, ANA)
    return await log.append(Draft(conversation=CHAT, speaker=Speaker.BOT, kind=Kind.MESSAGE, text=text))


def live_and_die(folder: Path, name: str, chance: random.Random) -> dict[int, str]:
    """What a process acknowledged before it was killed at some moment."""
    arguments = ["", str(folder), name, "1000000", chance.choice(["1", "40"])]
    process = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(chance.randint(1, 300))]
    process.kill()
    return acknowledged("".join(lines) + process.communicate()[0])


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_acknowledged_survives_kill_9(tmp_path, seed):
    chance = random.Random(seed)
    survivors = live_and_die(tmp_path, "first life", chance) | live_and_die(tmp_path, "second life", chance)
    log = open_log(None, tmp_path)
    stored = {entry.seq: entry.text for entry in await log.after(CHAT, limit=100_000)}
    assert list(stored) == list(range(1, len(stored) + 1))
    assert survivors.items() <= stored.items()
    assert len(set(stored.values())) == len(stored)
    assert (await append(log, "and it goes on")).seq == len(stored) + 1
    await log.close()
