"""Sign-in with the company's own accounts: a real OpenID provider on loopback, honest and not."""

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import httpx
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI

from bot.pages.desk.company import CompanyRoutes
from bot.pages.desk.session import Sessions
from bot.settings import Settings
from bot.staff import Agent
from bot.webchat.identity import SECRET
from tests.desk.people import agent
from tests.server import free_port

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLIENT, CLIENT_SECRET = "frontdesk", "a secret of the client"
DESK = "http://desk.test"


class Provider:
    """Whoever comes is signed in at once as `claims` say."""

    def __init__(self) -> None:
        self.issuer = f"http://127.0.0.1:{free_port()}"
        self.signs_with: Any = KEY
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {"preferred_username": "Zoe"}
        self.challenges: dict[str, tuple[str, str]] = {}
        self.app = web.Application()
        self.app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self.tell),
                web.get("/authorize", self.authorize),
                web.post("/token", self.exchange),
                web.get("/keys", self.keys),
            ]
        )

    async def tell(self, request: web.Request) -> web.Response:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return web.json_response({"issuer": self.issuer} | {name: f"{self.issuer}/{path}" for name, path in places.items()})

    async def authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        code = secrets.token_urlsafe(8)
        self.challenges[code] = (asked["code_challenge"], asked["nonce"])
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        known = aiohttp.BasicAuth.decode(request.headers["Authorization"])
        challenge, nonce = self.challenges.pop(str(form["code"]), ("", ""))
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        proved = base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
        if (known.login, known.password) != (CLIENT, CLIENT_SECRET) or not proved:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 60, "nonce": nonce} | self.claims
        told = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode(told, self.signs_with, algorithm=self.algorithm, headers={"kid": "one"})
        return web.json_response({"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": token})

    async def keys(self, request: web.Request) -> web.Response:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return web.json_response({"keys": [key | {"kid": "one", "use": "sig"}]})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    runner = web.AppRunner(provider.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", urlsplit(provider.issuer).port).start()
    yield provider
    await runner.cleanup()


class Zoe:
    """Accounts of which there is one."""

    def __init__(self) -> None:
        self.account = agent("zoe")

    async def agent(self, id: str) -> Agent | None:
        return self.account if id == self.account.id else None


@pytest.fixture
def staff() -> Zoe:
    return Zoe()


@pytest.fixture
async def page(provider: Provider, staff: Zoe, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv(SECRET, "0123456789abcdef" * 4)
    settings = Settings(oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=CLIENT_SECRET, _env_file=None)
    app = FastAPI()
    app.include_router(CompanyRoutes(settings, staff).router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=DESK) as client:
        yield client


async def at_the_provider(page: httpx.AsyncClient) -> str:
    """Leave for the provider's page; the address that it sends the browser back to."""
    out = await page.get("/desk/company")
    assert out.status_code == 303, out.text
    async with httpx.AsyncClient() as browser:
        return (await browser.get(out.headers["Location"])).headers["Location"]


async def sign_in(page: httpx.AsyncClient) -> httpx.Response:
    return await page.get(await at_the_provider(page))


async def test_who_has_an_account_is_let_in_with_the_role_that_it_has_here(page, staff: Zoe) -> None:
    came = await sign_in(page)
    assert (came.status_code, came.headers["Location"]) == (303, "/desk")
    visit = await Sessions(staff).recognise(dict(page.cookies), secure=False)
    assert (visit.agent.id, visit.agent.role) == ("zoe", "agent")
    assert "frontdesk_company" not in page.cookies


NOW = int(time.time())
WRONG = {
    "another audience": {"aud": "shop"},
    "two audiences, given to the other": {"aud": [CLIENT, "shop"], "azp": "shop"},
    "another issuer": {"iss": "https://login.example.com"},
    "expired": {"exp": NOW - 600},
    "no expiry": {"exp": None},
    "of another sign-in": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "nobody named": {"preferred_username": None},
    "a name that is none": {"preferred_username": ["zoe"]},
    "a stranger": {"preferred_username": "eve"},
    "a long stranger": {"preferred_username": "z" * 10_000},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG.keys())
async def test_a_token_that_is_not_as_agreed_lets_nobody_in(page, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = provider.claims | claims
    came = await sign_in(page)
    assert came.status_code == 403
    assert "frontdesk_staff" not in page.cookies
    assert 'role="alert"' in came.text


async def test_a_token_that_others_signed_lets_nobody_in(page, provider: Provider) -> None:
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert (await sign_in(page)).status_code == 403
    provider.signs_with, provider.algorithm = CLIENT_SECRET * 2, "HS256"
    assert (await sign_in(page)).status_code == 403
    provider.signs_with, provider.algorithm = None, "none"
    assert (await sign_in(page)).status_code == 403


async def test_a_way_back_is_gone_once_and_by_the_browser_that_left(page, provider: Provider) -> None:
    back = await at_the_provider(page)
    kept = dict(page.cookies)
    page.cookies.clear()
    assert (await page.get(back)).status_code == 403, "another browser"
    state = parse_qs(urlsplit(back).query)["state"][0]
    page.cookies.update(kept)
    assert (await page.get(back.replace(state, "x" * len(state)))).status_code == 403, "another state"
    assert (await page.get("/desk/company/back?error=access_denied")).status_code == 403
    assert (await page.get(back)).status_code == 303
    page.cookies.update(kept)
    assert (await page.get(back)).status_code == 403, "the code was used"


async def test_a_disabled_account_stays_out(page, staff: Zoe) -> None:
    staff.account = replace(staff.account, disabled=True)
    assert (await sign_in(page)).status_code == 403


async def test_a_provider_that_is_away_or_another_one_leaves_the_password(page, provider: Provider) -> None:
    there, provider.issuer = provider.issuer, "https://login.example.com"
    assert (await page.get("/desk/company")).status_code == 503
    provider.issuer = there
    assert (await page.get("/desk/company")).status_code == 303, "nothing wrong is remembered"
    settings = Settings(
        oidc_issuer=f"http://127.0.0.1:{free_port()}", oidc_client_id="x", oidc_client_secret="x", _env_file=None
    )
    app = FastAPI()
    app.include_router(CompanyRoutes(settings, None).router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=DESK) as client:
        away = await client.get("/desk/company")
    assert away.status_code == 503
    assert "use your password" in away.text


@pytest.mark.parametrize("issuer", ["http://login.example.com", "login.example.com", "https://login.example.com?x=1"])
def test_an_issuer_without_tls_or_without_a_client_is_refused_at_the_start(issuer: str) -> None:
    with pytest.raises(ValueError, match="oidc_issuer"):
        Settings(oidc_issuer=issuer, oidc_client_id="x", oidc_client_secret="x", _env_file=None)
    with pytest.raises(ValueError, match="needed, because OIDC_ISSUER is set"):
        Settings(oidc_issuer="https://login.example.com", _env_file=None)
