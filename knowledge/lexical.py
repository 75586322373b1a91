"""BM25 over passages: words, light stemming, and the index beside each collection (bm25s)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

WORD = re.compile(r"[^\W_]+")
# fmt: off
STOP_WORDS = frozenset((  # not "off", "on", "out", "up", "down": they are half of a customer's verbs
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do",
    "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if", "im", "in", "into", "is", "it", "its", "ive",
    "just", "me", "my", "of", "or", "our", "please", "she", "should", "so", "some", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who",
    "does", "why", "will", "with", "would", "you", "your",
))
# fmt: on
NO_WORD = ""
"""bm25s needs one token it can give to a passage without words."""


def words(text: str) -> list[str]:
    """The searched words of a text, in order: lower case, without marks and stop words, plurals made singular."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("'", "")
    return [_singular(word) for word in WORD.findall(plain) if word not in STOP_WORDS]


def _singular(word: str) -> str:
    """Harman's S-stemmer: removes plural endings and nothing else."""
    if len(word) > 4 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


class Lexicon:
    """BM25 scores of every passage of a collection (row order), and how telling a word is in it."""

    def __init__(self, bm25: bm25s.BM25) -> None:
        self._bm25 = bm25
        self._tokens: dict[str, int] = bm25.vocab_dict
        matrix = bm25.scores  # word by passage, column-compressed: own weights per word need no more than this
        self._values, self._rows, self._starts = matrix["data"], matrix["indices"], matrix["indptr"]
        self.rows: int = matrix["num_docs"]
        passages_with = np.diff(self._starts)
        self._idf = np.log1p((self.rows - passages_with + 0.5) / (passages_with + 0.5)).astype(np.float32)
        self._rarest = float(np.log1p((self.rows + 0.5) / 0.5))

    @classmethod
    def build(cls, texts: Sequence[str]) -> "Lexicon":
        """Index the texts; their order gives the rows."""
        bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        bm25.index([words(text) or [NO_WORD] for text in texts], show_progress=False)
        return cls(bm25)

    @classmethod
    def load(cls, folder: Path) -> "Lexicon":
        """Open a saved index, mapped rather than read. Raises OSError or ValueError when it is missing or damaged."""
        return cls(bm25s.BM25.load(folder, mmap=True, show_progress=False))

    def save(self, folder: Path) -> None:
        """Write the index into `folder`."""
        self._bm25.save(folder, show_progress=False)

    def scores(self, weights: Mapping[str, float]) -> Scores:
        """BM25 of each passage for weighted words, shape (rows,); zeros when no word is known."""
        found = np.zeros(self.rows, np.float32)
        for word, weight in weights.items():
            token = self._tokens.get(word)
            if token is not None:
                hits = slice(self._starts[token], self._starts[token + 1])
                found[self._rows[hits]] += np.float32(weight) * self._values[hits]
        return found

    def idf(self, word: str) -> float:
        """Inverse document frequency; a word the collection does not have counts as the rarest possible."""
        token = self._tokens.get(word)
        return self._rarest if token is None else float(self._idf[token])
