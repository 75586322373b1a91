"""A server for the tests of the API: the real log and flow, the echo bot of the web chat's tests, and a bot that writes.

`write a|b|c`: a reply of three sentences, each shown when it is written.
`clock`: the time at which it is shown.
`hold ID`: the conversation is that agent's from then on.
Staff: root (admin), dora (developer), ana (agent).
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter

from bot.api.application import api_router, build_seams
from bot.api.seams import A_PERSON, OnDuty
from bot.bot import Bot
from bot.desk.desk import Desk
from bot.desk.leaving import dismiss
from bot.desk.policy import read_policy
from bot.domain import AgentId, Draft, Entry, Held, Holder, Kind, Speaker
from bot.pages.health import health_router
from bot.settings import Settings
from bot.sql.log import open_log
from bot.sql.staff import SqlStaff
from bot.sql.store import Store, open_store
from bot.sql.tickets import SqlTickets
from bot.staff import Agent, Role, new_agent
from bot.state import open_state
from bot.webchat.chat import serve
from knowledge.document import Article, Contents, DocumentId, Found

PASSWORD = "correct horse battery"
CITATIONS = [
    {"number": 1, "document": "bills", "title": "Your bill", "heading": "Part months", "url": "/help/bills#p3", "quote": "Q"}
]


class NothingFound:
    """A search without articles."""

    version = "none"

    async def search(self, question: str, history: object = (), limit: int = 8) -> Found:
        return Found(passages=(), answerability=0.0, version="none")

    async def article(self, document: DocumentId) -> Article | None:
        return None

    async def contents(self) -> Contents:
        return Contents()


class EchoBot(Bot):
    """Answers with what it was told."""

    store: Store

    async def take_turn(self, asked: Entry) -> None:
        word, _, rest = asked.text.partition(" ")
        text, data = f"You said: {asked.text}", {"turn": {"secret": "TRACE-OF-THE-TURN"}}
        if word == "slow":
            await asyncio.sleep(float(rest))
        elif word == "crash":
            raise ZeroDivisionError("secret-of-the-inside")
        elif word == "cite":
            text, data = "By the day [1].", data | {"citations": CITATIONS}
        elif word == "clock":
            text = await self._write(asked, [f"{time.time()}"])
        elif word == "write":
            text = await self._write(asked, rest.split("|"))
        elif word == "hold":
            await self._reply(asked, "Here you are.", data, Held(holder=Holder.AGENT, agent=AgentId(rest)))
            return
        elif text.endswith(A_PERSON):
            data |= {"holder": "queue"}
            await self._reply(asked, "Of course.", data, Held(holder=Holder.QUEUE))
            return
        await self._reply(asked, text, data)

    async def _write(self, asked: Entry, sentences: Sequence[str]) -> str:
        shown = ""
        for sentence in sentences:
            shown += sentence
            self.live.show(asked.conversation, asked.seq, shown)
            await asyncio.sleep(0.02)
        return shown

    async def _reply(self, asked: Entry, text: str, data: dict[str, object], moves_to: Held | None = None) -> None:
        if moves_to:
            self._recent.forget(asked.conversation)
        await self.log.append(
            Draft(
                conversation=asked.conversation,
                speaker=Speaker.BOT,
                kind=Kind.MESSAGE,
                text=text,
                data=data,
                answers=asked.seq,
                moves_to=moves_to,
            )
        )
        self.live.end(asked.conversation)

    async def close(self) -> None:
        await super().close()
        await self.store.close()


class Duties:
    """Everybody is on until they say that they are not; who leaves leaves as at the real desk."""

    def __init__(self, bot: EchoBot) -> None:
        self.off: set[AgentId] = set()
        self._log, self._staff = bot.log, SqlStaff(bot.store)
        self._desk = Desk(bot.log, self._staff, read_policy(bot.settings.desk_file))

    async def on_duty(self) -> Sequence[OnDuty]:
        on = [AgentId("ana")]
        return [OnDuty(agent=a, name="Ana", state="available", chats=0, capacity=4) for a in on if a not in self.off]

    async def set_available(self, agent: AgentId, available: bool) -> None:
        (self.off.discard if available else self.off.add)(agent)

    async def dismiss(self, agent: Agent) -> int:
        return await dismiss(agent, self._log, self._desk, self._staff)


async def build_bot(settings: Settings) -> Bot:
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    bot = EchoBot(settings=settings, log=log, search=NothingFound(), state=await open_state(settings))
    bot.store = await asyncio.to_thread(open_store, settings.database_url, settings.data_dir)
    staff = SqlStaff(bot.store)
    for id, role in (("root", Role.ADMIN), ("dora", Role.DEVELOPER), ("ana", Role.AGENT)):
        if await staff.agent(AgentId(id)) is None:
            await staff.add(new_agent(id, id.capitalize(), PASSWORD, role))
    return bot


def api(bot: Bot) -> APIRouter:
    seams = build_seams(bot)
    return api_router(bot, replace(seams, staff=SqlStaff(bot.store), tickets=SqlTickets(bot.store), duty=Duties(bot)))


serve(build_bot, pages=[api, health_router])
