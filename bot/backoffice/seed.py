"""The demo company's data: 200 fictional customers with all that belongs to them, the same for the same day.

Names are made up, addresses are at example.com, telephone numbers are those that Ofcom keeps for drama, and no postcode
begins with LF.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from bot.backoffice.office import Charge, CustomerAccount, Invoice, Line, LineKind, Outage, Slot, Visit, VisitStatus
from bot.backoffice.schedule import area_of, slots_of

CUSTOMERS = 200
FIRST_ACCOUNT = 100_200_001
AREAS = tuple(f"LF{number}" for number in range(1, 11))
BILLS = 4
SEED = 20_261_120

BROADBAND: Mapping[str, int] = {
    "Essential 40": 2400,
    "Superfast 80": 2900,
    "Full Fibre 300": 3400,
    "Full Fibre 900": 4600,
}
MOBILE: Mapping[str, int] = {"SIM 5": 800, "SIM 25": 1200, "SIM 100": 1700, "SIM Unlimited": 2400}
FEES: Mapping[LineKind, tuple[tuple[str, int], ...]] = {
    "broadband": (("Late payment fee", 750), ("Missed engineer visit", 2500), ("Paper bill", 250), ("Wi-Fi Point", 400)),
    "mobile": (("Roaming, Zone 1, 4 days", 800), ("Replacement SIM", 500), ("Calls to 084 numbers", 365)),
}
FIRST_NAMES = (
    "Amira Bryn Cleo Dario Elowen Farid Greta Hamish Ines Joss Kezia Leif Maeve Nadim Orla Piers Quinn Rhona Silas Tamsin "
    "Ulla Viktor Willa Xanthe Yusuf Zelda"
).split()
LAST_NAMES = (
    "Ashgrove Birtlemoor Copperway Dunlark Eastmere Fennimore Gantry Hollowby Inglefen Jessamy Kettleby Larkham Marrowfield "
    "Nettleship Oakhanger Pennythorn Quillfeather Rookwater Sandilands Thistlewick"
).split()
ENGINEERS = ("Hollis Brandreth", "Petra Wainstone", "Idris Calloway", "Noor Tidewell")
STREETS = ("Mill Lane", "Harbour Row", "Cinder Path", "Weaver's Yard", "Orchard Rise")


@dataclass(slots=True, kw_only=True)
class Company:
    """All that the demo company starts with; `areas` says in which area each visit is."""

    accounts: list[CustomerAccount] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)

    def area(self, visit: Visit) -> str:
        """The area that a visit is in."""
        account = self.accounts[int(visit.account) - FIRST_ACCOUNT]
        line = next(line for line in account.lines if line.id == visit.line)
        return area_of(line.postcode)


def make_company(today: date) -> Company:
    """The company as it is on a day; customer 1 has two lines at two addresses, customer 2 one, customer 3 only mobile."""
    draw = Random(SEED)  # noqa: S311  a demo is the same every time
    company = Company()
    for place in range(CUSTOMERS):
        account = _account(draw, place)
        company.accounts.append(account)
        for line in account.lines:
            company.invoices += _invoices(draw, account, line, today)
        company.visits += _visits(draw, place, account, today)
    company.outages = list(_outages(today))
    return company


def _account(draw: Random, place: int) -> CustomerAccount:
    first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
    postcode = f"{AREAS[place % len(AREAS)]} {draw.randint(1, 9)}{draw.choice('ABDEFGHJ')}{draw.choice('LNPQRSTU')}"
    return CustomerAccount(
        number=str(FIRST_ACCOUNT + place),
        name=f"{first} {last}",
        email=f"{first}.{last}.{place + 1}@example.com".lower(),
        phone=f"07700 900{place:03d}",
        postcode=postcode,
        since=date(2018 + place % 8, 1 + place % 12, 1 + place % 28),
        lines=tuple(_lines(draw, place, postcode)),
    )


def _lines(draw: Random, place: int, postcode: str) -> Iterator[Line]:
    number = FIRST_ACCOUNT + place
    if place % 4 != 2:
        yield _line(f"BB-{number}-1", "broadband", draw.choice(list(BROADBAND)), f"broadband at {_street(place)}", postcode)
    if place % 4 == 0:
        plan, other = draw.choice(list(BROADBAND)), f"{AREAS[(place + 3) % len(AREAS)]} 5DT"
        yield _line(f"BB-{number}-2", "broadband", plan, f"broadband at {_street(place + 1)}", other)
    if place % 4 in (2, 3):
        yield _line(f"MB-{number}-1", "mobile", draw.choice(list(MOBILE)), f"mobile 07700 900{place:03d}", postcode)


def _line(id: str, kind: LineKind, plan: str, label: str, postcode: str) -> Line:
    price = (BROADBAND if kind == "broadband" else MOBILE)[plan]
    return Line(id=id, kind=kind, plan=plan, label=label, monthly_pence=price, postcode=postcode)


def _street(place: int) -> str:
    return f"{place % 60 + 1} {STREETS[place % len(STREETS)]}"


def _invoices(draw: Random, account: CustomerAccount, line: Line, today: date) -> Iterator[Invoice]:
    """The last bills of a line, latest first; the latest is dearer than the one before for every other customer."""
    prefix = "LKB" if line.kind == "broadband" else "LKM"
    start = draw.randint(0, 1)
    for back in range(BILLS):
        issued = today - timedelta(days=9 + 30 * back)
        fees = draw.sample(FEES[line.kind], k=2) if back == 0 and (start or account.number.endswith("1")) else []
        charges = [Charge(text=f"{line.plan}, monthly price", pence=line.monthly_pence)]
        charges += [Charge(text=text, pence=pence) for text, pence in fees]
        if back > 0:
            charges.append(Charge(text="Welcome discount", pence=-500))
        yield Invoice(
            number=f"{prefix}-{int(account.number) % 1_000_000:06d}{line.id[-1]}{back}",
            account=account.number,
            line=line.id,
            kind=line.kind,
            issued=issued,
            due=issued + timedelta(days=14),
            is_paid=back > 0,
            charges=tuple(charges),
        )


def _visits(draw: Random, place: int, account: CustomerAccount, today: date) -> Iterator[Visit]:
    """One visit ahead for the first customer and every third one after, one that is over for every fifth."""
    line = account.lines[0]
    if line.kind != "broadband":
        return
    number = 20_001 + place
    if place % 3 == 0:
        yield _visit(number, account, _slot(draw, today, range(3, 13)), status="booked")
    if place % 5 == 0:
        yield _visit(number + 10_000, account, _slot(draw, today, range(-40, -5)), status="done")


def _visit(number: int, account: CustomerAccount, slot: Slot, status: VisitStatus) -> Visit:
    return Visit(
        number=f"FV-{number}",
        account=account.number,
        line=account.lines[0].id,
        kind="repair" if number % 2 else "installation",
        slot=slot,
        status=status,
        engineer=ENGINEERS[number % len(ENGINEERS)],
    )


def _slot(draw: Random, today: date, days: Sequence[int]) -> Slot:
    while True:
        slots = list(slots_of(today + timedelta(days=draw.choice(days)), "installation"))
        if slots:
            return draw.choice(slots)


def _outages(today: date) -> Iterator[Outage]:
    """An outage in LF4, planned work in LF7, a possible problem with mobile in LF2."""
    morning = datetime(today.year, today.month, today.day, 6, 40, tzinfo=UTC)
    listed = [
        ("OUT-5001", "LF4", "broadband", "outage", 0, 9, "A cable was cut by road works. Engineers are on site."),
        ("OUT-5002", "LF7", "broadband", "planned", 66, 71, "We are replacing equipment in the exchange."),
        ("OUT-5003", "LF2", "mobile", "possible", 1, None, "Several people have reported weak signal. We are checking."),
    ]
    for number, area, service, kind, began, ends, words in listed:
        fields: Any = {"number": number, "area": area, "service": service, "kind": kind, "text": words}
        expected = morning + timedelta(hours=ends) if ends is not None else None
        yield Outage(**fields, began=morning + timedelta(hours=began), expected=expected)


def company_rows(company: Company) -> dict[str, list[dict[str, Any]]]:
    """The company as rows of its tables."""
    return {
        "office_accounts": [{**asdict(one), "lines": [asdict(line) for line in one.lines]} for one in company.accounts],
        "office_invoices": [{**asdict(one), "charges": [asdict(c) for c in one.charges]} for one in company.invoices],
        "office_visits": [visit_row(one, company.area(one)) for one in company.visits],
        "office_outages": [asdict(one) for one in company.outages],
    }


def visit_row(visit: Visit, area: str) -> dict[str, Any]:
    """A visit as a row."""
    row = asdict(visit)
    slot = row.pop("slot")
    return {**row, **slot, "area": area}
