"""Agents and conversations to test the desk with."""

from collections.abc import Mapping
from typing import Any

from bot.domain import AgentId, ConversationId, CustomerId, Draft, Entry, Held, Holder, Kind, Speaker
from bot.log import ConversationLog
from bot.staff import Agent, Role

ANA = CustomerId("ana")
CHAT = ConversationId("chat")
BOT, QUEUE = Held(holder=Holder.BOT), Held(holder=Holder.QUEUE)
HANDOVER = "I'm bringing in a colleague."


def agent(id: str, **fields: Any) -> Agent:
    """An agent who needs no password here."""
    defaults: dict[str, Any] = {"name": id.title(), "role": Role.AGENT, "password_hash": "none"}
    return Agent(id=AgentId(id), **{**defaults, **fields})


ZOE, MAX = agent("zoe"), agent("max")


def held_by(who: Agent) -> Held:
    return Held(holder=Holder.AGENT, agent=who.id)


async def ask(log: ConversationLog, text: str, chat: ConversationId = CHAT) -> Entry:
    """The customer writes."""
    await log.open(chat, ANA)
    return await log.append(Draft(conversation=chat, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text))


async def reply(log: ConversationLog, asked: Entry, text: str, **reading: Any) -> Entry:
    """The bot replies."""
    data = {"outcome": "answered", "turn": {"reading": reading}} if reading else {}
    draft = Draft(
        conversation=asked.conversation,
        speaker=Speaker.BOT,
        kind=Kind.MESSAGE,
        text=text,
        data=data,
        answers=asked.seq,
        only_if=BOT,
    )
    return await log.append(draft)


async def escalate(
    log: ConversationLog, text: str = "a human please", chat: ConversationId = CHAT, reason: str = "asked", **more: Any
) -> Entry:
    """The customer writes, and the bot hands over as its turn does."""
    asked = await ask(log, text, chat)
    evidence: Mapping[str, Any] = {"words": text, "value": None, "threshold": None}
    escalation = {"reason": reason, "rule": reason, "evidence": evidence, "offer": False, "note": ""}
    draft = Draft(
        conversation=chat,
        speaker=Speaker.SYSTEM,
        kind=Kind.NOTICE,
        text=HANDOVER,
        data={"notice": "handover", **{"escalation": escalation, **more}},
        answers=asked.seq,
        only_if=BOT,
        moves_to=QUEUE,
    )
    return await log.append(draft)
