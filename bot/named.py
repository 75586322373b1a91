"""Products with like names: who asks about the Gold Rewards Card is not told about the Business Gold Rewards Card."""

import re
from collections.abc import Sequence

FEWEST_WORDS = 2
"""A name of one word is as well a word of the language."""

_WORD = re.compile(r"[^\W_]+")
_END_OF_NAME = re.compile(r"\s*(?::|\s[-–—|]\s|\()")

Words = tuple[str, ...]


def of_another_name(question: str, titles: Sequence[str]) -> frozenset[str]:
    """The titles that begin with another product's name than the one that the question says in full.

    A title begins with a name when a colon, a dash or a bracket ends it: "Gold Card: fees". Another product's holds that
    name and more, or ends like it ("Silver Rewards Card"), and none of its other words stands in the question. Nothing
    where no title's name does.
    """
    asked = _words(question)
    names = {title: name for title in titles if len(name := _name(title)) >= FEWEST_WORDS}
    meant = {name for name in names.values() if _holds(asked, name)}
    return frozenset(
        title
        for title, name in names.items()
        if name not in meant and any(_is_like(name, one) and not (set(name) - set(one)) & set(asked) for one in meant)
    )


def _is_like(name: Words, meant: Words) -> bool:
    ending = meant[1:]
    return _holds(name, meant) or (len(ending) >= FEWEST_WORDS and name[-len(ending) :] == ending)


def _name(title: str) -> Words:
    end = _END_OF_NAME.search(title)
    return _words(title[: end.start()]) if end else ()


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.casefold()))


def _holds(whole: Words, part: Words) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))
