import re
from typing import Any

import aiohttp
import pytest

from tests.server import Server
from tests.webchat.conftest import NewPage

NOBODYS = "6f1b3c52-9a0e-4a53-8f0d-2f6f5f0c7a11"
"""The id of no conversation; always the same, so that the tests keep their names."""
PAGES = ["/", "/login", f"/thread/{NOBODYS}"]
OPEN = [
    *("/auth/config", "/user", "/project/settings?language=en-US", "/project/translations?language=de-DE", "/logo"),
    *("/favicon", "/public/chat.css", "/public/avatar.svg", "/avatars/Alex", "/health", "/help/bills"),
]
CLOSED = [
    *(
        ("GET", path)
        for path in ("/nope", "/docs", "/redoc", "/openapi.json", "/env", "/share/x", "/element/x", "/copilot/index.js")
    ),
    *(("GET", f"/project/share/{NOBODYS}"), ("PUT", "/project/thread/share"), ("PUT", "/project/thread")),
    *(
        ("DELETE", "/project/thread"),
        ("PUT", "/project/element"),
        ("DELETE", "/project/element"),
        ("POST", "/project/action"),
    ),
    *(("POST", "/mcp"), ("DELETE", "/mcp"), ("POST", "/project/file?session_id=x"), ("GET", "/project/file/x?session_id=x")),
    *(("GET", f"/project/thread/{NOBODYS}/element/x"), ("GET", "/auth/oauth/google"), ("POST", "/login")),
    *(("GET", "/auth/oauth/google/callback"), ("POST", "/auth/oauth/azure-ad-hybrid/callback"), ("POST", "/auth/jwt")),
    *(("POST", "/logout"), ("POST", "/"), ("GET", "/thread/x"), ("GET", "/thread/"), ("PATCH", "/feedback"), ("TRACE", "/")),
    *(("GET", "/assets/index-B2u6IBgX.js.map"), ("GET", "/assets/..%2findex.html"), ("GET", "/public/..%2fapp.py")),
    *(("GET", "/help/none"), ("GET", "//evil.example"), ("GET", "/ws/nope"), ("GET", "/.env"), ("GET", "/data/secret")),
]
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def assert_hardened(response: aiohttp.ClientResponse) -> None:
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self' https://www.example.com" in policy
    assert "unsafe-eval" not in policy
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_asks_no_other_host_for_anything(http: aiohttp.ClientSession, server: Server, path: str) -> None:
    async with http.get(server.address + path) as response:
        html = await response.text()
        assert_hardened(response)
    assert response.status == 200
    assert not re.search(r"(?:https?:)?//\w", html)
    assert "hainlit" not in html
    scripts = re.findall(r"script-src ([^;]*)", response.headers["Content-Security-Policy"])
    assert "unsafe" not in scripts[0]
    assert html.count("<script>") == scripts[0].count("'sha256-")


async def test_the_page_gives_a_new_visitor_a_cookie_and_a_known_one_keeps_theirs(
    http: aiohttp.ClientSession, server: Server
) -> None:
    async with http.get(server.address) as response:
        cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    async with http.get(server.address, headers={"Cookie": cookie.split(";")[0]}) as response:
        assert "Set-Cookie" not in response.headers
    async with http.get(server.address + "/user", headers={"Cookie": cookie.split(";")[0]}) as response:
        assert (await response.json())["identifier"].startswith("visitor-")


async def test_everything_the_page_needs_is_open(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    for path in OPEN:
        async with page.http.get(page.address + path, headers={"Cookie": page.cookie}) as response:
            assert response.status == 200, path
            assert_hardened(response)


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_everything_else_is_not_there(new_page: NewPage, method: str, path: str) -> None:
    page = await new_page(connected=False)
    body: dict[str, Any] = (
        {} if method == "GET" else {"json": {"sessionId": page.session_id, "threadId": "x", "isShared": True}}
    )
    async with page.http.request(method, page.address + path, headers={"Cookie": page.cookie}, **body) as response:
        assert response.status in (400, 404, 405), await response.text()
        assert_hardened(response)


async def test_the_scripts_are_packed_and_kept_by_browsers(http: aiohttp.ClientSession, server: Server) -> None:
    async with http.get(server.address) as response:
        found = re.search(r'src="(/assets/[^"]+)"', await response.text())
    assert found
    async with http.get(server.address + found[1], auto_decompress=False) as response:
        packed = await response.read()
        assert_hardened(response)
    assert response.headers["Content-Encoding"] == "gzip"
    assert "immutable" in response.headers["Cache-Control"]
    assert len(packed) < 1_500_000


async def test_a_large_body_is_refused_whether_its_length_is_told_or_not(new_page: NewPage) -> None:
    page = await new_page(connected=False)

    async def chunks() -> Any:
        yield b'{"pagination": {"first": 5}, "filter": {}}'
        for _ in range(100):
            yield b" " * 10_000

    status, answer = await page.request("POST", "/project/threads", data=b" " * 1_000_000)
    assert (status, answer) == (413, {"detail": "The request is larger than 64 kB."})
    status, _ = await page.request("POST", "/project/threads", data=chunks(), headers={"Content-Type": "application/json"})
    assert status == 400


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[]", b"7", b"[" * 5000, b'{"pagination":{"first":"x"}}', b'"\\ud800"']
)
async def test_broken_bodies_are_refused_without_an_echo(new_page: NewPage, body: bytes) -> None:
    page = await new_page(connected=False)
    for method, path in (("POST", "/project/threads"), ("PUT", "/feedback"), ("DELETE", "/feedback")):
        async with page.http.request(
            method, page.address + path, data=body, headers={"Cookie": page.cookie, "Content-Type": "application/json"}
        ) as response:
            assert response.status in (400, 422), await response.text()
            assert_hardened(response)


@pytest.mark.parametrize(
    "pagination", [{"first": -1}, {"first": 10**9}, {"first": 2, "cursor": "9" * 5000}, {"first": 2, "cursor": "-1"}]
)
async def test_odd_paging_is_bounded(new_page: NewPage, pagination: dict[str, Any]) -> None:
    page = await new_page()
    await page.ask("hello")
    status, answer = await page.request(
        "POST", "/project/threads", json={"pagination": pagination, "filter": {"userId": "x"}}
    )
    assert (status, len(answer["data"])) == (200, 1)


async def test_the_page_says_that_this_is_an_ai_before_the_first_message_and_under_every_one(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    _, settings = await page.request("GET", "/project/settings?language=en-US")
    _, words = await page.request("GET", "/project/translations?language=fr")
    welcome = settings["chatProfiles"][0]
    assert "an AI assistant, not a person" in welcome["markdown_description"]
    assert "Larkfield's help articles" in welcome["markdown_description"]
    assert len(welcome["starters"]) == 4
    assert words["translation"]["chat"]["watermark"].startswith("Larkfield assistant is an AI")
