"""The report for the staff: how the desk does. Agents see the whole and their own part, admins everybody's."""

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk.packet import say_reason
from bot.desk.report import REOPENED_WITHIN, Share, average_stars, build_report, key_of, only_of
from bot.pages.desk.access import HEADERS, Access, told
from bot.pages.rendering import TEMPLATES
from bot.roster import Comment
from bot.staff import Role

PERIODS = (1, 7, 30, 90)
MOST_RECORDS = 20_000
MOST_FEEDBACK = 20_000
MOST_LISTED = 100


class ReportRoutes:
    """The route of one room."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route("/report", self.page, methods=["GET"])

    async def page(self, request: Request, days: int = 7, of: str = "") -> Response:
        """The report on the last days; `of=me` on one's own chats only."""
        visit = await self._access.visit(request)
        if visit is None:
            return RedirectResponse("/desk/login", 303, HEADERS)
        room, days = self._access.room, days if days in PERIODS else 7
        since = room.watch.moment() - timedelta(days=days)
        records = await told(room.roster.records_since(since, MOST_RECORDS))
        feedback = await told(room.roster.feedback_since(since, MOST_FEEDBACK))
        is_admin = visit.agent.role is Role.ADMIN
        chosen = only_of(records, visit.agent.id) if of == "me" else list(records)
        listed = chosen if is_admin else only_of(chosen, visit.agent.id)
        keys = {key_of(record) for record in listed}

        def may_read(one: Comment) -> bool:
            """On one's own chats; on the assistant whoever sees the whole desk's."""
            return (one.conversation, one.seq) in keys or (one.agent is None and of != "me")

        values = {
            "visit": visit,
            "days": days,
            "periods": PERIODS,
            "of": of,
            "is_admin": is_admin,
            "report": build_report(chosen, records, feedback, room.policy.solved),
            "records": listed[:MOST_LISTED],
            "comments": [one for one in feedback.comments if one.text and may_read(one)][:MOST_LISTED],
            "names": {agent.id: agent.name for agent in await told(room.staff.agents())},
            "within_days": REOPENED_WITHIN.days,
            "company": room.settings.company,
            "outcomes": room.policy.outcomes,
            "average_stars": average_stars,
            "say_share": say_share,
            "say_seconds": say_seconds,
            "say_reason": say_reason,
        }
        return HTMLResponse(TEMPLATES.get_template("desk_report.html").render(values), headers=HEADERS)


def say_share(share: Share) -> str:
    """62% (95%: 55 to 69%, 124 of 200)."""
    bounds = share.interval
    if share.rate is None or bounds is None:
        return "–"
    return f"{share.rate:.0%} ({share.count} of {share.of}; 95%: {bounds[0]:.0%} to {bounds[1]:.0%})"


def say_seconds(seconds: float) -> str:
    """45 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
