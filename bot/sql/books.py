"""The accounts' part of a transaction: few statements whatever the number of bills, one sum per customer and day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.accounts import Bill
from bot.domain import CustomerId
from bot.sql.batch import write_batch
from bot.sql.ledger import Append, Begin, Job, Outcome
from bot.sql.tables import allowances, usage

OPEN = {
    "sqlite": sqlite.insert(allowances).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(allowances).on_conflict_do_nothing(),
}
LOCK = (
    select(allowances)
    .where(
        allowances.c.customer.in_(bindparam("customers", expanding=True)),
        allowances.c.day.in_(bindparam("days", expanding=True)),
    )
    .order_by(allowances.c.customer, allowances.c.day)  # every process locks in one order
    .with_for_update()
)
CHANGE = (
    update(allowances)
    .where(allowances.c.customer == bindparam("of"), allowances.c.day == bindparam("on"))
    .values(tokens=bindparam("now"))
)

Page = tuple[CustomerId, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Tokens to set aside unless the day would then have more than `most`."""

    customer: CustomerId
    day: date
    tokens: int
    most: int

    @property
    def page(self) -> Page:
        """Whose day it is."""
        return self.customer, self.day


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A bill to keep."""

    bill: Bill

    @property
    def page(self) -> Page:
        """Whose day it is."""
        return self.bill.account.customer, self.bill.day


@dataclass(frozen=True, slots=True)
class Probe:
    """Nothing to do but to see whether the database can be written."""


Booking = Reserve | Record


def write_jobs(connection: Connection, jobs: Sequence[Job | Booking | Probe]) -> list[Outcome | bool]:
    """Do the log's and the accounts' jobs in the connection's transaction; what each came to, in order."""
    said = [job for job in jobs if isinstance(job, Begin | Append)]
    booked = [job for job in jobs if isinstance(job, Reserve | Record)]
    entries = iter(write_batch(connection, said) if said else ())
    bookings = iter(keep_books(connection, booked) if booked else ())
    outcomes: list[Outcome | bool] = []
    for job in jobs:
        if isinstance(job, Probe):
            outcomes.append(True)
        else:
            outcomes.append(next(bookings) if isinstance(job, Reserve | Record) else next(entries))
    return outcomes


def keep_books(connection: Connection, jobs: Sequence[Booking]) -> list[bool]:
    """Whether each reservation was made; a bill is always kept."""
    before = lock_pages(connection, sorted({job.page for job in jobs}))
    pages = dict(before)
    outcomes = [enter(pages, job) for job in jobs]
    changed = [{"of": page[0], "on": page[1], "now": now} for page, now in pages.items() if now != before[page]]
    if changed:
        connection.execute(CHANGE, changed)
    if rows := [row for job in jobs if isinstance(job, Record) for row in usage_rows(job.bill)]:
        connection.execute(insert(usage), rows)
    return outcomes


def lock_pages(connection: Connection, pages: Sequence[Page]) -> Mapping[Page, int]:
    """The tokens of these customers' days, which nobody else changes before this transaction ends."""
    rows = [{"customer": customer, "day": day, "tokens": 0} for customer, day in pages]
    connection.execute(OPEN[connection.dialect.name], rows)
    asked = {"customers": [customer for customer, _ in pages], "days": sorted({day for _, day in pages})}
    return {(CustomerId(customer), day): tokens for customer, day, tokens in connection.execute(LOCK, asked)}


def enter(pages: dict[Page, int], job: Booking) -> bool:
    """Enter the job on its page."""
    if isinstance(job, Record):
        pages[job.page] = max(0, pages[job.page] + job.bill.tokens - job.bill.reserved)
        return True
    fits = pages[job.page] + job.tokens <= job.most
    if fits:
        pages[job.page] += job.tokens
    return fits


def usage_rows(bill: Bill) -> list[dict[str, Any]]:
    """A row per call."""
    whose = {
        "customer": bill.account.customer,
        "conversation": bill.account.conversation,
        "seq": bill.account.seq,
        "day": bill.day,
        "at": datetime.now(UTC),
    }
    return [
        {
            **whose,
            "provider": one.provider,
            "model": one.model,
            "prompt_tokens": one.prompt_tokens,
            "completion_tokens": one.completion_tokens,
            "estimated": one.estimated,
            "cost": one.cost,
            "first_token_ms": one.first_token_ms,
            "took_ms": one.took_ms,
        }
        for one in bill.usage
    ]
