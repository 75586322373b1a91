"""Open pages: which conversation each shows, and how far. A page that went away is forgotten after a while."""

import asyncio
from dataclasses import dataclass, field

from bot.domain import ClientId, ConversationId, CustomerId
from bot.webchat.people import People
from bot.webchat.unfinished import Unfinished


@dataclass(slots=True, eq=False, kw_only=True)
class View:
    """One open page; `session` is the page's own id (a secret of its visitor), `sid` its present socket.

    `visit` is whose cookie opened it, and `until` when that runs out if its customer is signed in (seconds since 1970).
    `shown` is the last sequence number the page was sent. `sent` holds the texts of messages under way, whose bubbles the
    page shows already; until `rebuilt_by`, a time of the loop's clock, it may be building itself anew without them.
    `unanswered` are the customer's messages that nothing settles yet, `settled` is the last one settled.
    """

    session: str
    sid: str
    customer: CustomerId
    conversation: ConversationId
    visit: str = ""
    until: float | None = None
    developer: bool = False
    begun: bool = False
    shown: int = 0
    settled: int = 0
    greeted: bool = False
    refused_thread: bool = False
    working: bool = False
    arriving: int = 0
    sent: dict[ClientId, str] = field(default_factory=dict)
    rebuilt_by: float = 0.0
    unanswered: set[int] = field(default_factory=set)
    in_order: asyncio.Lock = field(default_factory=asyncio.Lock)
    follower: asyncio.Task[None] | None = None
    sign: asyncio.Task[None] | None = None
    patience: asyncio.TimerHandle | None = None
    unfinished: Unfinished | None = None
    people: People | None = None

    def rest(self) -> None:
        """Stop following the log and what is being written."""
        if self.unfinished is not None:
            self.unfinished.stop()
            self.unfinished = None
        if self.people is not None:
            self.people.stop()
            self.people = None
        for under_way in (self.follower, self.sign, self.patience):
            if under_way is not None:
                under_way.cancel()
        self.follower = self.sign = self.patience = None
        self.working = False


class Views:
    """Every open page of this process, by session and by socket; a page that left is kept for `keep_seconds`."""

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        self._by_session: dict[str, View] = {}
        self._by_sid: dict[str, View] = {}
        self._away: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._by_session)

    def add(self, view: View) -> None:
        """A new page."""
        self._by_session[view.session] = view
        self._by_sid[view.sid] = view

    def at(self, sid: str) -> View | None:
        """The page behind this socket."""
        return self._by_sid.get(sid)

    def of(self, session: str) -> View | None:
        """The page with this session id, also while it is away."""
        return self._by_session.get(session)

    def move(self, view: View, sid: str) -> str:
        """The page came back on another socket; returns the old one, which is no longer its."""
        old, view.sid, view.greeted = view.sid, sid, False
        self._by_sid.pop(old, None)
        self._by_sid[sid] = view
        if timer := self._away.pop(view.session, None):
            timer.cancel()
        view.rest()
        return old

    def leave(self, sid: str, *, at_once: bool) -> None:
        """The socket closed; the page is forgotten now or after a while."""
        view = self._by_sid.pop(sid, None)
        if view is None:
            return
        view.rest()
        if at_once:
            self._by_session.pop(view.session, None)
        else:
            loop = asyncio.get_running_loop()
            self._away[view.session] = loop.call_later(self._keep_seconds, self._forget, view.session)

    def everyone(self) -> list[View]:
        """Every page, also those that are away."""
        return list(self._by_session.values())

    def end(self, view: View) -> None:
        """The page's visit is over: it is forgotten, be it here or away."""
        view.rest()
        if timer := self._away.pop(view.session, None):
            timer.cancel()
        self._by_sid.pop(view.sid, None)
        self._by_session.pop(view.session, None)

    def close(self) -> None:
        """Forget every page."""
        for view in self._by_session.values():
            view.rest()
        for timer in self._away.values():
            timer.cancel()
        for pages in (self._by_session, self._by_sid, self._away):
            pages.clear()

    def _forget(self, session: str) -> None:
        self._away.pop(session, None)
        self._by_session.pop(session, None)
