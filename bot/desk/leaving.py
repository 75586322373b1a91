"""An agent who leaves for good: nobody's chat goes with them."""

from contextlib import suppress
from dataclasses import replace

from bot.desk.desk import Desk
from bot.domain import Holder
from bot.errors import DeskRefused
from bot.log import ConversationLog
from bot.staff import Agent, Staff


async def dismiss(agent: Agent, log: ConversationLog, desk: Desk, staff: Staff) -> int:
    """Delete the account; its chats go to the front of the queue first. Returns how many. Raises LogUnavailable.

    Nobody can be left with a chat: the account can do nothing from the first step on and goes with the last one, and the
    desk's watch sees after the chats of an account that is disabled. Called again, it goes on where it was.
    """
    await log.check()
    await staff.change(replace(agent, disabled=True))
    passed = await _pass_on_all(agent, log, desk)
    await staff.remove(agent.id)
    return passed + await _pass_on_all(agent, log, desk)  # what was being claimed as the account was disabled


async def _pass_on_all(agent: Agent, log: ConversationLog, desk: Desk) -> int:
    passed = 0
    for conversation in await log.held(Holder.AGENT):
        if conversation.agent == agent.id:
            with suppress(DeskRefused):  # somebody else, or the customer, was quicker
                await desk.pass_on(agent, conversation.id, "")
                passed += 1
    return passed
