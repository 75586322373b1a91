"""Sets slips of the keyboard right, only towards the few words a rule needs: "agnet", "humen", "represntative"."""

import re
from collections.abc import Iterable

_SHORTEST = 5
_WORD = re.compile(r"[a-z]{4,20}")


class Spelling:
    """Maps a word one slip (missing, extra, wrong or swapped letter) away from exactly one known word to that word.

    First and last letter must stand. Words under five letters, known words and their plurals stay as they are.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._kept = self._known | {f"{word}s" for word in self._known} | {f"{word}'s" for word in self._known}
        self._near: dict[str, set[str]] = {}
        for word in self._known:
            if len(word) >= _SHORTEST:
                for shape in _shapes(word):
                    self._near.setdefault(shape, set()).add(word)

    def correct(self, plain_text: str) -> str:
        """The text with every slip set right."""
        return _WORD.sub(lambda found: self._word(found[0]), plain_text) if self._known else plain_text

    def _word(self, word: str) -> str:
        if word in self._kept or len(word) < _SHORTEST:
            return word
        near: set[str] = set()
        for shape in _shapes(word):
            near |= self._near.get(shape, set())
        near = {known for known in near if known[0] == word[0] and known[-1] == word[-1]}
        return near.pop() if len(near) == 1 else word


def _shapes(word: str) -> list[str]:
    """The word, and it without each letter: two words one slip apart share a shape (SymSpell, Garbe 2012)."""
    return [word, *(word[:place] + word[place + 1 :] for place in range(len(word)))]
