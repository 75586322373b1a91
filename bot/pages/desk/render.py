"""The desk as HTML: everything that anybody wrote is shown as text, and nothing in it is fetched or run."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.desk.cases import Case, MoodPoint
from bot.desk.offering import team_of
from bot.desk.packet import build_packet, say_reason, shorten
from bot.desk.room import Room
from bot.desk.suggest import Suggestion
from bot.domain import Conversation, Entry, Holder, Kind, Reason, Speaker
from bot.pages.rendering import TEMPLATES
from bot.staff import Agent

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "autolink"])
_OURS = re.compile(r"/help/[\w.~/-]+(#[\w-]+)?")
_WIDTH, _HEIGHT = 240, 48
PREVIEW_CHARS = 90
MOST_ROWS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A chat in one of the lists."""

    id: str
    label: str
    reason: str
    urgent: bool
    since: str
    preview: str
    intent: str
    mood: str
    team: str
    priority: int
    last_seq: int
    owed: str
    wanted: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry of a chat; `html` is ready, `look` says whose it is."""

    seq: int
    look: str
    author: str
    at: str
    html: Markup
    sources: tuple[Mapping[str, Any], ...] = ()


def label_of(case: Case) -> str:
    """What a customer is called where nobody knows their name."""
    return f"Customer {case.customer.removeprefix('visitor-')[:6]}"


def mood_of(frustration: float | None) -> str:
    """A frustration in a word; nothing where it is not known."""
    if frustration is None:
        return ""
    return "upset" if frustration >= 0.65 else "uneasy" if frustration >= 0.4 else "calm"


def mood_beside(reason: str, frustration: float | None) -> str:
    """The mood as a list shows it: whoever may be in danger is not called calm, however quietly they say it."""
    mood = mood_of(frustration)
    return "" if mood == "calm" and reason == Reason.CRISIS else mood


def row_of(case: Case, room: Room) -> Row:
    """A case in a list; made once for each entry, however many agents look at it."""
    seq, known = room.rows.get(case.id, (-1, None))
    row: Row = known if seq == case.last_seq else _make_row(case, room)
    if row is not known:
        if len(room.rows) > MOST_ROWS:
            room.rows.clear()
        room.rows[case.id] = case.last_seq, row
    return row


def _make_row(case: Case, room: Room) -> Row:
    return Row(
        id=case.id,
        label=label_of(case),
        reason=say_reason(case.reason),
        urgent=room.policy.rank(case.reason) == 0,
        since=_iso(case.since or case.started),
        preview=shorten(case.preview, PREVIEW_CHARS),
        intent=case.intent.replace("_", " "),
        mood=mood_beside(case.reason, case.frustration),
        team=team_of(case, room.policy) or "",
        priority=room.policy.rank(case.reason) + 1,
        last_seq=case.last_seq,
        owed=_iso(case.owed),
        wanted=case.wanted or "",
        language=case.language if case.language not in ("", "en", "unknown") else "",
    )


def render_board(room: Room, agent: Agent) -> dict[str, Any]:
    """What the lists show now, and where each chat stands."""
    queue, mine = room.watch.ordered(), room.board.of(agent.id)
    offers = [offer for offer in room.watch.offers.values() if offer.agent == agent.id]
    standing = [offer for offer in offers if room.watch.expires_in(offer) > 0]
    offered = {offer.conversation for offer in standing if not room.watch.has_passed(offer.conversation, agent.id)}
    return {
        "queue": [(case.id, render_row(case, room, is_offered=case.id in offered)) for case in queue],
        "mine": [(case.id, render_row(case, room, is_mine=True)) for case in mine],
        "waiting": [case.id for case in queue],
        "offered": sorted(offered),
        "chats": {case.id: [case.last_seq, case.holder, case.agent or ""] for case in (*queue, *mine)},
        "state": presence.state if (presence := room.watch.presences.get(agent.id)) else room.watch.state(agent.id),
        "load": f"{len(mine)} of {agent.capacity}",
    }


def render_live(cases: Sequence[Case], room: Room) -> str:
    """The assistant's conversations, the latest first."""
    return "".join(render_row(case, room, is_live=True) for case in cases)


def render_row(case: Case, room: Room, *, is_mine: bool = False, is_offered: bool = False, is_live: bool = False) -> str:
    """A case in a list."""
    return _row_html(row_of(case, room), is_mine=is_mine, is_offered=is_offered, is_live=is_live)


@lru_cache(4096)
def _row_html(row: Row, **where: bool) -> str:
    """A row is the same for every agent who sees it, and most rows are as they were."""
    return TEMPLATES.get_template("desk_row.html").render(row=row, **where)


def render_chat(room: Room, agent: Agent, case: Case, entries: Sequence[Entry]) -> str:
    """A whole chat with what may be done in it, and the packet beside it."""
    others = [other for other in room.watch.agents.values() if other.id != agent.id and not other.disabled]
    holder = room.watch.agents.get(case.agent) if case.agent else None
    return TEMPLATES.get_template("desk_chat.html").render(
        row=row_of(case, room),
        case=case,
        is_mine=case.holder is Holder.AGENT and case.agent == agent.id,
        can_claim=case.holder in (Holder.QUEUE, Holder.BOT),
        held_by=holder.name if holder else "",
        lines=[line for entry in entries if (line := line_of(entry, room))],
        outcomes=room.policy.outcomes,
        teams=sorted(room.policy.teams),
        colleagues=[(other, room.watch.state(other.id)) for other in others],
        canned=room.canned.filled(
            {"agent": agent.name, "company": room.settings.company, "assistant": room.settings.assistant}
        ),
    )


def render_packet(case: Case, entries: Sequence[Entry], room: Room, past: Sequence[Conversation]) -> str:
    """What the agent must know; `past` are the customer's earlier chats."""
    return TEMPLATES.get_template("desk_packet.html").render(
        packet=build_packet(case, entries),
        case=case,
        row=row_of(case, room),
        mood=mood_line(case.moods[-40:]),
        started=_iso(case.started),
        episodes=len(case.records),
        past=past,
    )


def render_suggestion(suggestion: Suggestion | None) -> str:
    """A suggested reply as the customer would read it."""
    html = Markup(_MARKDOWN.render(suggestion.text)) if suggestion else Markup("")  # noqa: S704  no HTML comes through
    return TEMPLATES.get_template("desk_suggestion.html").render(suggestion=suggestion, html=html)


def render_entry(entry: Entry, room: Room) -> str:
    """One entry; nothing for those that a desk does not show."""
    line = line_of(entry, room)
    return TEMPLATES.get_template("desk_entry.html").render(line=line) if line else ""


def line_of(entry: Entry, room: Room) -> Line | None:
    """An entry as the desk shows it."""
    look, author = _look(entry, room)
    if not look:
        return None
    cited = tuple(one for one in _list(entry.data.get("citations")) if _OURS.fullmatch(str(one.get("url", ""))))
    is_plain = look in ("customer", "note", "rating") or (look == "agent" and not cited)
    html = Markup.escape(_words(entry)) if is_plain else Markup(_MARKDOWN.render(entry.text))  # noqa: S704  no HTML comes through
    return Line(seq=entry.seq, look=look, author=author, at=_iso(entry.at), html=html, sources=cited)


def _look(entry: Entry, room: Room) -> tuple[str, str]:
    """Whose it is; nothing for what the desk does not show: events, thumbs."""
    if entry.kind is not Kind.MESSAGE:
        is_rating = entry.kind is Kind.FEEDBACK and isinstance(entry.data.get("rating"), int)
        others = {Kind.NOTE: ("note", str(entry.data.get("author", "Note"))), Kind.NOTICE: ("notice", "")}
        return ("rating", "Customer") if is_rating else others.get(entry.kind, ("", ""))
    if entry.speaker is Speaker.CUSTOMER:
        return "customer", "Customer"
    if entry.speaker is Speaker.AGENT:
        return "agent", str(entry.data.get("author", "Colleague"))
    return "bot", room.settings.assistant


def _words(entry: Entry) -> str:
    if entry.kind is Kind.FEEDBACK:
        stars = max(1, min(5, int(entry.data["rating"])))
        return f"{'★' * stars}{'☆' * (5 - stars)} {entry.text}".strip()
    return entry.text


def mood_line(moods: Iterable[MoodPoint]) -> list[dict[str, Any]]:
    """Frustration over time as points of a drawing of 240 by 48: each with its entry."""
    known = [(mood.seq, mood.frustration) for mood in moods if mood.frustration is not None]
    step = _WIDTH / max(1, len(known) - 1)
    return [
        {
            "seq": seq,
            "x": round(4 + number * (step * (_WIDTH - 8) / _WIDTH), 1),
            "y": round(_HEIGHT - 4 - value * 40, 1),
            "value": round(value, 2),
            "mood": mood_of(value),
        }
        for number, (seq, value) in enumerate(known)
    ]


def _list(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
