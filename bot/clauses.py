"""What of a message is read: no quoted mail, mail headers or repeats; and its parts that may hold a wish of their own."""

import re

from bot.plain import sentences

FEWEST_WORDS = 3
"""A shorter part of a sentence carries no wish of its own ("and thanks")."""
MOST_CLAUSES = 3
LONG_WORDS = 25
_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_HEADER = re.compile(r"^[ \t]*(from|to|cc|bcc|sent|date|subject|reply-to)[ \t]*:.*$", re.IGNORECASE | re.MULTILINE)
_THREAD = re.compile(
    r"^[ \t]*(-{2,} ?(original|forwarded) message ?-{2,}|on [^\n]{5,120} wrote:|_{10,})[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_LETTER = re.compile(r"[^\W\d_]")
_BREAK = re.compile(r"(?<=[.?!;])\s+|\n+|,? (?:and|but|plus) (?:also )?(?=\w)|,? also,? ", re.IGNORECASE)


def readable(text: str) -> str:
    """The customer's own words once; the text itself where there is nothing to leave out, "" where there are no letters."""
    own = text
    if thread := _THREAD.search(text):
        own = text[: thread.start()] if _LETTER.search(text[: thread.start()]) else text[thread.end() :]
    if own is not text or "\n" in text or text.lstrip().startswith(">"):
        stripped = _HEADER.sub("", _QUOTED.sub("", own)).strip()
        own = stripped if _LETTER.search(stripped) else text
    own = _once(own)
    return own if _LETTER.search(own) else ""


def clauses(text: str) -> list[str]:
    """The first parts of a message that have words enough; empty when there are fewer than two.

    A long message is taken apart by sentences, as the guard reads it: what is embedded for one serves the other.
    """
    pieces = sentences(text) if len(text.split()) > LONG_WORDS else _BREAK.split(text)
    parts = [part.strip() for part in pieces if len(part.split()) >= FEWEST_WORDS]
    return parts[:MOST_CLAUSES] if len(parts) > 1 else []


def _once(text: str) -> str:
    """A message that repeats itself three times or more, said once: its words' shortest period (Knuth, Morris, Pratt)."""
    words = text.split()
    border = [0] * len(words)
    for place in range(1, len(words)):
        length = border[place - 1]
        while length and words[place] != words[length]:
            length = border[length - 1]
        border[place] = length + (words[place] == words[length])
    period = len(words) - border[-1] if words else 0
    return " ".join(words[:period]) if words and len(words) >= 3 * period else text
