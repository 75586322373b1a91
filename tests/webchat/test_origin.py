import pytest

from bot.webchat.identity import network_of
from bot.webchat.origin import origin_allowed

ALLOWED = ("https://www.example.com",)


@pytest.mark.parametrize("origin", [None, "http://chat.example.com", "https://chat.example.com", "https://www.example.com"])
def test_our_own_pages_and_the_allowed_sites_may_come_in(origin: str | None) -> None:
    assert origin_allowed(origin, "chat.example.com", ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "https://www.example.com.evil.example", "http://www.example.com", "null", ""),
        *("chat.example.com", "file://chat.example.com", "http://", "https://chat.example.com:8443", "http://CHAT"),
    ],
)
def test_other_sites_may_not(origin: str) -> None:
    assert not origin_allowed(origin, "chat.example.com", ALLOWED)


def test_a_request_without_a_host_has_no_pages_of_its_own() -> None:
    assert not origin_allowed("http://", None, ())
    assert not origin_allowed("http://x", None, ())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("not an address", "unknown"),
        ("", "unknown"),
    ],
)
def test_visitors_are_counted_under_what_one_subscriber_has(address: str, network: str) -> None:
    assert network_of(address) == network
