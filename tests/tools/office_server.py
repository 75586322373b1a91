"""The interface of docs/backoffice.md, served from a back office of ours; and a server that answers badly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter

from bot.backoffice.office import Backoffice, CustomerAccount, Invoice, Outage, Slot, Visit
from bot.errors import ToolRefused

TOKEN = "back-office-token"
SLOT = TypeAdapter(Slot)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json(shape: Any, value: object, status: int = 200) -> web.Response:
    return web.Response(body=TypeAdapter(shape).dump_json(value), content_type="application/json", status=status)


def routes(office: Backoffice) -> web.RouteTableDef:
    table = web.RouteTableDef()

    @table.get("/accounts/{account}")
    async def account(request: web.Request) -> web.Response:
        found = await office.account(request.match_info["account"])
        return json(CustomerAccount, found) if found else web.json_response({"error": "unknown"}, status=404)

    @table.get("/accounts/{account}/invoices")
    async def invoices(request: web.Request) -> web.Response:
        return json(list[Invoice], await office.invoices(request.match_info["account"], int(request.query["limit"])))

    @table.get("/accounts/{account}/visits")
    async def visits(request: web.Request) -> web.Response:
        return json(list[Visit], await office.visits(request.match_info["account"]))

    @table.get("/accounts/{account}/slots")
    async def slots(request: web.Request) -> web.Response:
        query = request.query
        found = await office.free_slots(request.match_info["account"], query["line"], query["kind"])  # type: ignore[arg-type]
        return json(list[Slot], found)

    @table.get("/outages")
    async def outages(request: web.Request) -> web.Response:
        return json(list[Outage], await office.outages(request.query["postcode"]))

    @table.post("/accounts/{account}/visits")
    async def book(request: web.Request) -> web.Response:
        body = await request.json()
        slot, key = SLOT.validate_python(body["slot"]), request.headers["Idempotency-Key"]
        return await made(office.book(request.match_info["account"], body["line"], body["kind"], slot, key), 201)

    @table.patch("/accounts/{account}/visits/{visit}")
    async def move(request: web.Request) -> web.Response:
        slot, key = SLOT.validate_python((await request.json())["slot"]), request.headers["Idempotency-Key"]
        return await made(office.move(request.match_info["account"], request.match_info["visit"], slot, key))

    @table.delete("/accounts/{account}/visits/{visit}")
    async def cancel(request: web.Request) -> web.Response:
        key = request.headers["Idempotency-Key"]
        return await made(office.cancel(request.match_info["account"], request.match_info["visit"], key))

    return table


async def made(change: Awaitable[Visit], status: int = 200) -> web.Response:
    try:
        return json(Visit, await change, status)
    except ToolRefused as refused:
        return web.json_response({"error": refused.reason}, status=409)


@web.middleware
async def only_with_token(request: web.Request, handler: Answer) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return web.json_response({"error": "token"}, status=401)
    return await handler(request)


def serve(office: Backoffice) -> Any:
    """The office's address while it is served."""
    app = web.Application(middlewares=[only_with_token])
    app.add_routes(routes(office))
    return _running(app)


def serve_always(answer: Answer) -> Any:
    """The address of a server that answers everything in one way."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return _running(app)


@asynccontextmanager
async def _running(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
