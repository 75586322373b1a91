"""The developers' pages through the real server: who gets in, what a turn shows, and what a replay makes of it."""

import re
from pathlib import Path

import aiohttp
import pytest

from tests.bot.prompted import change_voice
from tests.chat_client import ChatClient
from tests.pages.conftest import Developer
from tests.server import Server

PATHS = [
    ("GET", "/developer"),
    ("GET", "/developer/login"),
    ("POST", "/developer/login"),
    ("POST", "/developer/logout"),
    ("GET", "/developer/turns/0a"),
    ("POST", "/developer/turns/0a/replay"),
]


async def latest(developer: Developer) -> str:
    """The address of the latest turn's page."""
    status, body, _ = await developer.request("GET", "/developer")
    assert status == 200
    return re.findall(r'href="(/developer/turns/\w+)"', body)[0]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_without_a_password_there_are_no_such_pages(
    untraced: Server, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    status, _, _ = await Developer(untraced.address, http).request(method, path)
    assert status == 404


@pytest.mark.parametrize(("method", "path"), [PATHS[0], *PATHS[4:]])
async def test_a_customer_is_sent_to_the_login_and_sees_nothing(customer: ChatClient, method: str, path: str) -> None:
    someone = Developer(customer.address, customer.http, cookie=customer.cookie)
    status, body, headers = await someone.request(method, path)
    assert (status, body) == (303, "")
    assert headers["Location"].startswith("/developer/login?next=/developer")


@pytest.mark.parametrize("cookie", ["frontdesk_developer=x", "frontdesk_developer={}", ""])
async def test_a_visitors_own_token_or_a_made_up_one_opens_nothing(customer: ChatClient, cookie: str) -> None:
    token = customer.cookie.partition("=")[2]
    status, _, _ = await Developer(customer.address, customer.http, cookie=cookie.format(token)).request("GET", "/developer")
    assert status == 303


async def test_the_password_opens_them_with_a_cookie_that_scripts_and_other_sites_cannot_use(
    traced: Server, http: aiohttp.ClientSession
) -> None:
    someone = Developer(traced.address, http)
    status, _, headers = await someone.log_in(next="/developer/turns/0a")
    assert (status, headers["Location"]) == (303, "/developer/turns/0a")
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age=28800" in cookie
    status, _, headers = await someone.request("GET", "/developer")
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    _, _, headers = await someone.request("POST", "/developer/logout")
    assert 'frontdesk_developer=""' in headers["Set-Cookie"]


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/developer/../x", "/developer\n"])
async def test_after_the_login_it_goes_on_only_within_the_pages(developer: Developer, onward: str) -> None:
    _, body, _ = await developer.request("GET", "/developer/login", params={"next": onward})
    assert 'name="next" value="/developer"' in body


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.com", "null"])
async def test_nothing_is_changed_for_a_page_of_another_site_even_if_it_may_open_the_chat(
    developer: Developer, origin: str
) -> None:
    for path in ("/developer/login", "/developer/logout", "/developer/turns/0a/replay"):
        status, _, headers = await developer.request("POST", path, headers={"Origin": origin})
        assert status == 403
        assert "Set-Cookie" not in headers
    _, _, headers = await developer.request("GET", "/developer/login")
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert "shop.example.com" not in headers["Content-Security-Policy"]


async def test_the_page_of_a_turn_tells_what_happened(developer: Developer, customer: ChatClient) -> None:
    await customer.ask("what is the late fee?")
    path = await latest(developer)
    status, body, _ = await developer.request("GET", path)
    assert status == 200
    for told in (
        *("what is the late fee?", "There is a late payment fee", "late#0", "0.900", "retrieve", "<rect", "prompted"),
        *("voice.md", "Voice: plain British English", "We charge a late payment fee of", ">100<", "unknown", "v1"),
    ):
        assert told in body, told
    assert "<script" not in body
    assert " style=" not in body
    _, body, _ = await developer.request("GET", "/developer?outcome=answered")
    assert path in body
    _, body, _ = await developer.request("GET", "/developer?outcome=failed")
    assert "No turns that ended" in body


async def test_a_turn_that_no_model_wrote_has_a_page_too(developer: Developer, customer: ChatClient) -> None:
    await customer.ask("hello")
    path = await latest(developer)
    for call in (("GET", path), ("POST", f"{path}/replay")):
        status, body, _ = await developer.request(*call)
        assert status == 200
        assert "greeted" in body


async def test_personal_data_is_masked_wherever_a_customers_words_stand(developer: Developer, customer: ChatClient) -> None:
    await customer.ask("I am ann.smith@example.org, 07700 900123, card 4111 1111 1111 1111: what is the late fee?")
    path = await latest(developer)
    pages = [await developer.request(*call) for call in (("GET", "/developer"), ("GET", path), ("POST", f"{path}/replay"))]
    for status, body, _ in pages:
        assert status == 200
        assert "[e-mail address]" in body
        for secret in ("ann.smith", "900123", "4111"):
            assert secret not in body


async def test_words_of_a_customer_never_become_markup(developer: Developer, customer: ChatClient) -> None:
    await customer.ask("<script>alert(1)</script> what is the late fee?")
    for path in ("/developer", await latest(developer)):
        _, body, _ = await developer.request("GET", path)
        assert "<script" not in body
        assert "&lt;script&gt;" in body


async def test_a_replay_shows_what_a_changed_prompt_file_makes_of_the_turn(
    developer: Developer, customer: ChatClient, prompts: Path
) -> None:
    reply = await customer.ask("what is the late fee?")
    path = await latest(developer)
    whole = (prompts / "voice.md").read_text(encoding="utf-8")
    try:
        change_voice(prompts, "Always speak of cards, and be wrong first.")
        status, body, _ = await developer.request("POST", f"{path}/replay")
    finally:
        (prompts / "voice.md").write_text(whole, encoding="utf-8")
    assert status == 200
    assert re.search(r"<ins>\s*You can pay by card under Billing", body)
    assert "voice.md <code>" in body
    assert body.count("<ins>changed</ins>") == 1
    assert "The late payment fee is £25." in body
    after = customer.tab(customer.conversation)
    await after.connect()
    await after.wait_for_step(reply["id"])
    assert len([step for step in after.steps.values() if step["type"] == "assistant_message"]) == 1
    assert "card" not in reply["output"]
    assert "card" not in str(customer.events)
    await after.close()


@pytest.mark.parametrize("entry", ["0a", "x" * 300, "%00", "é"])
async def test_a_turn_that_is_not_there_is_not_found(developer: Developer, entry: str) -> None:
    for method, path in (("GET", f"/developer/turns/{entry}"), ("POST", f"/developer/turns/{entry}/replay")):
        status, _, _ = await developer.request(method, path)
        assert status == 404


async def test_passwords_cannot_be_tried_without_end(traced: Server, http: aiohttp.ClientSession) -> None:
    """The last test here: afterwards nobody can log in for a minute."""
    someone = Developer(traced.address, http)
    tried = [await someone.log_in(f"wrong {n}") for n in range(12)]
    assert tried[0][0] == 403
    assert "That is not the password." in tried[0][1]
    assert tried[-1][0] == 429
    assert (await someone.log_in())[0] == 429
    assert someone.cookie == ""
