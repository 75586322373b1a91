"""Two processes, one conversation: order kept, one reply each, and what a killed process leaves is taken up."""

import asyncio
import subprocess
import sys

from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.settings import Settings
from bot.sql.log import open_log
from bot.state import open_state
from bot.turns import InOrder
from tests.server import ROOT

CHAT, ANN = ConversationId("chat"), CustomerId("ann")
MESSAGES = 100


def start(*command: object) -> "subprocess.Popen[str]":
    command = [sys.executable, *map(str, command)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def test_messages_of_two_processes_in_turn_are_answered_in_order_and_once_each(tmp_path):
    children = [start("-m", "tests.state.alternating", tmp_path, which, MESSAGES) for which in (0, 1)]
    outputs = [await asyncio.to_thread(child.communicate) for child in children]
    told = [output.split() for output, _ in outputs]
    assert [child.returncode for child in children] == [0, 0]
    assert [words[0] for words in told] == ["shared", "shared"]
    log = open_log(None, tmp_path)
    entries = await log.after(CHAT)
    await log.close()
    asked = [entry for entry in entries if entry.speaker is Speaker.CUSTOMER]
    replies = [entry for entry in entries if entry.answers is not None]
    assert [entry.text for entry in asked] == [str(number) for number in range(MESSAGES)]
    assert [reply.answers for reply in replies] == [entry.seq for entry in asked]
    taken = sorted(int(word) for words in told for word in words[1:])
    assert taken == [entry.seq for entry in asked]  # no turn was taken twice
    assert [entry.seq for entry in entries] == list(range(1, 2 * MESSAGES + 1))


# Takes a message's turn, says so, and never comes to its end.
HANGING = """
import asyncio, sys
from pathlib import Path
from bot.domain import ConversationId, CustomerId, Draft, Kind, Speaker
from bot.settings import Settings
from bot.sql.log import open_log
from bot.state import open_state
from bot.turns import InOrder

async def main(folder):
    settings = Settings(_env_file=None, data_dir=Path(folder))
    log, state = open_log(None, settings.data_dir), await open_state(settings)
    await log.open(ConversationId("chat"), CustomerId("ann"))
    chat = ConversationId("chat")
    asked = await log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="first"))
    async with InOrder(state.bus, log, print, lease_seconds=1.0).upto(asked):
        print("held", flush=True)
        await asyncio.sleep(1000)

asyncio.run(main(sys.argv[1]))
"""


async def test_the_message_of_a_killed_process_is_answered_by_another_before_its_own(tmp_path):
    child = start("-c", HANGING, tmp_path)
    assert child.stdout
    while (await asyncio.to_thread(child.stdout.readline)).strip() != "held":
        assert child.poll() is None
    settings = Settings(_env_file=None, data_dir=tmp_path)
    log, state = open_log(None, tmp_path), await open_state(settings)
    asked = await log.append(Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text="second"))
    assert await state.bus.acquire(CHAT) is None  # it is held
    child.kill()
    await asyncio.to_thread(child.communicate)
    stale: list[ConversationId] = []
    async with asyncio.timeout(60), InOrder(state.bus, log, stale.append).upto(asked) as waiting:
        assert [entry.text for entry in waiting] == ["first", "second"]
    assert stale == [CHAT]
    await state.close()
    await log.close()
