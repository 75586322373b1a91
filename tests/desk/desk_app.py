"""A server for the tests of the desk: the real log, flow, chat and desk; a bot that hands over when it reads `human`.

`danger` hands over as a crisis, `slow` thinks for two seconds first; anything else is answered from one article.
"""

import asyncio

from bot.backoffice.demo import DemoOffice
from bot.bot import Bot
from bot.clerk import Clerk
from bot.domain import Draft, Entry, Held, Holder, Kind, Speaker
from bot.pages.desk.part import DeskPart
from bot.pages.help import help_router
from bot.settings import Settings
from bot.sql.audit import SqlAudit
from bot.sql.log import open_log
from bot.sql.store import open_store
from bot.sql.tickets import SqlTickets
from bot.tools.catalogue import TOOLS
from bot.tools.errands import Errands
from bot.tools.other_errands import ERRANDS
from bot.tools.rate import LocalToolRate
from bot.tools.tool import Supplies
from bot.tools.toolbox import Toolbox
from bot.webchat.chat import serve
from tests.bot.prompted import OneArticle

HANDOVER = "I'm bringing in a colleague. They read this chat, so you need not repeat anything."


class HandsOver(Bot):
    """Hands over by a word."""

    async def take_turn(self, asked: Entry) -> None:
        if "slow" in asked.text:
            await asyncio.sleep(2)
        if not {"human", "danger"} & set(asked.text.casefold().split()):
            return await super().take_turn(asked)
        conversation = await self.log.conversation(asked.conversation)
        if conversation is None or conversation.holder is not Holder.BOT:
            return None
        reason = "crisis" if "danger" in asked.text else "asked"
        evidence = {"words": asked.text[:200], "value": None, "threshold": None}
        note = "Somebody may be in danger. Answer at once." if reason == "crisis" else ""
        escalation = {"reason": reason, "rule": reason, "evidence": evidence, "offer": False, "note": note}
        reading = {"intent": "billing_question", "polarity": -0.4, "frustration": 0.72, "language": "en"}
        await self.log.append(
            Draft(
                conversation=asked.conversation,
                speaker=Speaker.SYSTEM,
                kind=Kind.NOTICE,
                text=HANDOVER,
                data={"notice": "handover", "escalation": escalation, "turn": {"reading": reading}},
                answers=asked.seq,
                only_if=Held(holder=Holder.BOT),
                moves_to=Held(holder=Holder.QUEUE),
            )
        )
        return None


async def build_bot(settings: Settings) -> Bot:
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    store = await asyncio.to_thread(open_store, settings.database_url, settings.data_dir)
    search = OneArticle()
    supplies = Supplies(office=DemoOffice(store), tickets=SqlTickets(store), search=search)
    toolbox = Toolbox(TOOLS, supplies, SqlAudit(store), LocalToolRate())
    clerk = Clerk(toolbox, Errands(toolbox, ERRANDS), store, settings.demo_account)
    return HandsOver(settings=settings, log=log, search=search, clerk=clerk)


serve(build_bot, pages=[lambda bot: help_router(bot.search, bot.settings), DeskPart])
