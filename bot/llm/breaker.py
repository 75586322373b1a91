"""A circuit breaker for streams: it knows failures halfway, a vendor's retry-after, and customers who stop reading."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.errors import ProviderFailed

State = Literal["closed", "half-open", "open"]
JITTER = 0.2
"""Share by which an opening is longer at random, so that many processes do not come back at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When a breaker opens and for how long, in seconds; the time doubles with each relapse up to the longest."""

    failures: int = 2
    open_seconds: float = 5.0
    longest_seconds: float = 300.0
    clock: Callable[[], float] = field(default=time.monotonic)


class Breaker:
    """Lets streams through until they fail in a row; then none, and after a while exactly one at a time as a probe."""

    def __init__(self, rules: BreakerRules) -> None:
        self.failures_in_a_row = 0
        self._rules = rules
        self._until: float | None = None
        self._relapses = 0
        self._probing = False
        self._epoch = 0

    @property
    def state(self) -> State:
        """Open while nothing is let through, half-open when the next stream would be the probe or is on its way."""
        if self._until is None:
            return "closed"
        return "open" if self._rules.clock() < self._until else "half-open"

    @property
    def opens_in_seconds(self) -> float:
        """Seconds until a probe may go; 0 when closed or due."""
        return max(0.0, self._until - self._rules.clock()) if self._until is not None else 0.0

    def enter(self) -> "Permit | None":
        """A permit for one stream, or None while the vendor is left out."""
        state = self.state
        if state == "closed":
            return Permit(self, self._epoch)
        if state == "open" or self._probing:
            return None
        self._probing = True
        return Permit(self, self._epoch)

    def succeeded(self, epoch: int) -> None:
        """A stream of this epoch came to a good end."""
        if epoch == self._epoch:
            self.failures_in_a_row = self._relapses = 0
            self._until = None

    def failed(self, epoch: int, failure: ProviderFailed) -> None:
        """A stream of this epoch failed; those that began before the last opening say nothing new."""
        if epoch != self._epoch or failure.trips == "never":
            return
        self.failures_in_a_row += 1
        tripped = failure.trips == "at once" or bool(failure.retry_after) or self.failures_in_a_row >= self._rules.failures
        if tripped or self._until is not None:
            self._open(failure)

    def released(self, epoch: int) -> None:
        """A stream of this epoch is over, whatever became of it."""
        if epoch == self._epoch:
            self._probing = False

    def _open(self, failure: ProviderFailed) -> None:
        rules = self._rules
        seconds = min(rules.open_seconds * 2**self._relapses, rules.longest_seconds)
        if failure.trips == "at once":
            seconds = rules.longest_seconds
        seconds *= 1 + JITTER * random.random()  # noqa: S311  (spreads load, guards nothing)
        self._until = rules.clock() + (failure.retry_after or seconds)
        self._relapses = min(self._relapses + 1, 30)
        self._epoch += 1
        self._probing = False


class Permit:
    """One stream's leave. It is settled once, by success or failure; given back unsettled it counts for nothing."""

    def __init__(self, breaker: Breaker, epoch: int) -> None:
        self._breaker = breaker
        self._epoch = epoch

    def succeeded(self) -> None:
        """The stream came to a good end."""
        self._breaker.succeeded(self._epoch)

    def failed(self, failure: ProviderFailed) -> None:
        """The stream failed."""
        self._breaker.failed(self._epoch, failure)

    def give_back(self) -> None:
        """The stream is over; call this always."""
        self._breaker.released(self._epoch)
