"""Is a message English? By its script and by the small words of the common languages; nothing is downloaded."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.patterns import POLICIES, read_policy

UNKNOWN = "und"
"""ISO 639's code for undetermined: emoji, digits, names, one odd word."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SHORT = re.compile(r"\w+'(?:ll|re|ve|m|s|d|t)")
_READ_WORDS = 200
_ALONE = 1.2
"""Votes that are enough for another language when no word is English."""
_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko",
    "CJK": "zh", "DEVANAGARI": "hi", "THAI": "th", "BENGALI": "bn", "TAMIL": "ta", "GEORGIAN": "ka", "ARMENIAN": "hy",
    "GURMUKHI": "pa", "GUJARATI": "gu", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "SINHALA": "si",
}  # fmt: skip
_UKRAINIAN = re.compile("[іїєґ]")


def detect_language(text: str) -> str:
    """ISO 639-1 code, `en`, or `und` when too little speaks; other scripts by their most common language.

    English is meant whenever nothing speaks against it: a rare word, a name or a slip of the keyboard is not a language.
    """
    folded = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    if (script := _script(folded)) is not None:
        return script
    words = [word for one in folded.split() if not _is_address(one) for word in _WORD.findall(one)][:_READ_WORDS]
    if len(words) < 2:  # "ciao" is no reason to change the language
        return UNKNOWN
    votes = _votes(words)
    english = votes.pop("en", 0.0)
    best, most = max(votes.items(), key=lambda vote: vote[1], default=("en", 0.0))
    if most > english and (most >= 2 or most / len(words) > 0.5 or (not english and most >= _ALONE)):
        return best
    return "en" if english > 0 or most <= english else UNKNOWN


def _is_address(word: str) -> bool:
    return "@" in word or "://" in word or word.startswith("www.")


def _script(text: str) -> str | None:
    """The language of a script other than Latin that most letters are in."""
    letters = [letter for letter in text if letter.isalpha() and not letter.isascii()][:400]
    latin = sum("a" <= letter <= "z" for letter in text[:2000])
    counts = Counter(unicodedata.name(letter, "").split(" ")[0].split("-")[0] for letter in letters)
    counts = Counter({name: count for name, count in counts.items() if name in _SCRIPTS})
    if sum(counts.values()) * 2 <= latin or not counts:  # a syllable is worth two letters
        return None
    if counts["HIRAGANA"] + counts["KATAKANA"]:
        return "ja"
    language = _SCRIPTS[counts.most_common(1)[0][0]]
    return "uk" if language == "ru" and _UKRAINIAN.search(text) else language


def _votes(words: list[str]) -> dict[str, float]:
    """Each word speaks for the languages that use it, a word of many languages for each a little; odd letters speak too."""
    table, letters = _words_of()
    votes: dict[str, float] = {}
    for word in words:
        languages = table.get(word, ("en",) if _SHORT.fullmatch(word) else ())
        for language in languages:
            votes[language] = votes.get(language, 0.0) + 1 / len(languages)
        if not word.isascii() and not languages:
            for language, signs in letters.items():
                if any(sign in word for sign in signs):
                    votes[language] = votes.get(language, 0.0) + 0.5
    return votes


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = ""
    words: dict[str, str]
    letters: dict[str, str]


@lru_cache
def _words_of(path: Path = POLICIES / "languages.yaml") -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    file = read_policy(path, _Table)
    table: dict[str, tuple[str, ...]] = {}
    for language, words in file.words.items():
        for word in words.split():
            table[word] = (*table.get(word, ()), language)
    return table, file.letters
