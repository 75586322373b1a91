"""BM25 over passages: words, light stemming, and the index beside each collection."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Rows = NDArray[np.int32]

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
K1, B = 1.2, 0.75
ARRAYS = ("values", "rows", "starts")


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
    """BM25 as Lucene scores it, computed ahead for every word of every text; a text's place is its row.

    A word's texts and its scores in them lie in `rows` and `values` between two of `starts`: a sparse matrix by column.
    """

    def __init__(self, size: int, tokens: Mapping[str, int], values: Scores, rows: Rows, starts: Rows) -> None:
        self.rows = size
        self._tokens, self._values, self._rows, self._starts = tokens, values, rows, starts
        self._idf = _idf(np.diff(starts), size)
        self._rarest = float(_idf(np.zeros(1, np.int32), size)[0])

    @classmethod
    def build(cls, texts: Sequence[str]) -> "Lexicon":
        """Index the texts."""
        tokens: dict[str, int] = {}
        entries: list[tuple[int, int, int]] = []
        lengths = np.zeros(len(texts), np.float32)
        for row, text in enumerate(texts):
            counts = Counter(words(text))
            lengths[row] = counts.total()
            entries += [(tokens.setdefault(word, len(tokens)), row, times) for word, times in counts.items()]
        token, rows, times = np.array(sorted(entries), np.int32).reshape(-1, 3).T
        starts = np.searchsorted(token, np.arange(len(tokens) + 1)).astype(np.int32)
        length = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if len(lengths) else 0.0, 1e-6))
        values = _idf(np.diff(starts), len(texts))[token] * times / (times + length[rows])
        return cls(len(texts), tokens, values.astype(np.float32), np.ascontiguousarray(rows), starts)

    @classmethod
    def load(cls, folder: Path) -> "Lexicon":
        """Open a saved index, mapped rather than read. Raises OSError or ValueError when missing or damaged."""
        values, rows, starts = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS)
        held = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        if not isinstance(held, dict) or len(held.get("words", ())) != len(starts) - 1:
            raise ValueError(f"{folder / 'words.json'} does not fit the scores")
        return cls(held["size"], {word: token for token, word in enumerate(held["words"])}, values, rows, starts)

    def save(self, folder: Path) -> None:
        """Write the index into a new folder."""
        folder.mkdir()
        for name, array in zip(ARRAYS, (self._values, self._rows, self._starts), strict=True):
            np.save(folder / f"{name}.npy", array)
        held = {"size": self.rows, "words": list(self._tokens)}
        (folder / "words.json").write_text(json.dumps(held, ensure_ascii=False), encoding="utf-8")

    def scores(self, weights: Mapping[str, float]) -> Scores:
        """BM25 of each passage for weighted words, shape (rows,); zeros when no word is known."""
        found = np.zeros(self.rows, np.float32)
        for word, weight in weights.items():
            token = self._tokens.get(word)
            if token is not None:
                hits = slice(self._starts[token], self._starts[token + 1])
                found[self._rows[hits]] += np.float32(weight) * self._values[hits]
        return found

    @property
    def words(self) -> Collection[str]:
        """All words it knows."""
        return self._tokens.keys()

    def idf(self, word: str) -> float:
        """Inverse document frequency; a word the collection does not have counts as the rarest possible."""
        token = self._tokens.get(word)
        return self._rarest if token is None else float(self._idf[token])


def _idf(texts_with: Rows, texts: int) -> Scores:
    return np.asarray(np.log1p((texts - texts_with + 0.5) / (texts_with + 0.5)), np.float32)
