"""The product with the API and the widget, and an agent who can be made to answer: `POST /test/agent`."""

from fastapi import APIRouter, Request

from bot.api.application import api_router
from bot.bot import Bot
from bot.domain import AgentId, ConversationId, Draft, Held, Holder, Kind, Speaker
from bot.pages.help import help_router
from bot.pages.widget import widget_router
from bot.webchat.chat import serve
from bot.wiring import build_bot


def agent_router(bot: Bot) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.post("/test/agent")
    async def answer(request: Request) -> dict[str, int]:
        said = await request.json()
        entry = await bot.log.append(
            Draft(
                conversation=ConversationId(said["conversation"]),
                speaker=Speaker.AGENT,
                kind=Kind.MESSAGE,
                text=said["text"],
                data={"author": "Maya", "agent": "maya", "holder": "agent"},
                moves_to=Held(holder=Holder.AGENT, agent=AgentId("maya")),
            )
        )
        return {"seq": entry.seq}

    return router


serve(build_bot, pages=[lambda bot: help_router(bot.search, bot.settings), api_router, widget_router, agent_router])
