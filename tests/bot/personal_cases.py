"""Sentences with generated personal data, and with what looks like it: the same ones on every run (seeded)."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

SEED = 20_261_120


@dataclass(frozen=True)
class Case:
    """A sentence; `value` is the data in it, `kind` is None when it must stay."""

    kind: str | None
    value: str
    text: str


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))


def card(dice: random.Random) -> str:
    prefix, length = dice.choice(
        [("4", 16), ("51", 16), ("55", 16), ("2223", 16), ("34", 15), ("37", 15), ("6011", 16), ("3528", 16), ("36", 14)]
    )
    body = prefix + _digits(dice, length - len(prefix) - 1)
    total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(body)))
    number = body + str(-total % 10)
    sign = dice.choice(["", " ", "-", " "])
    cuts = (4, 10) if length == 15 else (4, 8, 12)
    edges = [0, *cuts, length]
    return sign.join(number[a:b] for a, b in pairwise(edges))


def iban(dice: random.Random) -> str:
    country, length, letters = dice.choice(
        [
            ("GB", 22, 4),
            ("DE", 22, 0),
            ("NL", 18, 4),
            ("FR", 27, 0),
            ("ES", 24, 0),
            ("IE", 22, 4),
            ("PL", 28, 0),
            ("BE", 16, 0),
            ("MT", 31, 4),
            ("NO", 15, 0),
        ]
    )
    body = "".join(dice.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=letters)) + _digits(dice, length - 4 - letters)
    check = 98 - int("".join(str(int(sign, 36)) for sign in f"{body}{country}00")) % 97
    value = f"{country}{check:02}{body}"
    form = dice.choice(["plain", "groups", "lower", "hyphens"])
    groups = [value[place : place + 4] for place in range(0, len(value), 4)]
    return {"plain": value, "groups": " ".join(groups), "lower": value.lower(), "hyphens": "-".join(groups)}[form]


def email(dice: random.Random) -> str:
    name = dice.choice(
        ["anna.meyer", "j_smith", "o'brien", "li-wei", "tomas", "zoë.k", "a.b.c", "info+news", "MARIA"]
    ) + dice.choice(["", str(dice.randint(1, 99))])
    host = dice.choice(
        ["gmail.com", "example.co.uk", "mail.example.org", "web.de", "uni-köln.de", "icloud.com", "my-firm.io"]
    )
    return dice.choice(
        [f"{name}@{host}"] * 8 + [f"{name} (at) {host}", f"{name.replace('.', '_')} at {host.replace('.', ' dot ')}"]
    )


def phone(dice: random.Random) -> str:
    return dice.choice(
        [
            f"07{dice.randint(4, 9)}{_digits(dice, 2)} {_digits(dice, 6)}",
            f"07{dice.randint(4, 9)}{_digits(dice, 8)}",
            f"+44 7{dice.randint(4, 9)}{_digits(dice, 2)} {_digits(dice, 6)}",
            f"+447{dice.randint(4, 9)}{_digits(dice, 8)}",
            f"(020) 7{_digits(dice, 3)} {_digits(dice, 4)}",
            f"020 7{_digits(dice, 3)} {_digits(dice, 4)}",
            f"0161-{_digits(dice, 3)}-{_digits(dice, 4)}",
            f"01632 {_digits(dice, 6)}",
            f"+49 17{dice.randint(0, 9)} {_digits(dice, 7)}",
            f"0049 30 {_digits(dice, 7)}",
            f"+33 6 {_digits(dice, 2)} {_digits(dice, 2)} {_digits(dice, 2)} {_digits(dice, 2)}",
            f"+1 (415) 555-{_digits(dice, 4)}",
            f"415-555-{_digits(dice, 4)}",
            f"(212) 555-{_digits(dice, 4)}",
            f"+1-202-555-{_digits(dice, 4)}",
            f"+34 6{_digits(dice, 2)} {_digits(dice, 3)} {_digits(dice, 3)}",
            f"0044 20 7{_digits(dice, 3)} {_digits(dice, 4)}",
            f"+353 85 {_digits(dice, 3)} {_digits(dice, 4)}",
            f"089/{_digits(dice, 7)}",
            f"+44 (0)20 7{_digits(dice, 3)} {_digits(dice, 4)}",
        ]
    )


def national_id(dice: random.Random) -> str:
    spanish, pairs = int(_digits(dice, 8)), [_digits(dice, 2) for _ in range(3)]
    return dice.choice(
        [
            f"{dice.choice(['AB', 'CE', 'JN'])} {' '.join(pairs)} {dice.choice('ABCD')}",
            f"{dice.randint(100, 665)}-{dice.randint(10, 99)}-{dice.randint(1000, 9999)}",
            f"{spanish:08}{'TRWAGMYFPDXBNJZSQVHLCKE'[spanish % 23]}",
        ]
    )


def password(dice: random.Random) -> str:
    return (
        dice.choice(["Summer", "hunter", "Tr0ub4dor", "qwerty", "Larkfield"])
        + _digits(dice, 3)
        + dice.choice(["", "!", "$", "#x"])
    )


def business(dice: random.Random) -> str:
    return dice.choice(
        [
            f"order LF-{_digits(dice, 6)}",
            f"invoice number {_digits(dice, 8)}",
            f"ticket #{_digits(dice, 7)}",
            f"invoice INV-2026-{_digits(dice, 5)}",
            f"£{dice.randint(1, 999)}.{_digits(dice, 2)}",
            f"{dice.randint(10, 99)}.99 euros",
            f"the {dice.randint(1, 28)}/{dice.randint(1, 12)}/2026",
            f"2026-{dice.randint(10, 12)}-{dice.randint(10, 28)}",
            f"order no. {_digits(dice, 10)}",
            f"reference {_digits(dice, 9)}",
            f"account number {_digits(dice, 8)}",
            f"case FR-{_digits(dice, 6)}",
            f"IMEI 35{_digits(dice, 13)}",
            f"parcel JD{_digits(dice, 16)}GB",
            f"version {_digits(dice, 1)}.{_digits(dice, 2)}.{_digits(dice, 1)}",
            f"error code {_digits(dice, 4)}",
            f"{dice.randint(1, 12)}:{dice.randint(10, 59)}",
            f"{dice.randint(100, 900)} Mbps",
            f"firmware 2.{_digits(dice, 2)}.{_digits(dice, 3)}",
            f"tracking number {_digits(dice, 12)}",
            f"customer number {_digits(dice, 10)}",
            f"£{dice.randint(1, 9)},{_digits(dice, 3)}.00",
            f"IP 192.168.1.{dice.randint(1, 254)}",
            f"between {dice.randint(8, 11)}am and {dice.randint(1, 6)}pm",
            f"order {_digits(dice, 6)}-{_digits(dice, 4)}",
            f"SIM number 8944{_digits(dice, 15)}",
            f"model HG{_digits(dice, 4)}v{_digits(dice, 1)}",
            f"postcode SW1A {_digits(dice, 1)}AA",
            f"room {_digits(dice, 3)}, floor {_digits(dice, 1)}",
            f"in 19{_digits(dice, 2)} or 20{_digits(dice, 2)}",
        ]
    )


_MAKERS: dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]] = {
    "card number": (
        card,
        (
            "My card is {}.",
            "please charge {} instead",
            "I paid with {} exp 12/27",
            "{}",
            "card: {} cvv on request",
            "It's {}, why was it refused?",
        ),
    ),
    "IBAN": (
        iban,
        ("My IBAN is {}.", "refund to {} please", "{}", "Use {} for the Direct Debit", "the account ({}) is my wife's"),
    ),
    "e-mail address": (
        email,
        (
            "My e-mail is {}.",
            "write to {} please",
            "{}",
            "I signed up as {} last year",
            "Is <{}> still on file?",
            "send it to {}, thanks",
        ),
    ),
    "phone number": (
        phone,
        (
            "Call me on {}.",
            "my mobile is {}",
            "{}",
            "you can reach me at {} after 5",
            "I changed my number from {} last week",
            "no signal on {} since noon",
            "it's {} thanks",
        ),
    ),
    "identity number": (national_id, ("My ID is {}.", "national insurance number {}", "SSN {} if you need it")),
    "password": (
        password,
        (
            "my password is {}",
            "Password: {}",
            "pwd={} and it does not work",
            "I log in with the password '{}'... no: password: {}",
        ),
    ),
}
_BUSINESS_FRAMES = (
    "It is about {}.",
    "My message concerns {} please",
    "{}",
    "why is {} on my bill?",
    "they told me {} yesterday",
    "{} - what now?",
)


def personal_cases(each: int = 100) -> list[Case]:
    """`each` sentences for every kind, and three times as many whose numbers must stay."""
    dice = random.Random(SEED)
    cases = []
    for kind, (make, frames) in _MAKERS.items():
        for number in range(each):
            value = make(dice)
            cases.append(Case(kind, value, frames[number % len(frames)].replace("{}", value)))
    for number in range(3 * each):
        value = business(dice)
        cases.append(Case(None, value, _BUSINESS_FRAMES[number % len(_BUSINESS_FRAMES)].replace("{}", value)))
    return cases
