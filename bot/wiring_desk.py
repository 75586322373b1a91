"""Picks the desk's implementations, beside `wiring`: from a bot to a desk on its log."""

import asyncio
from dataclasses import dataclass

from bot.answer import Answerer
from bot.bot import Bot
from bot.desk.behalf import Behalf
from bot.desk.board import Board
from bot.desk.canned import read_canned
from bot.desk.desk import Desk
from bot.desk.policy import read_policy
from bot.desk.room import Room
from bot.desk.suggest import Suggester
from bot.desk.watch import Watch
from bot.desk.webhooks import Target, Webhooks, plain_event, slack_event
from bot.settings import Settings
from bot.sql.desk import SqlRoster
from bot.sql.log import SqlLog
from bot.sql.staff import SqlStaff
from bot.sql.store import Store, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRoom:
    """A desk's room and the store that is closed after it."""

    room: Room
    store: Store

    async def close(self) -> None:
        """Stop the desk and release its store."""
        await self.room.stop()
        await self.store.close()


async def open_room(bot: Bot) -> OpenRoom:
    """The desk of this bot, not started yet. Raises SettingsInvalid or LogUnavailable, saying what is the matter."""
    settings = bot.settings
    policy, canned = read_policy(settings.desk_file), read_canned(settings.canned_file)
    store = await asyncio.to_thread(open_store, settings.database_url, settings.data_dir)
    staff, roster, board = SqlStaff(store), SqlRoster(store), Board(bot.log)
    watch = Watch(bot.log, board, roster, staff, policy)
    targets = read_targets(settings)
    watch.targets = tuple(targets)
    watch.on_taken = bot.cut
    if isinstance(bot.log, SqlLog):
        bot.log.listeners.append(watch.hear)
    if bot.between:
        bot.between.listeners.append(lambda _: watch.wake())
    desk = Desk(bot.log, staff, policy)
    room = Room(
        settings=settings,
        log=bot.log,
        live=bot.live,
        staff=staff,
        roster=roster,
        policy=policy,
        board=board,
        desk=desk,
        watch=watch,
        webhooks=Webhooks(roster, targets),
        suggester=Suggester(bot.search, Answerer(bot.search, settings)),
        canned=canned,
        behalf=Behalf(bot.clerk, desk),
        show_typing=bot.show_typing,
    )
    return OpenRoom(room=room, store=store)


def read_targets(settings: Settings) -> dict[str, Target]:
    """Where events are told, by the name that deliveries are kept under."""
    targets = {}
    if settings.webhook_url:
        secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
        targets["webhook"] = Target(name="webhook", url=settings.webhook_url, write=plain_event, secret=secret)
    if settings.slack_webhook_url:
        url = settings.slack_webhook_url.get_secret_value()
        targets["slack"] = Target(name="slack", url=url, write=slack_event)
    return targets
