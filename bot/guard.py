"""The guard: what a client sent becomes text that is safe to store, or is refused with a reason for the customer."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import MessageEmpty, MessageTooLong, MessageUnreadable
from bot.injection import score_injection
from bot.personal import NEVER_KEPT, mask

_CONTROL = "".join(map(chr, (*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))))
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
_TAGS = "\U000e0000-\U000e007f"
_NONCHARACTERS = "\ufdd0-\ufdef\ufffe\uffff"
_REMOVED = re.compile(f"[{re.escape(_CONTROL)}{_DIRECTION}{_INVISIBLE}{_TAGS}{_NONCHARACTERS}]")
_LINE_ENDS = re.compile("\r\n?|\u2028|\u2029|\x85")
_JOINERS_IN_ASCII = re.compile("(?<![^\\x00-\\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\\x00-\\x7f])")
_MARKS_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A message that is safe to store.

    `data` says which kinds of personal data were hidden in it (`masked`), and how much it looked like an order to the bot
    (`injection`, in [0, 1]), where there was any.
    """

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


def guard(raw: object, max_chars: int, country: str) -> Guarded:
    """The message without what nobody should keep: card numbers, accounts, identity numbers, passwords.

    Raises what `clean_text` raises. `country` (ISO 3166) is where the customers are.
    """
    masked = mask(clean_text(raw, max_chars), country, NEVER_KEPT)
    injection = score_injection(str(raw))  # as it came: cleaning takes out the characters that hide an order
    data = {"masked": list(masked.kinds)} if masked.kinds else {}
    return Guarded(text=masked.text, data=data | ({"injection": injection.score} if injection.score else {}))


def clean_text(raw: object, max_chars: int) -> str:
    """The message as it is stored: NFC, line feeds at line ends, no control, direction or invisible characters.

    Joiners that emoji and several scripts need stay. Raises MessageUnreadable (not text, broken encoding), MessageTooLong
    (over `max_chars`; never cut, OWASP AISVS 2.1.4) and MessageEmpty.
    """
    if not isinstance(raw, str):
        raise MessageUnreadable
    if len(raw) > max_chars:
        raise MessageTooLong(f"Your message has {len(raw):,} characters; I can read up to {max_chars:,}. Please shorten it.")
    if not (raw.isascii() and raw.isprintable()):
        raw = _normalise(raw)
    text = raw.strip()
    if not any(not c.isspace() and c not in "\u200c\u200d\ufe0e\ufe0f\u2800" for c in text):
        raise MessageEmpty
    return text


def _normalise(raw: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in raw):
        raise MessageUnreadable
    text = _REMOVED.sub("", _LINE_ENDS.sub("\n", raw))
    return _thin_marks(_JOINERS_IN_ASCII.sub("", unicodedata.normalize("NFC", text)))


def _thin_marks(text: str) -> str:
    """Keep at most four combining marks in a row, so that stacked marks cannot cover the lines around them."""
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MARKS_KEPT:
            kept.append(character)
    return "".join(kept)
