"""A developer's page also shows each finished turn's steps; nobody else's page is ever sent anything of them."""

import logging
from collections.abc import Callable
from typing import Any

from bot.domain import Entry
from bot.errors import LogUnavailable
from bot.log import ConversationLog
from bot.webchat.citations import plain_colons
from bot.webchat.screen import MOST_SHOWN, Emit
from bot.webchat.sessions import View
from bot.webchat.view import Step, rated_entry

logger = logging.getLogger(__name__)

_SHOWING = {"new_message", "resume_thread"}


class WithSteps:
    """Stands before `emit`: adds steps to the replies that go to developers' pages, and leaves all else as it is."""

    def __init__(self, log: ConversationLog, page_at: Callable[[str], View | None], emit: Emit) -> None:
        self._log = log
        self._page_at = page_at
        self._emit = emit

    async def __call__(self, event: str, data: object, sid: str) -> None:
        """Emit."""
        if event in _SHOWING and isinstance(data, dict):
            view = self._page_at(sid)
            if view is not None and view.developer:
                await self._add_steps(view, data["steps"] if event == "resume_thread" else [data])
        await self._emit(event, data, sid)

    async def _add_steps(self, view: View, shown: list[Step]) -> None:
        runs = {entry: step for step in shown if (entry := rated_entry(step["id"]))}
        if not runs:
            return
        last = max(int(step["metadata"]["seq"]) for step in runs.values())
        try:
            entries = await self._log.before(view.conversation, last + 1, MOST_SHOWN if len(shown) > 1 else 1)
        except LogUnavailable:
            logger.warning("conversation %s: the steps cannot be shown now", view.conversation, exc_info=True)
            return
        for reply in entries:
            if reply.id in runs:
                run = runs[reply.id]
                run["steps"] = [*trace_steps(reply, run), *run["steps"]]


def trace_steps(entry: Entry, run: Step) -> list[dict[str, Any]]:
    """The steps of a reply's turn, to stand inside its run: a name, a line, and the way to the page of the turn."""
    steps = (entry.data.get("turn") or {}).get("steps", ())
    return [
        {
            **{name: run[name] for name in ("threadId", "createdAt", "end", "streaming")},
            "id": f"trace-{entry.id}-{number}",
            "parentId": run["id"],
            "type": "tool",
            "name": str(name),
            "output": f"{plain_colons(str(note))} · {took:.1f} ms · [whole turn](/developer/turns/{entry.id})",
            "metadata": {},
        }
        for number, (name, _, took, note) in enumerate(steps)
    ]
