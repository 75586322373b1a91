"""Sets right what is typed on a phone, for the search only: "wen do i get my refnd" is searched as "when ... refund".

A word that neither the articles nor the embedding model's vocabulary has is taken for the nearest word of the articles,
where one is one slip away (two in long words) and begins with the same letter; ordinary words are never touched.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST, LONG = 4, 8
"""Letters of the shortest word that is corrected, and from which on two slips are forgiven."""
REMEMBERED = 4096
_WORD = re.compile(r"(?<!\w)[^\W\d_][\w'’]*")
# fmt: off
_SHORT = {  # what thumbs write for a common word
    "u": "you", "ur": "your", "r": "are", "y": "why", "n": "and", "yr": "your", "yh": "yes", "ppl": "people",
    "wat": "what", "wot": "what", "wen": "when", "wer": "where", "hw": "how", "bn": "been", "tht": "that", "th": "the",
    "wil": "will", "hav": "have", "cnt": "can't", "dnt": "don't", "wud": "would", "cud": "could", "shud": "should",
    "cuz": "because", "coz": "because", "bcos": "because", "abt": "about", "wiv": "with", "pls": "please", "plz": "please",
    "thx": "thanks", "tmrw": "tomorrow", "tday": "today", "2day": "today", "2moro": "tomorrow", "b4": "before",
    "msg": "message", "txt": "text", "fone": "phone", "nite": "night", "lite": "light", "slo": "slow", "hrs": "hours",
    "mins": "minutes", "acc": "account", "acct": "account", "addy": "address", "appt": "appointment", "pw": "password",
    "pwd": "password", "dd": "direct debit", "bb": "broadband", "payg": "pay as you go",
}
_KEPT = frozenset((  # words without their apostrophe, which the search knows how to read
    "dont", "wont", "cant", "isnt", "arent", "wasnt", "didnt", "doesnt", "hasnt", "havent", "couldnt", "wouldnt", "shouldnt",
    "whats", "thats", "theres", "heres", "wheres", "whos", "hows", "hes", "shes", "theyre", "youre", "youve", "theyve",
    "weve", "ive", "youll", "theyll", "itll", "itd", "gonna", "wanna", "gotta",
))
# fmt: on


class Spelling:
    """Corrects towards `known` words; `is_common` says whether a word is one that the language has anyway."""

    def __init__(self, known: Iterable[str], is_common: Callable[[str], bool]) -> None:
        self._known = frozenset(known)
        self._is_common = is_common
        self._near: dict[str, list[str]] = {}
        for word in sorted(self._known):
            if len(word) >= SHORTEST and word.isalpha():
                self._near.setdefault(word[0], []).append(word)
        self.correct: Callable[[str], str] = lru_cache(REMEMBERED)(self._correct)
        """The text as its writer may have meant it; the last few thousand texts are remembered."""

    def _correct(self, text: str) -> str:
        return _WORD.sub(lambda found: self._word(found[0]), text)

    def _word(self, written: str) -> str:
        word = written.casefold()
        if word in _SHORT:
            return _SHORT[word]
        if len(word) < SHORTEST or not word.isalpha() or self._stands(word):
            return written
        slips = 1 if len(word) < LONG else 2
        found = process.extractOne(word, self._near.get(word[0], ()), scorer=OSA.distance, score_cutoff=slips)
        return str(found[0]) if found else written

    def _stands(self, word: str) -> bool:
        stems = (word, word.removesuffix("s"), word.removesuffix("ed"), word.removesuffix("d"), word.removesuffix("ing"))
        return word in _KEPT or any(stem in self._known or self._is_common(stem) for stem in stems if len(stem) > 2)
