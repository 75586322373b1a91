"""What changed between two texts, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\s+|[\w£$€.,:'’-]*\w|[^\w\s]")
MOST_WORDS = 3000
"""Of longer texts the whole is shown as changed: the time grows with the square of the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A run of words that both texts have, or that only one has (`changed`)."""

    text: str
    changed: bool


def compare_words(before: str, after: str) -> tuple[tuple[Words, ...], tuple[Words, ...]]:
    """Both texts, cut into runs of words; joined, each is the text it was."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > MOST_WORDS:
        return (Words(text=before, changed=True),), (Words(text=after, changed=True),)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    changes = matcher.get_opcodes()
    return (
        tuple(_runs([("".join(old[a:b]), tag != "equal") for tag, a, b, _, _ in changes])),
        tuple(_runs([("".join(new[a:b]), tag != "equal") for tag, _, _, a, b in changes])),
    )


def _runs(cut: list[tuple[str, bool]]) -> Iterator[Words]:
    for text, changed in cut:
        if text:
            yield Words(text=text, changed=changed)
