"""The nouns of the company's own system, and the Protocol that the demo company and a real back office keep.

The nouns are also the shape of the HTTP interface (docs/backoffice.md): what does not fit them is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, Protocol

from annotated_types import Ge, Le, MaxLen

AccountNumber = Annotated[str, MaxLen(40)]
Short = Annotated[str, MaxLen(120)]
Words = Annotated[str, MaxLen(500)]
Pence = Annotated[int, Ge(-100_000_000), Le(100_000_000)]
Hour = Annotated[int, Ge(0), Le(24)]
LineKind = Literal["broadband", "mobile"]
VisitKind = Literal["repair", "installation"]
VisitStatus = Literal["booked", "on_the_way", "done", "missed", "cancelled"]
Service = Literal["broadband", "mobile"]
OutageKind = Literal["outage", "possible", "planned"]

SHORT_NOTICE_HOURS = 24
"""A change or cancellation later than this before the slot costs `LATE_PENCE`."""
LATE_PENCE = 2500
MOST_CHANGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A service of an account; `label` is how the customer calls it, `postcode` where it is used."""

    id: Short
    kind: LineKind
    plan: Short
    label: Short
    monthly_pence: Pence
    postcode: Short = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAccount:
    """A customer of the company."""

    number: AccountNumber
    name: Short
    email: Short
    phone: Short
    postcode: Short
    since: date
    lines: Annotated[tuple[Line, ...], MaxLen(50)]
    flags: tuple[Literal["vip", "vulnerable"], ...] = ()
    """What the rules of `bot.decide` mind; nobody is shown them but agents."""

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A line of an invoice; negative for a discount or credit."""

    text: Words
    pence: Pence


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A bill for one line; its total is the sum of its charges."""

    number: Short
    account: AccountNumber
    line: Short
    kind: LineKind
    issued: date
    due: date
    is_paid: bool
    charges: Annotated[tuple[Charge, ...], MaxLen(200)]

    @property
    def pence(self) -> int:
        """The total."""
        return sum(charge.pence for charge in self.charges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time an engineer can come: from the start to the end hour of a day, local time."""

    day: date
    start_hour: Hour
    end_hour: Hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An engineer visit; `changes` counts how often it was moved."""

    number: Short
    account: AccountNumber
    line: Short
    kind: VisitKind
    slot: Slot
    status: VisitStatus
    engineer: Short = ""
    changes: int = 0

    @property
    def is_ahead(self) -> bool:
        """Whether it is still to come."""
        return self.status in ("booked", "on_the_way")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A fault or planned work in an area, which is the first half of a postcode; times are UTC."""

    number: Short
    area: Short
    service: Service
    kind: OutageKind
    began: datetime
    expected: datetime | None
    text: Words


class Backoffice(Protocol):
    """What every back office promises, held by one contract test for the demo company and the HTTP adapter.

    `account` is always the one the conversation belongs to; what is another account's is as unknown as what does not exist.
    A change with a `key` that was used before changes nothing more and returns what the first one made. Any method raises
    BackofficeDown or BackofficeWrong; a change raises ToolRefused when it is not possible, and then nothing was changed.
    """

    async def account(self, account: str) -> CustomerAccount | None:
        """The account."""
        ...

    async def invoices(self, account: str, limit: int = 24) -> Sequence[Invoice]:
        """Its invoices, latest first."""
        ...

    async def visits(self, account: str) -> Sequence[Visit]:
        """Its engineer visits, next or latest first."""
        ...

    async def free_slots(self, account: str, line: str, kind: VisitKind) -> Sequence[Slot]:
        """When an engineer can come to one of its lines, earliest first."""
        ...

    async def outages(self, postcode: str) -> Sequence[Outage]:
        """What is known about the area of a postcode now and in the next days."""
        ...

    async def book(self, account: str, line: str, kind: VisitKind, slot: Slot, key: str) -> Visit:
        """Book a visit."""
        ...

    async def move(self, account: str, visit: str, slot: Slot, key: str) -> Visit:
        """Move a visit to another slot."""
        ...

    async def cancel(self, account: str, visit: str, key: str) -> Visit:
        """Cancel a visit."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
