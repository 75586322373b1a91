"""The breaker: leaves a failing vendor out, lets exactly one probe through, and learns nothing from what says nothing."""

import pytest

from bot.errors import (
    BadRequest,
    ContentFiltered,
    ContextTooLong,
    DeadlinePassed,
    ModelUnknown,
    ProviderDown,
    ProviderUnauthorised,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
)
from bot.llm.breaker import Breaker, BreakerRules


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(BreakerRules(failures=2, open_seconds=5, longest_seconds=300, clock=clock))


def fail(breaker, failure=None):
    permit = breaker.enter()
    permit.failed(failure or ProviderDown("x"))
    permit.give_back()


def succeed(breaker):
    permit = breaker.enter()
    permit.succeeded()
    permit.give_back()


def test_it_opens_after_failures_in_a_row_and_only_then(breaker):
    fail(breaker)
    succeed(breaker)
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"
    assert breaker.enter() is None


def test_streams_that_die_halfway_count_as_failures(breaker):
    fail(breaker, StreamBroken("x"))
    fail(breaker, StreamBroken("x"))
    assert breaker.state == "open"


def test_exactly_one_probe_goes_when_the_time_is_up(breaker, clock):
    fail(breaker)
    fail(breaker)
    clock.now = 4.9
    assert breaker.enter() is None
    clock.now = 6.1
    assert breaker.state == "half-open"
    probe = breaker.enter()
    assert probe
    assert [breaker.enter() for _ in range(100)] == [None] * 100
    probe.succeeded()
    probe.give_back()
    assert breaker.state == "closed"
    assert breaker.enter()


def test_a_failed_probe_leaves_it_out_twice_as_long_up_to_the_longest(breaker, clock):
    fail(breaker)
    fail(breaker)
    waits = []
    for _ in range(9):
        waits.append(breaker.opens_in_seconds)
        clock.now += breaker.opens_in_seconds
        fail(breaker)
    for wait, nominal in zip(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300], strict=True):
        assert nominal <= wait <= nominal * 1.2


def test_after_a_good_end_it_begins_with_the_short_time_again(breaker, clock):
    for _ in range(3):
        fail(breaker)
        if breaker.state == "closed":
            fail(breaker)
        clock.now += breaker.opens_in_seconds
    succeed(breaker)
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.opens_in_seconds <= 6


def test_a_probe_given_back_unsettled_counts_for_nothing_and_the_next_may_go(breaker, clock):
    fail(breaker)
    fail(breaker)
    clock.now = 7
    breaker.enter().give_back()
    assert breaker.state == "half-open"
    assert breaker.enter()


@pytest.mark.parametrize("failure", [BadRequest, ContextTooLong, ContentFiltered, DeadlinePassed])
def test_what_is_not_the_vendors_fault_never_opens_it(breaker, failure):
    for _ in range(50):
        fail(breaker, failure("x"))
    assert breaker.state == "closed"


@pytest.mark.parametrize("failure", [ProviderUnauthorised, ModelUnknown, QuotaExhausted])
def test_what_only_a_person_can_mend_opens_it_at_once_and_for_long(breaker, failure):
    fail(breaker, failure("x"))
    assert 300 <= breaker.opens_in_seconds <= 360


def test_retry_after_is_honoured_at_once_and_to_the_second(breaker, clock):
    fail(breaker, RateLimited("x", retry_after=17))
    assert breaker.opens_in_seconds == 17
    clock.now = 17
    assert breaker.enter()


def test_a_rate_limit_without_a_time_counts_like_any_failure(breaker):
    fail(breaker, RateLimited("x"))
    assert breaker.state == "closed"
    fail(breaker, RateLimited("x", retry_after=0))
    assert breaker.state == "open"


def test_a_hundred_streams_that_fail_together_open_it_once(breaker):
    permits = [breaker.enter() for _ in range(100)]
    for permit in permits:
        permit.failed(ProviderDown("x"))
        permit.give_back()
    assert breaker.opens_in_seconds <= 6


def test_a_stream_from_before_the_opening_does_not_close_it(breaker):
    early = breaker.enter()
    fail(breaker)
    fail(breaker)
    early.succeeded()
    early.give_back()
    assert breaker.state == "open"
