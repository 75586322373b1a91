"""The members of a failover: a model each, with its breaker, its counts and how it fares."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.errors import ProviderFailed
from bot.llm.breaker import Breaker, BreakerRules, State
from bot.llm.stream import LLM


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """How a provider fares, for `/health` and for staff; `last_error` is one of our own words."""

    provider: str
    model: str
    state: State
    failures_in_a_row: int
    opens_in_seconds: float
    answered: int
    failed: int
    last_error: str | None
    last_error_at: datetime | None


class Member:
    """A model in a failover with its breaker and its counts; `quotes` says that it only quotes and writes nothing itself."""

    def __init__(self, llm: LLM, rules: BreakerRules | None = None, *, quotes: bool = False) -> None:
        self.llm = llm
        self.quotes = quotes
        self.breaker = Breaker(rules or BreakerRules())
        self.answered = 0
        self.failed = 0
        self._last: tuple[str, datetime] | None = None

    def note(self, failure: ProviderFailed) -> None:
        """Count a failure."""
        self.failed += 1
        self._last = (failure.kind, datetime.now(UTC))

    def status(self) -> ProviderStatus:
        """How it fares now."""
        error, at = self._last or (None, None)
        return ProviderStatus(
            provider=self.llm.name,
            model=self.llm.model,
            state=self.breaker.state,
            failures_in_a_row=self.breaker.failures_in_a_row,
            opens_in_seconds=round(self.breaker.opens_in_seconds, 1),
            answered=self.answered,
            failed=self.failed,
            last_error=error,
            last_error_at=at,
        )
