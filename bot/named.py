"""Product names of which one holds the other: who asks about the Gold Card is not told about the Business Gold Card."""

import re
from collections.abc import Sequence

FEWEST_WORDS = 2
"""A name of one word is as well a word of the language."""

_WORD = re.compile(r"[^\W_]+")
_END_OF_NAME = re.compile(r"\s*(?::|\s[-–—|]\s|\()")

Words = tuple[str, ...]


def of_another_name(question: str, titles: Sequence[str]) -> frozenset[str]:
    """The titles that begin with a longer name than the one that the question says in full.

    A title begins with a name when a colon, a dash or a bracket ends it: "Gold Card: fees". Nothing where no title's name
    stands in the question, nor where the question says a word of the rest of the longer name.
    """
    asked = _words(question)
    names = {title: name for title in titles if len(name := _name(title)) >= FEWEST_WORDS}
    meant = {name for name in names.values() if _holds(asked, name)}
    return frozenset(
        title
        for title, name in names.items()
        if name not in meant and any(_holds(name, one) and not set(name) - set(one) & set(asked) for one in meant)
    )


def _name(title: str) -> Words:
    end = _END_OF_NAME.search(title)
    return _words(title[: end.start()]) if end else ()


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.casefold()))


def _holds(whole: Words, part: Words) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))
