"""The demo company: a back office in our own database, for trying the bot without a real one."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from bot.backoffice.office import (
    MOST_CHANGES,
    Charge,
    CustomerAccount,
    Invoice,
    Line,
    Outage,
    Slot,
    Visit,
    VisitKind,
)
from bot.backoffice.schedule import VISITS_A_SLOT, area_of, slots_ahead
from bot.backoffice.seed import company_rows, make_company, visit_row
from bot.errors import BackofficeDown, LogUnavailable, ToolRefused
from bot.sql.store import Store, Work, lock_table
from bot.sql.tables import metadata
from bot.sql.tool_tables import office_accounts, office_changes, office_invoices, office_outages, office_visits

T = TypeVar("T")
FIRST_VISIT = 50_001
TAKEN = "That time has just been taken. Please choose another one."
UNKNOWN_VISIT = "There is no such visit on this account."
OVER = "That visit is over or cancelled already, so it cannot be changed."
TOO_OFTEN = f"That visit was moved {MOST_CHANGES} times already. A colleague can help you further."


def now_utc() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class DemoOffice:
    """A Backoffice in a store, which it does not close; the company is made when its tables are empty."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = now_utc) -> None:
        self._store = store
        self._clock = clock
        self._is_made = False

    async def account(self, account: str) -> CustomerAccount | None:
        """See Backoffice."""
        return await self._read(lambda connection: _account(connection, account))

    async def invoices(self, account: str, limit: int = 24) -> Sequence[Invoice]:
        """See Backoffice."""
        query = (
            select(office_invoices)
            .where(office_invoices.c.account == account)
            .order_by(office_invoices.c.issued.desc(), office_invoices.c.number)
            .limit(limit)
        )
        return await self._read(lambda connection: [_read_invoice(row) for row in connection.execute(query).mappings()])

    async def visits(self, account: str) -> Sequence[Visit]:
        """See Backoffice."""
        query = select(office_visits).where(office_visits.c.account == account)
        found = await self._read(lambda connection: [read_visit(row) for row in connection.execute(query).mappings()])
        return sorted(found, key=lambda visit: (not visit.is_ahead, visit.slot.day, visit.slot.start_hour))

    async def free_slots(self, account: str, line: str, kind: VisitKind) -> Sequence[Slot]:
        """See Backoffice."""

        def find(connection: Connection) -> list[Slot]:
            area = _area(connection, account, line)
            return _free(connection, area, kind, self._today()) if area else []

        return await self._read(find)

    async def outages(self, postcode: str) -> Sequence[Outage]:
        """See Backoffice."""
        query = select(office_outages).where(office_outages.c.area == area_of(postcode)).order_by(office_outages.c.number)
        return await self._read(lambda connection: [Outage(**row) for row in connection.execute(query).mappings()])

    async def book(self, account: str, line: str, kind: VisitKind, slot: Slot, key: str) -> Visit:
        """See Backoffice."""

        def change(connection: Connection) -> str:
            area = _area(connection, account, line)
            if area is None:
                raise ToolRefused("There is no such line on this account.")
            if slot not in _free(connection, area, kind, self._today()):
                raise ToolRefused(TAKEN)
            number = (
                f"FV-{FIRST_VISIT + (connection.execute(select(func.count()).select_from(office_changes)).scalar() or 0)}"
            )
            visit = Visit(number=number, account=account, line=line, kind=kind, slot=slot, status="booked")
            connection.execute(insert(office_visits).values(visit_row(visit, area)))
            return number

        return await self._change(account, key, change)

    async def move(self, account: str, visit: str, slot: Slot, key: str) -> Visit:
        """See Backoffice."""

        def change(connection: Connection) -> str:
            row = _ahead(connection, account, visit)
            if row["changes"] >= MOST_CHANGES:
                raise ToolRefused(TOO_OFTEN)
            if slot not in _free(connection, row["area"], row["kind"], self._today()):
                raise ToolRefused(TAKEN)
            values = {"day": slot.day, "start_hour": slot.start_hour, "end_hour": slot.end_hour}
            change = update(office_visits).where(office_visits.c.number == visit)
            connection.execute(change.values(**values, changes=row["changes"] + 1))
            return visit

        return await self._change(account, key, change)

    async def cancel(self, account: str, visit: str, key: str) -> Visit:
        """See Backoffice."""

        def change(connection: Connection) -> str:
            _ahead(connection, account, visit)
            connection.execute(update(office_visits).where(office_visits.c.number == visit).values(status="cancelled"))
            return visit

        return await self._change(account, key, change)

    async def close(self) -> None:
        """Nothing of its own to release."""

    async def _change(self, account: str, key: str, change: Work[str]) -> Visit:
        """Make a change once per key, and return the visit as it is then."""

        def once(connection: Connection) -> Visit:
            lock_table(connection, office_visits)
            made = select(office_changes.c.visit).where(office_changes.c.account == account, office_changes.c.key == key)
            number = connection.execute(made).scalar()
            if number is None:
                number = change(connection)
                connection.execute(insert(office_changes).values(account=account, key=key, visit=number))
            found = _visit(connection, account, number)
            if found is None:
                raise ToolRefused(UNKNOWN_VISIT)
            return read_visit(found)

        await self._make()
        try:
            return await self._store.write(once)
        except LogUnavailable as failure:
            raise BackofficeDown(str(failure)) from None

    async def _read(self, work: Work[T]) -> T:
        await self._make()
        try:
            return await self._store.read(work)
        except LogUnavailable as failure:
            raise BackofficeDown(str(failure)) from None

    async def _make(self) -> None:
        """Fill the tables where they are empty."""
        if self._is_made:
            return
        try:
            await self._store.write(lambda connection: _fill(connection, self._today()))
        except LogUnavailable as failure:
            raise BackofficeDown(str(failure)) from None
        self._is_made = True

    def _today(self) -> date:
        return self._clock().date()


def _next_number(connection: Connection) -> str:
    """A number per change, so that none comes twice."""
    changes = connection.execute(select(func.count()).select_from(office_changes)).scalar()
    return f"FV-{FIRST_VISIT + (changes or 0)}"


def _fill(connection: Connection, today: date) -> None:
    lock_table(connection, office_accounts)
    if connection.execute(select(office_accounts.c.number).limit(1)).first():
        return
    for name, rows in company_rows(make_company(today)).items():
        connection.execute(insert(metadata.tables[name]), rows)


def _account(connection: Connection, number: str) -> CustomerAccount | None:
    row = connection.execute(select(office_accounts).where(office_accounts.c.number == number)).mappings().first()
    if row is None:
        return None
    return CustomerAccount(**{**row, "lines": tuple(Line(**line) for line in row["lines"])})


def _read_invoice(row: RowMapping) -> Invoice:
    return Invoice(**{**row, "charges": tuple(Charge(**charge) for charge in row["charges"])})


def read_visit(row: RowMapping) -> Visit:
    """The visit of a row."""
    fields: dict[str, Any] = {name: row[name] for name in row if name not in ("area", "day", "start_hour", "end_hour")}
    return Visit(**fields, slot=Slot(day=row["day"], start_hour=row["start_hour"], end_hour=row["end_hour"]))


def _visit(connection: Connection, account: str, number: str) -> RowMapping | None:
    query = select(office_visits).where(office_visits.c.number == number, office_visits.c.account == account)
    return connection.execute(query).mappings().first()


def _ahead(connection: Connection, account: str, number: str) -> RowMapping:
    row = _visit(connection, account, number)
    if row is None:
        raise ToolRefused(UNKNOWN_VISIT)
    if not read_visit(row).is_ahead:
        raise ToolRefused(OVER)
    return row


def _area(connection: Connection, account: str, line: str) -> str | None:
    """The area of a broadband line of the account; an engineer comes to no other."""
    found = _account(connection, account)
    lines = [one for one in (found.lines if found else ()) if one.id == line and one.kind == "broadband"]
    return area_of(lines[0].postcode) if lines else None


def _free(connection: Connection, area: str, kind: VisitKind, today: date) -> list[Slot]:
    """The slots in an area that can take one more visit."""
    query = (
        select(office_visits.c.day, office_visits.c.start_hour, func.count())
        .where(office_visits.c.area == area, office_visits.c.status == "booked", office_visits.c.day >= today)
        .group_by(office_visits.c.day, office_visits.c.start_hour)
    )
    taken = {(day, hour): count for day, hour, count in connection.execute(query)}
    return [slot for slot in slots_ahead(today, kind) if taken.get((slot.day, slot.start_hour), 0) < VISITS_A_SLOT]
