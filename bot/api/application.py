"""The API as one application, and as a router that stands in front of the chat's pages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from bot.api import chat, customers, health, knowledge, people, staff, stars
from bot.api.access import Access
from bot.api.addresses import Addresses
from bot.api.documentation import PREFIX, add_documentation
from bot.api.gate import Gate
from bot.api.knowledge import Ingestions
from bot.api.limits import Limits
from bot.api.problems import Refused, Wrong, documented, plain, tell_problems
from bot.api.seams import A_PERSON, Seams
from bot.api.socket import talk
from bot.bot import Bot
from bot.domain import ClientId, ConversationId, CustomerId, Entry, EntryId, Kind, Speaker, Turn
from bot.errors import SettingsInvalid
from bot.records import Recorded

_NOWHERE = ConversationId("ask")
DESCRIPTION = """\
Chat with the assistant from your own pages, apps and bots; run it from your own tools.

A customer's calls carry the token of a chat session, the staff's that of a session of the staff. Errors are problem
documents (RFC 9457). A message has a `client_id` of the caller's making: sent again, it is stored and answered once.
The socket `/api/v1/ws` is described in docs/api.md."""


def api_router(bot: Bot, seams: Seams | None = None) -> APIRouter:
    """`/api/v1` as a router for `serve(pages=[…])`. Raises SettingsInvalid for a bad key of customers' tokens."""
    router = APIRouter(include_in_schema=False)
    router.mount(PREFIX, build_api(seams or build_seams(bot)))
    return router


def build_seams(bot: Bot) -> Seams:
    """What a bot alone can offer; replace what else there is."""
    if not isinstance(bot.log, Recorded):
        raise SettingsInvalid("The API needs a log with records, which the one in memory has not.")
    return Seams(
        bot=bot,
        records=bot.log.records,
        escalate=partial(ask_for_a_person, bot),
        ask=partial(ask_alone, bot),
        bus=bot.bus,
    )


def build_api(seams: Seams) -> ASGIApp:
    """The application, with its gate before it."""
    app = FastAPI(
        title=f"{seams.bot.settings.company} assistant",
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        responses=documented(),
        dependencies=[Depends(refuse_unknown_query)],
    )
    settings = seams.bot.settings
    app.state.seams, app.state.access, app.state.limits = seams, Access(seams), Limits(settings, seams.bus)
    app.state.addresses, app.state.ingestions = Addresses(settings.trusted_proxies), Ingestions()
    for part in (chat, stars, health, staff, people, customers, knowledge):
        app.include_router(part.router)
    app.add_api_websocket_route("/ws", talk)
    add_documentation(app)
    tell_problems(app)
    return Gate(
        app,
        limits=app.state.limits,
        tokens=app.state.access.tokens,
        addresses=app.state.addresses,
        allowed=settings.allowed_origins,
    )


async def refuse_unknown_query(request: HTTPConnection) -> None:
    """What is not documented is a mistake, in the query as in the body; so is a parameter given twice."""
    route = request.scope.get("route")
    known = {parameter.alias for parameter in route.dependant.query_params} if isinstance(route, APIRoute) else set()
    given = [name for name, _ in request.query_params.multi_items()]
    wrong = [name for name in dict.fromkeys(given) if name not in known or given.count(name) > 1]
    if wrong:
        refused = Refused(422, "invalid", "The request is not as documented; see `errors`.")
        refused.errors = [
            Wrong(where=["query", plain(name)], what="not known here" if name not in known else "given more than once")
            for name in wrong[:20]
        ]
        raise refused


async def ask_for_a_person(bot: Bot, conversation: ConversationId, customer: CustomerId, client_id: ClientId) -> Entry:
    """Say it in the customer's words; the bot's rules do the rest."""
    return await bot.accept(conversation, customer, A_PERSON, client_id)


async def ask_alone(bot: Bot, question: str, before: Sequence[str]) -> Turn:
    """A turn without a conversation, within the deadline of one."""
    said = [_entry(seq, text) for seq, text in enumerate((*before, question), start=1)]
    return await bot.try_turn(said[-1], said[:-1])


def _entry(seq: int, text: str) -> Entry:
    return Entry(
        conversation=_NOWHERE,
        seq=seq,
        id=EntryId(uuid4().hex),
        speaker=Speaker.CUSTOMER,
        kind=Kind.MESSAGE,
        text=text,
        data={},
        at=datetime.now(UTC),
    )
