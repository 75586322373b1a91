"""The guard: turns what a client sent into text that is safe to store, or refuses it with a reason for the customer."""

import re
import unicodedata

from bot.errors import MessageEmpty, MessageTooLong, MessageUnreadable

_CONTROL = "".join(map(chr, (*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))))
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
_TAGS = "\U000e0000-\U000e007f"
_NONCHARACTERS = "\ufdd0-\ufdef\ufffe\uffff"
_REMOVED = re.compile(f"[{re.escape(_CONTROL)}{_DIRECTION}{_INVISIBLE}{_TAGS}{_NONCHARACTERS}]")
_LINE_ENDS = re.compile("\r\n?|\u2028|\u2029|\x85")
_JOINERS_IN_ASCII = re.compile("(?<![^\\x00-\\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\\x00-\\x7f])")
_MARKS_KEPT = 4


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
