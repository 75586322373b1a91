"""What a page shows comes from the log: the conversation as it stands, then each entry as it is committed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.bot import Bot
from bot.desk.cases import Case
from bot.domain import ClientId, Entry, Holder, Kind, Speaker
from bot.errors import LogUnavailable
from bot.webchat.people import People
from bot.webchat.sessions import View
from bot.webchat.unfinished import THINKING, Unfinished
from bot.webchat.view import show_conversation, show_entry

logger = logging.getLogger(__name__)

Emit = Callable[[str, object, str], Awaitable[None]]
"""Send an event with its data to a socket; does nothing if the socket is gone."""

MOST_SHOWN = 500
"""Entries of a long conversation that a page gets when it opens it: the latest."""
PATIENCE_SECONDS = 0.7
"""A turn that takes longer shows that it is under way; most do not."""
RETRY_SECONDS = 2.0
REBUILD_SECONDS = 15.0
"""What a page sends so soon after it was sent its whole conversation may be lost from it, and is shown to it again."""


class Screen:
    """Keeps open pages showing what the log says."""

    def __init__(self, bot: Bot, emit: Emit) -> None:
        self._bot = bot
        self._emit = emit
        self._assistant = bot.settings.assistant
        self._most_seconds = bot.settings.turn_seconds + 5

    def open(self, view: View) -> None:
        """Show the whole conversation, then follow it."""
        view.rest()
        view.follower = asyncio.create_task(self._keep_showing(view, whole=True))

    def follow(self, view: View) -> None:
        """Follow the conversation from where the page is; does nothing if it does already."""
        if view.follower is None:
            view.follower = asyncio.create_task(self._keep_showing(view, whole=False))

    async def announce(self, view: View, title: str) -> None:
        """Tell the page its conversation's address, /thread/<id>, which exists from its first message on."""
        await self._emit("first_interaction", {"interaction": title, "thread_id": view.conversation}, view.sid)
        await self._emit("window_message", {"frontdesk": "conversation", "id": view.conversation}, view.sid)

    async def _keep_showing(self, view: View, *, whole: bool) -> None:
        while True:
            try:
                if whole:
                    await self._show_whole(view)
                    whole = False
                self._watch_writing(view)
                await self._watch_people(view)
                async for entry in self._bot.log.follow(view.conversation, view.shown):
                    await self._show(view, entry)
            except LogUnavailable:
                logger.warning("conversation %s cannot be shown now", view.conversation, exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)

    async def _show_whole(self, view: View) -> None:
        conversation = await self._bot.log.conversation(view.conversation)
        if conversation is None:
            return
        entries = await self._bot.log.before(view.conversation, conversation.last_seq + 1, MOST_SHOWN)
        await self._emit("first_interaction", {"interaction": "resume", "thread_id": view.conversation}, view.sid)
        await self._emit("resume_thread", show_conversation(conversation, entries, self._assistant), view.sid)
        view.rebuilt_by = asyncio.get_running_loop().time() + REBUILD_SECONDS
        view.shown = entries[-1].seq if entries else 0
        view.sent.clear()
        view.unanswered.clear()
        for entry in entries:
            _count(view, entry)
        self._watch(view)
        await self._watch_people(view, entries)

    async def _show(self, view: View, entry: Entry) -> None:
        if view.unfinished and (settled := _settled_by(entry)):
            view.unfinished.settle(settled)
        step = show_entry(entry, self._assistant)
        if step and not _is_own_bubble(view, entry):
            await self._emit("new_message", step, view.sid)
        view.shown = entry.seq
        _count(view, entry)
        if view.unfinished and _settled_by(entry):
            await self._end_writing(view, view.unfinished)
        if view.people:
            await view.people.add(entry)
        if not view.unanswered:
            await self._rest(view)
        elif entry.seq in view.unanswered:
            self._watch(view)

    # -- the reply that is being written

    def _watch_writing(self, view: View) -> None:
        """Show the sentences of a reply as they are written; does nothing if they are, or where nobody writes."""
        if view.unfinished is None and self._bot.writes:
            sid = view.sid  # a page that moves to another socket begins anew
            unfinished = Unfinished(view.conversation, self._assistant, lambda name, data: self._emit(name, data, sid))
            unfinished.settle(view.settled)
            view.unfinished = unfinished
            unfinished.unwatch = self._bot.live.watch(view.conversation, unfinished.hear)

    async def _watch_people(self, view: View, entries: Sequence[Entry] = ()) -> None:
        """Tell the page who holds its conversation, and when a person types; does nothing if it is told already."""
        if view.people is None:
            sid = view.sid
            case = Case(id=view.conversation, customer=view.customer)
            view.people = People(case, self._assistant, lambda name, data: self._emit(name, data, sid))
            if not entries and view.shown:
                entries = await self._bot.log.before(view.conversation, view.shown + 1, MOST_SHOWN)
            await view.people.begin(entries)
            view.people.unwatch = self._bot.live.watch_typing(view.conversation, view.people.hear_typing)

    async def _end_writing(self, view: View, unfinished: Unfinished) -> None:
        """The finished reply is on the page: what was shown of it goes, and the dots come back if another is awaited."""
        was_shown = unfinished.is_shown
        await unfinished.remove()
        if was_shown and view.working and view.unanswered and not unfinished.is_shown:
            await self._emit("new_message", _thinking(view), view.sid)

    # -- the sign that a reply is under way

    def _watch(self, view: View) -> None:
        """Show that a turn is under way if it is not over soon."""
        if view.unanswered and view.patience is None:
            self._later(view, PATIENCE_SECONDS, self._work)

    def _later(self, view: View, seconds: float, what: Callable[[View], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()

        def start() -> None:
            view.sign = loop.create_task(what(view))

        view.patience = loop.call_later(seconds, start)

    async def _work(self, view: View) -> None:
        """Show the stop button and the waiting dots while the bot is the one who answers, but not for ever."""
        try:
            conversation = await self._bot.log.conversation(view.conversation)
        except LogUnavailable:
            return
        if not view.unanswered or conversation is None or conversation.holder is not Holder.BOT:
            return
        view.working = True
        if not (view.unfinished and view.unfinished.is_shown):
            await self._emit("new_message", _thinking(view), view.sid)
        await self._emit("task_start", {}, view.sid)
        if view.working:
            self._later(view, self._most_seconds, self._rest)
        else:
            await self._end_sign(view)

    async def _rest(self, view: View) -> None:
        if view.patience is not None:
            view.patience.cancel()
            view.patience = None
        if view.working:
            view.working = False
            await self._end_sign(view)

    async def _end_sign(self, view: View) -> None:
        await self._emit("delete_message", {"id": THINKING}, view.sid)
        await self._emit("task_end", {}, view.sid)


def _thinking(view: View) -> dict[str, Any]:
    """A run without an end, which the page shows as waiting dots."""
    step = {"id": THINKING, "threadId": view.conversation, "type": "run", "name": "on_message", "output": ""}
    return {**step, "createdAt": datetime.now(UTC).isoformat(), "metadata": {}}


def _is_own_bubble(view: View, entry: Entry) -> bool:
    """Whether this page sent this message, so that it shows it already, with these words."""
    return entry.client_id is not None and view.sent.pop(ClientId(entry.client_id), None) == entry.text


def _settled_by(entry: Entry) -> int | None:
    """The last message that nothing more is written about once this entry is there; a takeover settles all."""
    return entry.seq if "holder" in entry.data else entry.answers


def _count(view: View, entry: Entry) -> None:
    if "holder" in entry.data:
        view.unanswered.clear()  # whoever has the conversation now deals with what was said before
    if entry.speaker is Speaker.CUSTOMER and entry.kind is Kind.MESSAGE:
        view.unanswered.add(entry.seq)
    if entry.answers is not None:
        view.unanswered.discard(entry.answers)
        view.settled = max(view.settled, entry.answers)
