"""Which texts quote an internal article: by hashes of word sequences, so that a run's folder does not hold the articles."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from knowledge.document import Document

LENGTH = 8
"""Words in a row that are no coincidence."""
_WORD = re.compile(r"\w+")


def mark_internal(internal: Iterable[Document], public: Iterable[Document]) -> tuple[str, ...]:
    """Hashes of the word sequences that stand in internal articles and in no public one, sorted."""
    known = {mark for document in public for mark in _marks(document.text)}
    return tuple(sorted({mark for document in internal for mark in _marks(document.text)} - known))


def quotes_internal(text: str, marks: Collection[str]) -> str:
    """The first words of the text that only an internal article holds, or ""."""
    words = _WORD.findall(text.casefold())
    return next((" ".join(one) for one in _sequences(words) if _hash(one) in marks), "")


def _marks(text: str) -> Iterator[str]:
    return (_hash(one) for one in _sequences(_WORD.findall(text.casefold())))


def _sequences(words: Sequence[str]) -> Iterator[Sequence[str]]:
    return (words[start : start + LENGTH] for start in range(len(words) - LENGTH + 1))


def _hash(words: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]
