"""Who is a developer: the password, and the cookie that it buys."""

import time

import jwt
import pytest
from starlette.responses import Response

from bot.errors import SettingsInvalid
from bot.settings import Settings, read_settings
from bot.webchat.developers import ATTEMPTS_PER_MINUTE, COOKIE, LIFETIME_SECONDS, Developers

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "a secret of the tests, long enough for HS256")


def developers(password=PASSWORD):
    return Developers(Settings(developer_password=password, _env_file=None))


def cookie(of):
    response = Response()
    of.give_cookie(response, secure=True)
    header = response.headers["set-cookie"]
    assert "Secure" in header
    return {COOKIE: header.split("=", 1)[1].split(";")[0]}


def test_the_password_is_the_one_that_was_set_and_no_other():
    assert developers().is_password(PASSWORD)
    for wrong in ("", PASSWORD.upper(), PASSWORD + " ", "\ud800", "é" * 1000):
        assert not developers().is_password(wrong)


def test_without_a_password_nobody_is_a_developer():
    nobody = developers(None)
    assert not nobody.is_on
    assert not nobody.is_password("")
    assert not nobody.recognise(cookie(developers()))


def test_a_new_password_ends_every_visit_under_the_old_one():
    given = cookie(developers())
    assert developers().recognise(given)
    assert not developers("another long password").recognise(given)


def test_a_cookie_ends_with_the_working_day(monkeypatch):
    past = time.time() - LIFETIME_SECONDS - 60
    monkeypatch.setattr("bot.webchat.developers.time.time", lambda: past)
    given = cookie(developers())
    monkeypatch.undo()
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "a secret of the tests, long enough for HS256")
    assert not developers().recognise(given)


def test_a_token_signed_with_the_servers_secret_alone_is_no_developers():
    claims = {"aud": "developer", "exp": time.time() + 60}
    token = jwt.encode(claims, "a secret of the tests, long enough for HS256", algorithm="HS256")
    assert not developers().recognise({COOKIE: token})
    assert not developers().recognise({COOKIE: jwt.encode(claims, "", algorithm="none")})


async def test_attempts_are_counted_by_network():
    door = developers()
    assert all([await door.may_try("192.0.2.1") for _ in range(ATTEMPTS_PER_MINUTE)])
    assert not await door.may_try("192.0.2.1")
    assert await door.may_try("192.0.2.2")


@pytest.mark.parametrize("password", ["elevenchars", " " * 20])
def test_a_short_password_is_refused_at_start_without_being_told(monkeypatch, password):
    monkeypatch.setenv("DEVELOPER_PASSWORD", password)
    with pytest.raises(SettingsInvalid, match="DEVELOPER_PASSWORD: use at least 12 characters") as refused:
        read_settings()
    assert password not in str(refused.value)
