"""Who a customer is: the company's tokens, taken once each, and what an anonymous customer said before signing in."""

import asyncio
import base64
import hmac
import json
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bot.api.customer_tokens import CustomerTokens, read_public_key
from bot.api.problems import Refused
from bot.api.tokens import Tokens
from bot.domain import CustomerId
from bot.errors import SettingsInvalid
from bot.settings import Settings
from bot.sql.log import open_log
from tests.api.conftest import TOKEN_SECRET, Caller
from tests.server import Server

UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5hIn0."


def part(head: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=")


def customer_token(key: Any = TOKEN_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    now = int(time.time())
    base = {"sub": f"customer-{uuid.uuid4().hex}", "aud": "frontdesk", "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}
    given = {name: value for name, value in (base | claims).items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm)


async def test_a_customer_whom_the_company_vouches_for_gets_a_session(nobody: Caller) -> None:
    await nobody.begin(customer_token=customer_token(sub="anna@example.com"))
    assert (nobody.customer, nobody.session["signed_in"], nobody.session["renew_token"]) == ("anna@example.com", True, None)
    assert (await nobody.say("hello"))["reply"]["text"] == "You said: hello"


async def test_a_token_is_taken_once(nobody: Caller) -> None:
    token = customer_token()
    await nobody.begin(customer_token=token)
    status, told, _ = await nobody.call("POST", "/chat/session", json={"customer_token": token})
    assert (status, told["code"]) == (401, "customer_token")
    assert "used before" in told["detail"]


NOW = time.time()
BAD = {
    "expired": {"iat": NOW - 600, "exp": NOW - 60},
    "from the future": {"iat": NOW + 86_400, "exp": NOW + 86_700},
    "another audience": {"aud": "shop"},
    "no audience": {"aud": None},
    "no expiry": {"exp": None},
    "no id": {"jti": None},
    "a short id": {"jti": "1"},
    "no subject": {"sub": None},
    "one of our visitors": {"sub": f"visitor-{uuid.uuid4()}"},
    "an erased customer": {"sub": "erased-1"},
    "an odd subject": {"sub": "anna\n"},
    "a long subject": {"sub": "a" * 101},
    "a life of a day": {"exp": NOW + 86_400},
    "an expiry in milliseconds": {"exp": NOW * 1000},
    "an expiry after the end of time": {"exp": 10**30},
    "an issue before its beginning": {"iat": -(10**30)},
    "times that are no numbers": {"iat": float("-inf"), "exp": float("inf")},
    "a start in the future": {"nbf": NOW + 86_400},
    "another secret": {"key": "another secret of somebody else's 4711"},
    "another algorithm": {"algorithm": "HS512"},
}


@pytest.mark.parametrize("claims", BAD.values(), ids=BAD.keys())
async def test_a_token_that_is_not_as_agreed_is_refused_and_says_why(nobody: Caller, claims: dict[str, Any]) -> None:
    status, told, headers = await nobody.call("POST", "/chat/session", json={"customer_token": customer_token(**claims)})
    assert (status, told["code"]) == (401, "customer_token"), told
    assert "Ask your back end for a new one" in told["detail"]
    assert headers["Content-Type"] == "application/problem+json"


async def test_a_token_that_nobody_signed_or_that_is_none_is_refused(nobody: Caller) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    unknown = customer_token(key=private, algorithm="RS256")
    _, claims, _ = customer_token().split(".")
    unsigned = [f"{part({'alg': name})}.{claims}." for name in ("none", "NONE", ["HS256"], None)]
    for token in (*unsigned, UNSIGNED, "a.b.c", "x", customer_token()[:-3], unknown, "e30." * 3):
        status, _, _ = await nobody.call("POST", "/chat/session", json={"customer_token": token})
        assert status == 401, token


async def test_a_public_key_opens_rs256_and_is_no_secret_for_hs256(tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(public)
    log = open_log(None, tmp_path)
    settings = Settings(customer_token_public_key=tmp_path / "key.pem", _env_file=None)
    try:
        tokens = CustomerTokens(settings, log.records)
        assert (await tokens.exchange(customer_token(private, "RS256", sub="anna"))).customer == "anna"
        head, claims, _ = customer_token().split(".")
        forged = hmac.digest(public, f"{head}.{claims}".encode(), "sha256")
        with pytest.raises(Refused, match="must be signed with RS256"):
            await tokens.exchange(f"{head}.{claims}.{base64.urlsafe_b64encode(forged).decode().rstrip('=')}")
    finally:
        await log.close()


async def test_a_clock_that_is_a_little_off_is_forgiven(nobody: Caller) -> None:
    await nobody.begin(customer_token=customer_token(iat=int(time.time()) + 20, exp=int(time.time()) + 300))
    await nobody.begin(customer_token=customer_token(iat=int(time.time()) - 300, exp=int(time.time()) - 20))


async def test_what_an_anonymous_customer_said_is_theirs_once_they_sign_in_and_nobody_elses(anna: Caller) -> None:
    conversation = (await anna.say("before I signed in"))["message"]["conversation"]
    token = customer_token()
    known = await Caller(anna.address, anna.http).begin(customer_token=token, renew_token=anna.session["renew_token"])
    assert (known.session["claimed"], known.session["signed_in"]) == (1, True)
    _, history, _ = await known.call("GET", f"/chat/history/{conversation}")
    assert history["lines"][0]["text"] == "before I signed in"
    assert (await known.say("and now", conversation))["reply"]["text"] == "You said: and now"
    for path in (f"/chat/history/{conversation}", "/chat/conversations"):
        assert (await anna.call("GET", path))[0] == 401, "the anonymous session ended with the sign-in"
    assert (await anna.call("POST", "/chat/session", json={"renew_token": anna.session["renew_token"]}))[0] == 401


async def test_a_session_token_opens_nothing_else_and_nothing_else_opens_a_session(anna: Caller, dora: Caller) -> None:
    session, renewal, staff = anna.token, anna.session["renew_token"], dora.token
    stranger = Caller(anna.address, anna.http)
    for token in (renewal, staff, UNSIGNED, customer_token()):
        stranger.token = token
        assert (await stranger.call("GET", "/chat/conversations"))[0] == 401
    for token in (session, renewal, UNSIGNED, customer_token()):
        stranger.token = token
        assert (await stranger.call("GET", "/conversations"))[0] == 401
    status, _, _ = await stranger.call("POST", "/chat/session", json={"renew_token": session})
    assert status == 401


async def test_tokens_of_ours_that_have_run_out_or_that_nobody_signed_open_nothing(anna: Caller, server: Server) -> None:
    ours = Tokens(Settings(data_dir=server.data_dir, session_seconds=60, _env_file=None))
    session, genuine = ours.begin(CustomerId(anna.customer), signed_in=False)
    _, late = ours.begin(session.customer, signed_in=False, most_seconds=-1)
    _, claims, _ = genuine.split(".")
    caller = Caller(anna.address, anna.http, token=genuine)
    assert (await caller.call("GET", "/chat/conversations"))[0] == 200
    for caller.token in (late, f"{part({'alg': 'none'})}.{claims}.", f"{part({'alg': 'HS256'})}.{claims}.AAAA"):
        status, told, _ = await caller.call("GET", "/chat/conversations")
        assert (status, told["code"]) == (401, "session")
        assert "POST /api/v1/chat/session" in told["detail"]
        async with await caller.socket() as ws:
            await ws.send_json({"type": "join", "token": caller.token})
            assert (await ws.receive_json(timeout=60))["problem"]["code"] == "session"


async def test_a_session_that_was_read_before_still_runs_out(tmp_path: Path) -> None:
    ours = Tokens(Settings(data_dir=tmp_path, _env_file=None))
    session, token = ours.begin(CustomerId("anna"), signed_in=False, most_seconds=5)
    first = ours.read_session(token)
    assert first is not None
    assert (first.customer, first.id) == (session.customer, session.id)
    async with asyncio.timeout(60):
        while ours.read_session(token):  # noqa: ASYNC110  (a clock)
            await asyncio.sleep(0.05)


def test_weak_secrets_are_refused_at_the_start_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for weak in ("short", "a" * 40, "abcabcabc" * 5):
        with pytest.raises(ValueError, match="customer_token_secret") as refused:
            Settings(customer_token_secret=weak, _env_file=None)
        assert "too weak" in str(refused.value)
    with pytest.raises(ValueError, match="too weak"):
        Settings(chainlit_auth_secret="a" * 40, _env_file=None)


def test_a_public_key_that_is_too_small_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    good = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    file.write_bytes(good.public_bytes(*form))
    assert read_public_key(file).key_size == 2048
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    for bad in (small.public_bytes(*form), other.public_bytes(*form), b"no key"):
        file.write_bytes(bad)
        with pytest.raises(SettingsInvalid, match="CUSTOMER_TOKEN_PUBLIC_KEY"):
            read_public_key(file)
    with pytest.raises(SettingsInvalid, match="nowhere"):
        read_public_key(tmp_path / "nowhere.pem")
