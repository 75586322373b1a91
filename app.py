"""Frontdesk's server: `chainlit run app.py`."""

from bot.pages.health import health_router
from bot.pages.help import help_router
from bot.pages.traces import developer_router
from bot.pages.widget import widget_router
from bot.webchat.chat import serve
from bot.wiring import build_bot
from bot.wiring_api import DeskAndApi

serve(
    build_bot,
    pages=[
        lambda bot: help_router(bot.search, bot.settings),
        developer_router,
        health_router,
        DeskAndApi,
        widget_router,
    ],
)
