"""The accounts in the log's database: they go into the log's transactions, so that one writer serves both."""

from datetime import date

from sqlalchemy import RowMapping, bindparam, func, select

from bot.accounts import Bill, Spent
from bot.domain import CustomerId
from bot.sql.books import Record, Reserve
from bot.sql.draft import is_storable_id
from bot.sql.reader import Reader
from bot.sql.tables import allowances, usage
from bot.sql.writer import Writer

TOKENS = select(allowances.c.tokens).where(
    allowances.c.customer == bindparam("customer"), allowances.c.day == bindparam("day")
)
SPENT = select(
    func.coalesce(TOKENS.scalar_subquery(), 0).label("tokens"),
    func.coalesce(func.sum(usage.c.cost), 0.0).label("cost"),
    (func.count() - func.count(usage.c.cost)).label("unpriced"),
).where(usage.c.customer == bindparam("customer"), usage.c.day == bindparam("day"))


class SqlAccounts:
    """Accounts that share a log's writer and readers; closed with the log."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader

    async def reserve(self, customer: CustomerId, day: date, tokens: int, most: int) -> bool:
        """See Accounts."""
        if not is_storable_id(customer):
            return False
        return await self._writer.write(Reserve(customer=customer, day=day, tokens=tokens, most=most))

    async def record(self, bill: Bill) -> None:
        """See Accounts."""
        await self._writer.write(Record(bill=bill))

    async def spent(self, customer: CustomerId, day: date) -> Spent:
        """See Accounts."""
        if not is_storable_id(customer):
            return Spent()
        [spent] = await self._reader.read(SPENT, read_spent, customer=customer, day=day)
        return spent


def read_spent(row: RowMapping) -> Spent:
    """The sums of a day."""
    return Spent(tokens=int(row["tokens"]), cost=float(row["cost"]), unpriced=int(row["unpriced"]))
