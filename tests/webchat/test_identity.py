import asyncio
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from starlette.responses import Response

from bot.domain import CustomerId
from bot.errors import SettingsInvalid
from bot.settings import Settings
from bot.webchat.identity import (
    COOKIE,
    LIFETIME_SECONDS,
    RENEW_AFTER_SECONDS,
    VisitorRate,
    give_cookie,
    kept_secret,
    new_visitor,
    read_visitor,
    sign,
    use_secret,
)

SECRET = "a secret of the tests, long enough for HS256"
ANNA = CustomerId("visitor-anna")


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", SECRET)
    use_secret(Settings(chainlit_auth_secret=SECRET, data_dir=tmp_path, _env_file=None))


def test_a_visitor_is_who_the_cookie_says() -> None:
    visitor = read_visitor({COOKIE: sign(ANNA, time.time())}, time.time())
    assert visitor is not None
    assert (visitor.id, visitor.stale) == (ANNA, False)


def test_a_cookie_is_given_out_anew_before_it_runs_out() -> None:
    issued = time.time() - RENEW_AFTER_SECONDS - 1
    visitor = read_visitor({COOKIE: sign(ANNA, issued)}, time.time())
    assert visitor is not None
    assert visitor.stale


def forged() -> Iterator[str]:
    now = time.time()
    claims = {"identifier": ANNA, "iat": now, "exp": now + 60}
    yield jwt.encode(claims, "another secret of the tests, long enough", algorithm="HS256")
    yield jwt.encode(claims, None, algorithm="none")
    yield jwt.encode({"identifier": ANNA, "iat": now}, SECRET, algorithm="HS256")
    yield jwt.encode({"iat": now, "exp": now + 60}, SECRET, algorithm="HS256")
    yield sign(ANNA, now - LIFETIME_SECONDS - 1)
    yield from ("", "x", "a.b.c", "é" * 10, "\x00", "a" * 100_000)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_cookie_that_is_forged_damaged_or_too_old_is_nobodys() -> None:
    assert [read_visitor({COOKIE: token}, time.time()) for token in forged()] == [None] * 11


def test_visitors_do_not_share_an_id() -> None:
    assert len({new_visitor().id for _ in range(1000)}) == 1000


@pytest.mark.parametrize("secure", [True, False])
def test_scripts_cannot_read_the_cookie_and_other_sites_cannot_send_it(secure: bool) -> None:
    response = Response()
    give_cookie(response, new_visitor(), time.time(), secure=secure)
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is secure


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret"
    first = kept_secret(path)
    assert kept_secret(path) == first
    assert len(first) >= 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret"]


async def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    secrets = await asyncio.gather(*(asyncio.to_thread(kept_secret, tmp_path / "secret") for _ in range(20)))
    assert len(set(secrets)) == 1


def test_a_damaged_secret_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")
    with pytest.raises(SettingsInvalid, match="secret is damaged: delete it"):
        kept_secret(tmp_path / "secret")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(SettingsInvalid, match=r"cannot be kept in .*data/secret"):
        kept_secret(tmp_path / "data" / "secret")


async def test_new_visitors_of_one_address_are_limited_and_others_are_not() -> None:
    rate = VisitorRate(3)
    assert [await rate.allows("203.0.113.9") for _ in range(4)] == [True, True, True, False]
    assert await rate.allows("203.0.113.10")
