"""The desk live across two processes: `python -m benchmarks.desk_live [--chats 200] [--agents 20] [--redis URL]`.

Customers are on one server, agents on another, both on one DATA_DIR. Prints how long it takes from a customer's message to
the agents' lists, from an agent's words to the customer's page, and back. Needs the dev group.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.staff import new_agent
from tests.chat_client import ChatClient, open_http
from tests.desk.agent_client import AgentClient, Events
from tests.desk.conftest import let_in, write_policy
from tests.server import ROOT, Server


class Clock:
    """When what was said is seen: each text once."""

    def __init__(self) -> None:
        self.said: dict[str, float] = {}
        self.seen: dict[str, float] = {}

    def say(self, text: str) -> str:
        """Begin to wait for it."""
        self.said[text] = time.perf_counter()
        return text

    def see(self, shown: str) -> None:
        """It is there."""
        now = time.perf_counter()
        for text in [text for text in self.said if text not in self.seen and text in shown]:
            self.seen[text] = now

    def took(self) -> list[float]:
        """Milliseconds, sorted; what was never seen is missing."""
        return sorted((self.seen[text] - self.said[text]) * 1e3 for text in self.said if text in self.seen)


async def watch(events: Events, escalated: Clock, heard: Clock) -> None:
    """Read an agent's stream for ever."""

    def note(name: str, data: Any) -> bool:
        if name == "board":
            escalated.see(" ".join(html or "" for _, html in data["queue"]))
        elif name == "entry":
            heard.see(data["html"])
        events.seen.clear()
        return False

    while True:
        try:
            await events.until(note)
        except TimeoutError:
            continue


async def run(folder: Path, given: argparse.Namespace) -> None:
    """Start both servers, fill the desk, talk, print."""
    env = {"PYTHONPATH": str(ROOT), "LLM_PROVIDERS": "extractive"}
    env |= dict.fromkeys(("MESSAGES_PER_MINUTE", "VISITORS_PER_MINUTE"), "100000")
    env |= {"REDIS_URL": given.redis} if given.redis else {}
    env["DESK_FILE"] = str(write_policy(folder / "desk.yaml", ["00:00-24:00"]))
    data = folder / "data"
    with Server(data, app=given.app, env=env) as first, Server(data, app=given.app, env=env) as second:
        store = await asyncio.to_thread(open_store, None, data)
        ids = (f"agent-{number}" for number in range(given.agents))
        accounts = [new_agent(id, "Zoe Martin", "four words are enough", capacity=20) for id in ids]
        for account in accounts:
            await SqlStaff(store).add(account)
        await store.close()
        async with open_http() as http:
            staff = [let_in(AgentClient(second.address, http, account.id), second) for account in accounts]
            await talk(staff, [ChatClient(first.address, http) for _ in range(given.chats)])


async def talk(staff: list[AgentClient], pages: list[ChatClient]) -> None:
    """Escalate, claim, and say one thing each way in every chat."""
    escalated, heard, read = Clock(), Clock(), Clock()
    async with asyncio.TaskGroup() as group:
        watching = [group.create_task(open_and_watch(agent, escalated, heard)) for agent in staff]
        await asyncio.sleep(2)
        for page in pages:
            await page.sign_in()
            await page.connect()
            await page.send(escalated.say(f"I want to talk to a person. {uuid4().hex[:8]}"))
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        for number, page in enumerate(pages):
            await staff[number % len(staff)].act(page.conversation, "claim")
        await asyncio.sleep(2)
        for number, page in enumerate(pages):
            reading = group.create_task(read_page(page, read))
            await staff[number % len(staff)].act(page.conversation, "say", text=read.say(f"hello{uuid4().hex[:8]}"))
            await asyncio.sleep(0.7)  # longer than anybody polls, so that neither way hurries the other
            await page.send(heard.say(f"thanks{uuid4().hex[:8]}"))
            watching.append(reading)
        await asyncio.sleep(3)
        for task in watching:
            task.cancel()
    for page in pages:
        await page.close()
    clocks = {"escalation to the agents' lists": escalated, "agent's words to the customer": read}
    report(len(pages), clocks | {"customer's words to the agent": heard})


async def open_and_watch(agent: AgentClient, escalated: Clock, heard: Clock) -> None:
    """An agent's page that stays open."""
    async with agent.stream() as events:
        await watch(events, escalated, heard)


async def read_page(page: ChatClient, read: Clock) -> None:
    """A customer's page that stays open."""
    while True:
        step = await page.wait_for_event("new_message", seconds=3600)
        read.see(step["output"])


def report(chats: int, clocks: dict[str, Clock]) -> None:
    """The table."""
    print("| what | seen of n | median | p95 |\n|---|---|---|---|")
    for name, clock in clocks.items():
        took = clock.took() or [float("nan")]
        median, p95 = (took[int(len(took) * share)] for share in (0.5, 0.95))
        print(f"| {name} | {len(clock.seen)} of {chats} | {median:.0f} ms | {p95:.0f} ms |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--app", default="app.py")
    parser.add_argument("--redis", help="REDIS_URL of both servers; without it they look at the database twice a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), given))
