"""How much may be asked for: by address, by customer, by size and by time; and who may say where a request comes from."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.api.addresses import Addresses
from bot.api.gate import Gate
from bot.api.limits import Limits
from bot.api.places import Place
from bot.api.problems import Refused
from bot.domain import CustomerId
from bot.settings import Settings
from tests.api.conftest import API_APP, FRIEND, PLENTY, Caller
from tests.server import Server

EVIL = ("http://evil.example", "null", "https://www.example.com.evil.example", "http://www.example.com", f"{FRIEND}/")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    few = {"SESSIONS_PER_HOUR": "2", "MESSAGES_PER_DAY": "3", "REQUESTS_PER_MINUTE": "200", "ENVIRONMENT": "production"}
    with Server(tmp_path_factory.mktemp("strict") / "data", app=API_APP, env=PLENTY | few) as running:
        yield running


async def test_over_a_limit_it_is_429_and_says_when_to_come_back(strict: Server, http: aiohttp.ClientSession) -> None:
    first = await Caller(strict.address, http).begin()
    await Caller(strict.address, http).begin()
    status, told, headers = await Caller(strict.address, http).call("POST", "/chat/session", json={})
    assert (status, told["code"]) == (429, "too_many_sessions")
    assert 1 <= int(headers["Retry-After"]) <= 3600
    await first.begin(renew_token=first.session["renew_token"])
    for _ in range(3):
        assert (await first.say("hello"))["status"] == 200
    over = await first.say("hello")
    assert (over["status"], over["code"]) == (429, "too_many_messages")


async def test_the_documentation_is_for_developers_in_production_and_loads_nothing_foreign(
    strict: Server, nobody: Caller, http: aiohttp.ClientSession
) -> None:
    stranger, dora = Caller(strict.address, http), await Caller(strict.address, http).log_in("dora")
    for path in ("/docs", "/openapi.json"):
        assert (await stranger.call("GET", path))[0] == 401
        assert (await dora.call("GET", path))[0] == 200
        assert (await nobody.call("GET", path))[0] == 200, "in development it is open"
    _, page, headers = await nobody.call("GET", "/docs")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(r"(?:src|href)=.(?:https?:)?//", page)


@pytest.mark.parametrize("origin", EVIL)
@pytest.mark.parametrize(("method", "path"), [("POST", "/chat/session"), ("GET", "/health"), ("OPTIONS", "/chat/message")])
async def test_a_page_of_a_foreign_site_is_refused_whatever_it_asks(
    nobody: Caller, origin: str, method: str, path: str
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    status, told, answered = await nobody.call(method, path, headers=headers)
    assert (status, told["code"]) == (403, "origin")
    assert "Access-Control-Allow-Origin" not in answered


async def test_a_page_of_the_company_may_ask_and_read_the_answer(nobody: Caller) -> None:
    headers = {"Origin": FRIEND, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    status, _, answered = await nobody.call("OPTIONS", "/chat/message", headers=headers)
    assert (status, answered["Access-Control-Allow-Origin"]) == (204, FRIEND)
    assert "Authorization" in answered["Access-Control-Allow-Headers"]
    status, _, answered = await nobody.call("POST", "/chat/session", json={}, headers={"Origin": FRIEND})
    assert (status, answered["Access-Control-Allow-Origin"]) == (201, FRIEND)
    assert "Access-Control-Allow-Credentials" not in answered, "the API knows no cookies"
    status, _, answered = await nobody.call("GET", "/chat/conversations", headers={"Origin": FRIEND})
    assert (status, answered["Access-Control-Allow-Origin"]) == (401, FRIEND), "a refusal can be read too"


UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
)


async def first_line(address: str, request: bytes) -> bytes:
    """What is answered to these bytes."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(60):
            writer.write(request)
            return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("size", [70_000, 1_000_000])
@pytest.mark.parametrize(("path", "more"), [("/api/v1/health", b""), ("/", b""), ("/api/v1/ws", UPGRADE)])
async def test_headers_of_a_megabyte_are_refused_and_answered(nobody: Caller, size: int, path: str, more: bytes) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * size}\r\n".encode() + more + b"\r\n"
    assert b" 431 " in await first_line(nobody.address, request)
    assert (await nobody.call("GET", "/health/live"))[0] == 200


async def test_no_answer_says_what_serves_it(nobody: Caller) -> None:
    assert "Server" not in (await nobody.call("GET", "/health/live"))[2]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"text": ', 422), (b'{"text": "\xe9"}', 400), (b"[" * 30_000, 400), (b'"hello"', 422), (b"", 422)],
)
async def test_a_body_that_cannot_be_read_is_told_so_and_nothing_is_stored(anna: Caller, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answered, told, answer = await anna.call("POST", "/chat/message", data=body, headers=headers)
    assert (answered, told["status"], answer["Content-Type"]) == (status, status, "application/problem+json")
    assert told["errors"] or "send JSON in UTF-8" in told["detail"]
    assert (await anna.call("GET", "/chat/conversations"))[1]["conversations"] == []


async def test_a_body_without_a_length_is_cut_off_where_the_limit_is(anna: Caller) -> None:
    async def endless():
        for _ in range(100):
            yield b" " * 10_000

    status, told, _ = await anna.call("POST", "/chat/message", data=endless(), headers={"Content-Type": "application/json"})
    assert (status, told["code"]) == (413, "too_large")


async def test_a_body_that_does_not_arrive_is_given_up(nobody: Caller) -> None:
    head = b"POST /api/v1/chat/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n"
    assert b" 408 " in await first_line(nobody.address, head + b"{")


async def test_the_same_customer_waits_and_another_does_not() -> None:
    limits = Limits(Settings(messages_per_day=2, max_ws_connections_per_user=1, _env_file=None))
    anna, ben = CustomerId("anna"), CustomerId("ben")
    for _ in range(2):
        await limits.message(anna)
    with pytest.raises(Refused, match="today"):
        await limits.message(anna)
    await limits.message(ben)
    async with limits.places.taken(anna), limits.places.taken(ben):
        with pytest.raises(Refused, match="open at once"):
            await limits.places.take(anna)
    async with limits.places.taken(anna):
        pass


async def test_of_many_who_come_at_once_never_one_too_many_gets_in() -> None:
    places = Limits(Settings(max_ws_connections_per_user=3, _env_file=None)).places
    came = await asyncio.gather(*(places.take(CustomerId("anna")) for _ in range(20)), return_exceptions=True)
    got = [one for one in came if isinstance(one, Place)]
    assert len(got) <= 3
    assert all(isinstance(one, Refused) for one in came if one not in got)
    for one in got:
        await one.leave()
    again = [await places.take(CustomerId("anna")) for _ in range(3)]
    for one in again:
        await one.leave()


async def test_sockets_are_counted_and_signed_out_over_all_processes(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    one_each = PLENTY | {"MAX_WS_CONNECTIONS_PER_USER": "1"}
    with (
        Server(tmp_path / "data", app=API_APP, env=one_each) as here,
        Server(here.data_dir, app=API_APP, env=one_each) as there,
    ):
        anna = await Caller(here.address, http).begin()
        other = Caller(there.address, http, token=anna.token)
        async with await anna.socket() as ws:
            await ws.send_json({"type": "join", "token": anna.token})
            assert (await ws.receive_json(timeout=60))["type"] == "joined"
            async with await other.socket() as second:
                await second.send_json({"type": "join", "token": anna.token})
                assert (await second.receive_json(timeout=60))["problem"]["code"] == "too_many_connections"
            streamed = await other.say("hello", headers={"Accept": "text/event-stream"})
            assert (streamed["status"], streamed["code"]) == (429, "too_many_connections")
            assert (await other.call("DELETE", "/chat/session"))[0] == 200
            assert (await ws.receive_json(timeout=60))["problem"]["code"] == "signed_out"


async def test_who_was_told_to_wait_is_told_so_again_at_the_door_and_nobody_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.api.gate.HUSH_SECONDS", 3600.0)
    asked: list[str] = []

    async def full(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(Headers(scope=scope)["authorization"])
        await Response(status_code=429)(scope, receive, send)

    settings = Settings(_env_file=None)
    gate = Gate(full, limits=Limits(settings), tokens=None, addresses=Addresses(()), allowed=())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://frontdesk") as client:
        for token in ("anna", "anna", "anna", "ben"):
            answer = await client.post("/chat/message", json={}, headers={"Authorization": token})
            assert answer.status_code == 429
        await client.post("/chat/feedback", json={}, headers={"Authorization": "anna"})
    assert asked == ["anna", "ben", "anna"]


async def test_without_the_redis_that_is_named_counting_goes_on_here() -> None:
    limits = Limits(Settings(messages_per_day=1, redis_url="redis://127.0.0.1:1/0", _env_file=None))
    await limits.message(CustomerId("anna"))
    with pytest.raises(Refused):
        await limits.message(CustomerId("anna"))


def scope(client: str, *forwarded: str) -> Scope:
    return {"type": "http", "client": (client, 1), "headers": [(b"x-forwarded-for", one.encode()) for one in forwarded]}


@pytest.mark.parametrize(
    ("client", "forwarded", "network"),
    [
        ("203.0.113.9", ("198.51.100.7",), "203.0.113.9"),
        ("10.0.0.2", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.2", ("1.1.1.1, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.2", ("1.1.1.1", "198.51.100.7, 10.0.0.3"), "198.51.100.7"),
        ("10.0.0.2", ("",), "10.0.0.2"),
        ("10.0.0.2", (), "10.0.0.2"),
        ("10.0.0.2", ("nonsense",), "unknown"),
        ("2001:db8::2", ("2001:db9:1:2:3::4",), "2001:db9:1:2::"),
    ],
)
def test_only_our_own_proxies_say_where_a_request_comes_from(client: str, forwarded: tuple[str, ...], network: str) -> None:
    addresses = Addresses(("10.0.0.0/8", "2001:db8::/32"))
    assert addresses.network(scope(client, *forwarded)) == network


def test_secrets_and_conversations_are_never_in_the_servers_log(server: Server) -> None:
    assert PLENTY["CUSTOMER_TOKEN_SECRET"] not in server.log()
