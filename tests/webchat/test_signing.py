"""A customer of the company's site signs in to the web chat: what was said before comes along, the visit before is over."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from bot.api.ended import Ended
from bot.sql.log import SqlLog, open_log
from bot.webchat.identity import COOKIE, SIGNED_IN_SECONDS
from tests.api.test_identity import BAD, UNSIGNED, customer_token
from tests.chat_client import ChatClient, ConnectionRefused
from tests.server import Server
from tests.webchat.conftest import NewPage

FRIEND = "https://www.example.com"
NOBODY = "You could not be signed in to the chat."


async def post(page: ChatClient, path: str, *, origin: str | None = "", **options: Any) -> aiohttp.ClientResponse:
    """A change as a page of the chat's own address sends it, unless told otherwise; keeps the cookie that comes."""
    headers = {"Cookie": page.cookie} | options.pop("headers", {})
    if origin is not None:
        headers["Origin"] = origin or page.address
    async with page.http.post(page.address + path, headers=headers, allow_redirects=False, **options) as response:
        await response.read()
    if given := response.cookies.get(COOKIE):
        page.cookie = f"{COOKIE}={given.value}"
    return response


async def sign_in(page: ChatClient, **claims: Any) -> dict[str, Any]:
    response = await post(page, "/chat/sign-in", json={"token": customer_token(**claims)})
    assert response.status == 200, await response.text()
    return dict(await response.json())


async def who(page: ChatClient) -> str:
    status, told = await page.request("GET", "/user")
    return str(told["identifier"]) if status == 200 else ""


async def listed(page: ChatClient) -> list[str]:
    _, told = await page.request("POST", "/project/threads", json={"pagination": {"first": 20}, "filter": {}})
    return [thread["id"] for thread in told["data"]]


async def test_what_a_visitor_said_is_still_there_once_they_are_signed_in(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("before I signed in")
    told = await sign_in(page, sub="anna@example.com")
    assert told == {"signed_in": True, "customer": "anna@example.com", "claimed": 1}
    assert await who(page) == "anna@example.com"
    assert await listed(page) == [page.conversation]
    tab = page.tab(page.conversation)
    await tab.connect()
    assert (await tab.ask("and now"))["output"] == "You said: and now"
    assert (await tab.request("GET", f"/project/thread/{page.conversation}"))[1]["userIdentifier"] == "anna@example.com"
    await tab.close()


async def test_the_cookie_of_before_opens_nothing_and_its_pages_are_closed(new_page: NewPage, server: Server) -> None:
    logged = len(server.log())
    page, thief = await new_page(), await new_page(connected=False)
    await page.ask("my secret")
    before = thief.cookie = page.cookie
    await sign_in(page)
    await asyncio.wait_for(page.closed.wait(), 60)
    assert ("window_message", {"frontdesk": "visit_over", "begin_at": ""}) in page.events
    token = before.partition("=")[2]
    ways = [
        {"Cookie": before},
        {"Cookie": f'a=b; {COOKIE}="{token}"; c=d'},
        {"Cookie": f"{COOKIE}_0={token}"},
        {"Authorization": f"Bearer {token}"},
    ]
    for headers in ways:
        for path in ("/user", f"/project/thread/{page.conversation}"):
            assert (await thief.request("GET", path, headers={"Cookie": ""} | headers))[0] == 401, (path, headers)
    for session in (thief.session_id, page.session_id):
        with pytest.raises(ConnectionRefused):
            await thief.connect(auth={"sessionId": session})
    run = next(step for step in page.steps if step.startswith("turn-"))
    assert (await thief.request("PUT", "/feedback", json={"feedback": {"forId": run, "value": 1}}))[0] == 401
    await thief.sign_in()
    assert (await who(thief)).startswith("visitor-"), "a cookie that is spent is not prolonged"
    assert thief.cookie != before
    assert "Traceback" not in server.log()[logged:]


async def test_a_socket_that_stays_open_is_not_greeted_again_with_the_cookie_of_before(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("my secret")
    await sign_in(page)
    await asyncio.wait_for(page.closed.wait(), 60)
    told = len(page.events)
    for thread in ("", page.conversation):
        await page.send_frame("40" + json.dumps({"sessionId": str(uuid.uuid4()), "threadId": thread}))
        await page.send_event("connection_successful")
    await page.send_frame('42["client_message",{"message":{"id":"' + str(uuid.uuid4()) + '","output":"still me"}}]')
    tab = page.tab(page.conversation)
    await tab.connect()
    await tab.ask("and now")
    assert [step["output"] for step in tab.steps.values() if step["type"] == "user_message"] == ["my secret", "and now"]
    assert page.events[told:] == []
    await tab.close()


async def test_a_message_under_way_at_sign_in_is_answered_in_what_is_the_customers_now(
    new_page: NewPage, server: Server
) -> None:
    page = await new_page()
    ack = await page.send(f"hold {page.session_id}")
    await sign_in(page)
    await asyncio.wait_for(page.closed.wait(), 60)
    assert (await page.request("POST", f"/test/open/{page.session_id}"))[0] == 200
    tab = page.tab(page.conversation)
    await tab.connect()
    assert (await tab.wait_for_reply(ack["seq"]))["output"] == f"You said: hold {page.session_id}"
    await tab.close()


async def test_a_form_comes_back_to_the_chat(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    response = await post(page, "/chat/sign-in", data={"token": customer_token(sub="form-1")}, origin=FRIEND)
    assert (response.status, response.headers["Location"]) == (303, "/")
    assert await who(page) == "form-1"
    refused = await post(page, "/chat/sign-in", data={"token": "a-word-of-theirs"})
    assert (refused.status, refused.content_type) == (401, "text/plain")
    assert (await refused.text()).startswith(NOBODY)
    assert await who(page) == "form-1"


@pytest.mark.parametrize("claims", BAD.values(), ids=BAD.keys())
async def test_who_brings_a_bad_token_stays_who_they_are(new_page: NewPage, claims: dict[str, Any]) -> None:
    page = await new_page(connected=False)
    before, token = await who(page), customer_token(**claims)
    for sent in ({"json": {"token": token}}, {"data": {"token": token}}):
        response = await post(page, "/chat/sign-in", **sent)
        told = await response.text()
        assert response.status == 401
        assert "is not accepted: it" in told
        assert token not in told
        assert COOKIE not in response.cookies
    assert await who(page) == before


async def test_a_token_that_nobody_signed_or_that_was_used_signs_nobody_in(new_page: NewPage, server: Server) -> None:
    anna, eve = await new_page(connected=False), await new_page(connected=False)
    used = customer_token()
    assert (await post(anna, "/chat/sign-in", json={"token": used})).status == 200
    for token in (used, UNSIGNED, customer_token()[:-3], "x", "e30." * 3, "a" * 5000):
        response = await post(eve, "/chat/sign-in", json={"token": token})
        assert response.status == 401
        assert token not in (await response.text()) + server.log() or len(token) < 5
    assert (await who(eve)).startswith("visitor-")


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (415, {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
        (415, {"data": b""}),
        (400, {"data": b"{", "headers": {"Content-Type": "application/json"}}),
        (400, {"data": b"\xff", "headers": {"Content-Type": "application/json"}}),
        (400, {"data": b"[" * 60_000, "headers": {"Content-Type": "application/json"}}),
        (400, {"data": b"a=1&" * 30, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
        (413, {"data": b"x" * 70_000, "headers": {"Content-Type": "application/json"}}),
        *((422, {"json": body}) for body in (7, [], {}, {"token": None}, {"token": ["x"]}, {"token": ""}, "x")),
        (422, {"data": {"other": "x"}}),
    ],
)
async def test_what_holds_no_token_is_refused_with_what_to_send(
    new_page: NewPage, status: int, options: dict[str, Any]
) -> None:
    response = await post(await new_page(connected=False), "/chat/sign-in", **options)
    assert response.status == status, await response.text()


async def test_a_page_of_another_site_signs_nobody_in_or_out(new_page: NewPage) -> None:
    """It could make customers say what they say on its author's account."""
    page = await new_page()
    await page.ask("mine")
    token = customer_token()
    for origin in ("http://evil.example", "null", f"{page.address}.evil.example", None):
        for path in ("/chat/sign-in", "/chat/sign-out"):
            for sent in ({"json": {"token": token}}, {"data": {"token": token}}):
                assert (await post(page, path, origin=origin, **sent)).status == 403
    assert await listed(page) == [page.conversation]
    assert (await post(page, "/chat/sign-in", origin=FRIEND, json={"token": token})).status == 200, "and is not spent"


async def test_a_page_of_an_allowed_site_may_sign_in_by_script(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    asked = {"Origin": FRIEND, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with page.http.options(page.address + "/chat/sign-in", headers=asked) as allowed:
        assert allowed.headers["Access-Control-Allow-Origin"] == FRIEND
    response = await post(page, "/chat/sign-in", origin=FRIEND, json={"token": customer_token()})
    assert (response.headers["Access-Control-Allow-Origin"], response.headers["Access-Control-Allow-Credentials"]) == (
        FRIEND,
        "true",
    )
    assert response.headers["Cache-Control"] == "no-store"


async def test_another_visitor_or_customer_can_claim_nothing(new_page: NewPage) -> None:
    anna, eve = await new_page(), await new_page()
    await anna.ask("anna's before")
    await eve.ask("eve's")
    assert (await sign_in(eve))["claimed"] == 1
    assert (await sign_in(anna, sub="anna"))["claimed"] == 1
    stolen = await new_page(connected=False)
    stolen.cookie = anna.cookie  # whoever signs in over a customer's visit takes nothing of theirs
    assert (await sign_in(stolen, sub="mallory"))["claimed"] == 0
    assert await listed(stolen) == []
    assert anna.conversation not in await listed(eve)
    assert await who(anna) == "", "and that visit is over"
    assert (await stolen.request("GET", f"/project/thread/{anna.conversation}"))[0] in (401, 404)


async def test_after_signing_out_the_browser_is_a_new_visitors(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    await sign_in(page, sub="otto")
    elsewhere = await new_page(connected=False)
    await sign_in(elsewhere, sub="otto")
    await page.connect()
    await page.ask("a customer's secret")
    before = page.cookie
    response = await post(page, "/chat/sign-out")
    assert await response.json() == {"signed_out": True}
    await asyncio.wait_for(page.closed.wait(), 60)
    assert ("window_message", {"frontdesk": "visit_over", "begin_at": "/"}) in page.events
    assert (await who(page)).startswith("visitor-")
    assert await listed(page) == []
    page.cookie = before
    assert await who(page) == ""
    with pytest.raises(ConnectionRefused):
        await page.connect()
    assert await listed(elsewhere) == [page.conversation], "another browser stays signed in"
    response = await post(elsewhere, "/chat/sign-out", data={"x": "y"})
    assert (response.status, response.headers["Location"]) == (303, "/")


async def test_who_is_not_signed_in_keeps_their_conversation_when_signing_out(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("hello")
    before = await who(page)
    assert await (await post(page, "/chat/sign-out")).json() == {"signed_out": False}
    assert (await who(page), await listed(page)) == (before, [page.conversation])


async def test_a_customers_visit_is_not_prolonged_by_use(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    response = await post(page, "/chat/sign-in", json={"token": customer_token(sub="ruth")})
    given = response.cookies[COOKIE]
    assert (given["httponly"], given["samesite"], given["path"]) == (True, "lax", "/")
    assert int(given["max-age"]) <= SIGNED_IN_SECONDS
    until = jwt.decode(given.value, options={"verify_signature": False})["exp"]
    await post(page, "/auth/header", json={})
    assert page.cookie != f"{COOKIE}={given.value}", "given anew"
    assert await who(page) == "ruth"
    assert jwt.decode(page.cookie.partition("=")[2], options={"verify_signature": False})["exp"] == until
    assert until <= time.time() + SIGNED_IN_SECONDS


# -- between processes


def _in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqlLog]:
    log = open_log(None, tmp_path)
    yield log
    await log.close()


async def test_a_visit_that_ended_is_over_in_other_processes_and_after_a_restart(log: SqlLog) -> None:
    here, there = Ended(log.records, "visit:"), Ended(log.records, "visit:")
    assert not await there.has("visitor-1")
    await here.end("visitor-1", _in_an_hour())
    assert await here.has("visitor-1")
    async with asyncio.timeout(60):
        while not await there.has("visitor-1"):  # noqa: ASYNC110  it looks into the database
            await asyncio.sleep(0.05)
    assert await Ended(log.records, "visit:").has("visitor-1")
    assert not await Ended(log.records, "session:").has("visitor-1")


async def test_nobody_gets_in_while_a_process_first_reads_what_is_over(log: SqlLog) -> None:
    await Ended(log.records, "visit:").end("visitor-1", _in_an_hour())
    started = Ended(log.records, "visit:")
    assert all(await asyncio.gather(*(started.has("visitor-1") for _ in range(20))))
