"""A back office that is slow, down, or answers with something else: told as down or wrong, never believed."""

import asyncio
import json

import pytest
from aiohttp import web

from bot.backoffice import http
from bot.backoffice.http import HttpOffice
from bot.errors import BackofficeDown, BackofficeFailed, BackofficeWrong, ToolRefused
from tests.tools.office_server import TOKEN, never, serve_always
from tests.tools.talk import ONE_LINE, TWO_LINES

ACCOUNT = {
    "number": TWO_LINES,
    "name": "Ana",
    "email": "ana@example.com",
    "phone": "07700 900001",
    "postcode": "LF1 1AA",
    "since": "2020-01-01",
    "lines": [],
}


def says(body: object, status: int = 200, kind: str = "application/json"):
    async def answer(_: web.Request) -> web.StreamResponse:
        if isinstance(body, bytes):
            return web.Response(body=body, status=status, content_type=kind)
        return web.json_response(body, status=status)

    return answer


async def dripping(request: web.Request) -> web.StreamResponse:
    """Sends a little again and again, so that no single read is slow."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"number":')
    assert request.transport
    request.transport.close()
    return response


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (never, BackofficeDown),
        (dripping, BackofficeDown),
        (cut, BackofficeDown),
        (says({}, status=500), BackofficeDown),
        (says({}, status=503), BackofficeDown),
        (says({}, status=429), BackofficeDown),
        (says(b"<html>Sign in</html>", kind="text/html"), BackofficeWrong),
        (says(b"<html>Moved</html>", status=302, kind="text/html"), BackofficeWrong),
        (says({}, status=401), BackofficeWrong),
        (says(b""), BackofficeWrong),
        (says(b"{"), BackofficeWrong),
        (says([ACCOUNT]), BackofficeWrong),
        (says({**ACCOUNT, "since": "yesterday"}), BackofficeWrong),
        (says({**ACCOUNT, "name": "x" * 10_000}), BackofficeWrong),
        (says({**ACCOUNT, "lines": [{"id": "x"}]}), BackofficeWrong),
        (says({**ACCOUNT, "number": ONE_LINE}), BackofficeWrong),
        (says(b"[" * 100_000), BackofficeWrong),
        (says(json.dumps(ACCOUNT).encode() + b" " * http.MOST_BYTES), BackofficeWrong),
    ],
    ids=lambda value: getattr(value, "__name__", "answer"),
)
async def test_a_bad_answer_is_told_as_what_it_is(answer, failure):
    async with serve_always(answer) as address:
        office = HttpOffice(address, TOKEN, seconds=0.4)
        with pytest.raises(failure) as raised:
            await office.account(TWO_LINES)
        await office.close()
    assert isinstance(raised.value, BackofficeFailed)
    assert "ana@example.com" not in str(raised.value)
    assert TOKEN not in str(raised.value)


async def test_a_port_that_nobody_listens_on_is_down():
    async with serve_always(says({})) as address:
        pass
    office = HttpOffice(address, TOKEN, seconds=0.4)
    with pytest.raises(BackofficeDown):
        await office.account(TWO_LINES)
    await office.close()


@pytest.mark.parametrize("status", [404, 409, 422])
async def test_a_change_that_is_not_possible_is_refused_in_our_words(status):
    async with serve_always(says({"error": "SQL error near ana@example.com"}, status=status)) as address:
        office = HttpOffice(address, TOKEN)
        with pytest.raises(ToolRefused) as refused:
            await office.cancel(TWO_LINES, "FV-1", "k")
        await office.close()
    assert "SQL" not in refused.value.reason


async def test_rows_of_another_account_are_not_believed():
    row = {
        "number": "FV-1",
        "account": ONE_LINE,
        "line": "BB",
        "kind": "repair",
        "slot": {"day": "2026-11-24", "start_hour": 8, "end_hour": 12},
        "status": "booked",
    }
    async with serve_always(says([row])) as address:
        office = HttpOffice(address, TOKEN)
        with pytest.raises(BackofficeWrong):
            await office.visits(TWO_LINES)
        await office.close()


async def test_too_many_rows_are_not_believed():
    slot = {"day": "2026-11-24", "start_hour": 8, "end_hour": 12}
    async with serve_always(says([slot] * (http.MOST_ROWS + 1))) as address:
        office = HttpOffice(address, TOKEN)
        with pytest.raises(BackofficeWrong):
            await office.free_slots(TWO_LINES, "BB", "repair")
        await office.close()
