"""Accounts in memory: for tests, and wherever nothing need be kept."""

from collections import defaultdict
from datetime import date

from bot.accounts import Bill, Spent
from bot.domain import CustomerId


class MemoryAccounts:
    """Accounts that are gone with the process."""

    def __init__(self) -> None:
        self.bills: list[Bill] = []
        self._tokens: defaultdict[tuple[CustomerId, date], int] = defaultdict(int)

    async def reserve(self, customer: CustomerId, day: date, tokens: int, most: int) -> bool:
        """See Accounts."""
        fits = self._tokens[customer, day] + tokens <= most
        if fits:
            self._tokens[customer, day] += tokens
        return fits

    async def record(self, bill: Bill) -> None:
        """See Accounts."""
        self.bills.append(bill)
        self._tokens[bill.account.customer, bill.day] += bill.tokens - bill.reserved

    async def spent(self, customer: CustomerId, day: date) -> Spent:
        """See Accounts."""
        theirs = [bill for bill in self.bills if (bill.account.customer, bill.day) == (customer, day)]
        costs = [one.cost for bill in theirs for one in bill.usage]
        return Spent(
            tokens=self._tokens[customer, day],
            cost=sum(cost for cost in costs if cost is not None),
            unpriced=costs.count(None),
        )
