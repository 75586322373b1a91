"""A server for the tests of the developers' pages: the real log, flow and writer; the prompt files in PROMPTS."""

import asyncio
import os
from pathlib import Path

from bot.bot import Bot
from bot.pages.traces import developer_router
from bot.settings import Settings
from bot.sql.log import open_log
from bot.webchat.chat import serve
from tests.bot.prompted import build_prompted


async def build_bot(settings: Settings) -> Bot:
    log = await asyncio.to_thread(open_log, settings.database_url, settings.data_dir)
    return build_prompted(Path(os.environ["PROMPTS"]), log, settings)


serve(build_bot, pages=[developer_router])
