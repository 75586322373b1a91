"""`/desk/company`: sign-in at the desk with the company's own accounts, where `OIDC_ISSUER` is set."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.domain import AgentId
from bot.errors import LogUnavailable, SignInFailed
from bot.oidc import KEPT_SECONDS, CompanyAccounts
from bot.pages.desk.session import Sessions, is_secure, signing_key
from bot.pages.rendering import TEMPLATES
from bot.settings import Settings
from bot.staff import Agent, Staff

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_COOKIE = "frontdesk_company"


class CompanyRoutes:
    """Out to the company's sign-in page, and back in."""

    def __init__(self, settings: Settings, staff: Staff) -> None:
        self._settings, self._staff = settings, staff
        self._sessions = Sessions(staff)
        self._accounts = CompanyAccounts(settings, signing_key())
        self.router = APIRouter(include_in_schema=False, prefix="/desk/company")
        self.router.add_api_route("", self.leave, methods=["GET"])
        self.router.add_api_route("/back", self.come_back, methods=["GET"])

    async def leave(self, request: Request) -> Response:
        """To the company's page."""
        try:
            begun = await self._accounts.begin(_back(request))
        except SignInFailed as failure:
            return self._form(failure.reason, 503)
        response = RedirectResponse(begun.url, 303, HEADERS)
        response.set_cookie(
            _name(request),
            begun.kept,
            max_age=KEPT_SECONDS,
            httponly=True,
            secure=is_secure(request),
            samesite="lax",  # it comes along when the company's page sends the browser back
        )
        return response

    async def come_back(self, request: Request) -> Response:
        """From the company's page; whoever has an account here gets a session of it."""
        try:
            kept = request.cookies.get(_name(request), "")
            id = await self._accounts.finish(kept, dict(request.query_params), _back(request))
            agent = await self._account(id)
        except SignInFailed as failure:
            return self._form(failure.reason, 403)
        except LogUnavailable:
            return self._form("Nobody can sign in at the moment. Please try again soon.", 503)
        response = RedirectResponse("/desk", 303, HEADERS)
        self._sessions.give_cookie(response, agent, secure=is_secure(request))
        response.delete_cookie(_name(request), httponly=True, secure=is_secure(request), samesite="lax")
        return response

    async def _account(self, id: str) -> Agent:
        agent = await self._staff.agent(AgentId(id[:40]))
        if agent is None or agent.disabled:
            raise SignInFailed("There is no account for you at this desk. Please ask your administrator.")
        return agent

    def _form(self, problem: str, status: int) -> Response:
        page = TEMPLATES.get_template("desk_login.html")
        text = page.render(company=self._settings.company, problem=problem, id="", company_sign_in=True)
        return Response(text, status, HEADERS, "text/html")


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/desk/company/back"


def _name(request: Request) -> str:
    return f"__Host-{_COOKIE}" if is_secure(request) else _COOKIE
