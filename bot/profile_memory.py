"""Profiles in memory: for tests, and wherever nothing need be kept."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.domain import CustomerId
from bot.profile import Known, Profiles, Trait, has_profile, in_order


class MemoryProfiles(Profiles):
    """Profiles that are gone with the process."""

    def __init__(self, days: int = 365) -> None:
        self._kept: dict[CustomerId, dict[tuple[Trait, str], Known]] = {}
        self._days = days

    async def profile(self, customer: CustomerId) -> Sequence[Known]:
        """See Profiles."""
        since = datetime.now(UTC) - timedelta(days=self._days)
        return in_order([one for one in self._kept.get(customer, {}).values() if one.at >= since])

    async def learn(self, customer: CustomerId, known: Sequence[Known]) -> None:
        """See Profiles."""
        if not has_profile(customer):
            return
        kept = self._kept.setdefault(customer, {})
        for one in known:
            before = kept.get((one.trait, one.key))
            if before is None or before.at <= one.at:
                kept[one.trait, one.key] = one
        self._kept[customer] = {(one.trait, one.key): one for one in in_order(list(kept.values()))}

    async def forget(self, customer: CustomerId, trait: Trait | None = None) -> int:
        """See Profiles."""
        kept = self._kept.get(customer, {})
        gone = [key for key in kept if trait in (None, key[0])]
        for key in gone:
            del kept[key]
        return len(gone)

    async def expire(self, before: datetime) -> int:
        """See Profiles."""
        old = [(kept, key) for kept in self._kept.values() for key, one in kept.items() if one.at < before]
        for kept, key in old:
            del kept[key]
        return len(old)
