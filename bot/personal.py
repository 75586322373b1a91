"""Personal data in a text: found without a model, by shape, check digits and the words before it.

Names and postal addresses cannot be found this way, and are not.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.personal_numbers import find_cards, find_ibans, find_national_ids, find_phones
from bot.personal_secrets import find_bank_accounts, find_emails, find_secrets


class Personal(StrEnum):
    """Kinds of personal data, in the order they are looked for; the value is what the customer reads."""

    IBAN = "IBAN"
    CARD = "card number"
    SECRET = "password"  # noqa: S105 - a kind of data, not one
    EMAIL = "e-mail address"
    NATIONAL_ID = "identity number"
    BANK_ACCOUNT = "bank account"
    PHONE = "phone number"


NEVER_KEPT = frozenset({Personal.CARD, Personal.IBAN, Personal.SECRET, Personal.NATIONAL_ID, Personal.BANK_ACCOUNT})
"""What no colleague needs from a chat: hidden before a message is stored (docs/decisions/0023-guard.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where personal data stands in a text: characters `start` to `end`."""

    kind: Personal
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A text with `[card number]` and the like in place of what was found; `found` counts in the original text."""

    text: str
    found: tuple[Span, ...] = ()

    @property
    def kinds(self) -> tuple[Personal, ...]:
        """Each kind found, once."""
        return tuple(dict.fromkeys(span.kind for span in self.found))


_Finder = Callable[[str, str], Iterator[tuple[int, int]]]
_FINDERS: dict[Personal, _Finder] = {
    Personal.IBAN: lambda text, _: find_ibans(text),
    Personal.CARD: lambda text, _: find_cards(text),
    Personal.SECRET: lambda text, _: find_secrets(text),
    Personal.EMAIL: lambda text, _: find_emails(text),
    Personal.NATIONAL_ID: lambda text, _: find_national_ids(text),
    Personal.BANK_ACCOUNT: lambda text, _: find_bank_accounts(text),
    Personal.PHONE: find_phones,
}
_DIGITS_OR_SIGNS = re.compile(r"[\d@＠]|[\w-]{20}|(?i:passw|pwd|kennwort|mot de passe|contrase|secret|\bat\b)")


def mask(text: str, country: str = "GB", kinds: Collection[Personal] = tuple(Personal)) -> Masked:
    """Hide personal data of these kinds; `country` (ISO 3166) says how phone numbers without +NN are read.

    Order and invoice numbers, prices, dates and versions stay. A text without any of it is returned as it is.
    """
    if not _DIGITS_OR_SIGNS.search(text):
        return Masked(text=text)
    seen = _same_length(text)
    found: list[Span] = []
    for kind, finder in _FINDERS.items():
        for start, end in finder(seen, country):
            found.append(Span(kind=kind, start=start, end=end))
            seen = f"{seen[:start]}{'¤' * (end - start)}{seen[end:]}"
    return _masked(text, sorted((span for span in found if span.kind in kinds), key=lambda span: span.start))


def _masked(text: str, found: list[Span]) -> Masked:
    pieces, place = [], 0
    for span in found:
        pieces += [text[place : span.start], f"[{span.kind}]"]
        place = span.end
    return Masked(text="".join([*pieces, text[place:]]), found=tuple(found))


_PLAIN = {ord(sign): " " for sign in "\u00a0\u2007\u2009\u202f\u200a\u3000"} | {ord(sign): "-" for sign in "‐‑‒–—−"}


def _same_length(text: str) -> str:
    """ASCII digits, letters, spaces and hyphens for their look-alikes (full-width, Arabic), character for character."""
    if text.isascii():
        return text
    return "".join(_ascii(sign) for sign in text.translate(_PLAIN))


def _ascii(sign: str) -> str:
    if sign.isascii():
        return sign
    if (digit := unicodedata.decimal(sign, None)) is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 else sign


def masked_notice(kinds: tuple[Personal, ...]) -> str:
    """What the customer is told when something was hidden; empty when nothing was."""
    if not kinds:
        return ""
    articles = [f"{'an' if kind[0] in 'eiI' else 'a'} {kind}" for kind in kinds]
    named = " and ".join([*([", ".join(articles[:-1])] if articles[:-1] else []), articles[-1]])
    return f"For your safety I've hidden {named} in your message. Please don't send such details in this chat."
