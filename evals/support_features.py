"""What the trained verifier looks at: how the words of a text, their order, numbers and negations stand in its sources."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from knowledge.embed import Vectors
from knowledge.lexical import words
from knowledge.sentences import split_sentences

NAMES = (
    "held",
    "order",
    "best_sentence",
    "all_words",
    "number",
    "name",
    "negation",
    "turned",
    "quantifier",
    "repetition",
    "sentences",
    "nearest",
    "near",
)
"""The features; `read_features` says what each is."""
NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
MARKUP = re.compile(r"\[\d+\]|\*\*|__|`|^\s*(?:[-*+]|\d+[.)])\s+|^#+\s+|\]\([^)]*\)|[\[\]|]", re.MULTILINE)
NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'-]{2,}", re.MULTILINE)
NEGATION = re.compile(r"\b(?:not|no|never|none|cannot|without)\b|n['’]t\b", re.IGNORECASE)
_QUANTIFIERS = frozenset(
    "all every each only most many few several some any none both never always often rarely sometimes more less least first "
    "last before after until without except not no nor cannot but however although".split()
)
"""Small words that turn a statement round when they are put in."""
_TOKEN = re.compile(r"[^\W_]+(?:'[a-z]+)?")
_APART = re.compile(r"\s+(?=(?:n't\b|[.,!?;:]))|\s+(?='\s*(?:s|t|m|d|ll|ve|re)\b)|(?<=\w\s')\s+(?=(?:s|t|m|d|ll|ve|re)\b)")
"""The spaces that some corpora put before an apostrophe or a full stop."""
_NEAR_IN_TEXT, _NEAR_IN_SOURCE = 2, 3
_SAME_MATTER = 0.5
"""Share of a sentence's content from which on a sentence of a source is about the same."""
_BEST = 3
_KEPT = 512

Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """The content words of a sentence, and whether it is negated."""

    content: frozenset[str]
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a text claims: `plain` is it without marks, `spoken` its content words in order."""

    plain: str
    spoken: tuple[str, ...]
    split: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    content: frozenset[str]
    pairs: Pairs
    tokens: tuple[str, ...]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is looked up in sources: content words by sentence and in all, pairs of them, every word, numbers, the text."""

    split: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    content: frozenset[str]
    pairs: Pairs
    tokens: frozenset[str]
    numbers: frozenset[str]
    folded: str


def read_features(text: Text, source: Source) -> dict[str, float]:
    """The features of a text against its sources, by name; `nearest` and `near` are `read_nearness`.

    held, order: log odds that a content word, or two near each other in this order, stand in a source; best_sentence: share
    of the content that the best sentence of a source holds; all_words: share of all words; number, name: 1 when no source
    has one of them; negation: 1 when there is one; turned: log of the sentences that are negated where the nearest sentence
    of a source is not, or the other way round; quantifier: log of those no source has; repetition: share of content said
    twice; sentences: log.
    """
    content = text.content
    best = max((len(content & sentence.content) for sentence in source.sentences), default=0)
    return {
        "held": _log_odds(len(content & source.content), len(content)),
        "order": _log_odds(len(text.pairs & source.pairs), len(text.pairs)),
        "best_sentence": best / len(content) if content else 1.0,
        "all_words": sum(token in source.tokens for token in text.tokens) / len(text.tokens) if text.tokens else 1.0,
        "number": float(not text.numbers <= source.numbers),
        "name": float(not holds_names(text, source)),
        "negation": float(any(sentence.negated for sentence in text.sentences)),
        "turned": math.log1p(sum(_is_turned(sentence, source) for sentence in text.sentences)),
        "quantifier": math.log1p(sum(token in _QUANTIFIERS and token not in source.tokens for token in text.tokens)),
        "repetition": 1 - len(content) / len(text.spoken) if text.spoken else 0.0,
        "sentences": math.log1p(len(text.sentences)),
    }


def read_nearness(text: Vectors, source: Vectors) -> dict[str, float]:
    """Means over the sentences of the text, shape (n, 384): `nearest` cosine of a source sentence, and of the best three."""
    cosines = np.sort(text @ source.T, axis=1)
    return {"nearest": float(cosines[:, -1].mean()), "near": float(cosines[:, -_BEST:].mean())}


def read_text(text: str) -> Text:
    """Read what is to be judged."""
    plain = tidy(MARKUP.sub(" ", text)).strip()
    spoken, split = _spoken(plain), tuple(split_sentences(plain))
    return Text(
        plain=plain,
        spoken=spoken,
        split=split or (plain,),
        sentences=tuple(_read_sentence(one) for one in split),
        content=frozenset(spoken),
        pairs=_pairs(spoken, _NEAR_IN_TEXT),
        tokens=_tokens(plain),
        numbers=find_numbers(plain),
    )


def read_sources(texts: Sequence[str]) -> Source:
    """Read sources as if they were one."""
    sources = [read_source(one) for one in texts]
    if len(sources) == 1:
        return sources[0]
    return Source(
        split=tuple(sentence for one in sources for sentence in one.split) or ("",),
        sentences=tuple(sentence for one in sources for sentence in one.sentences),
        content=frozenset().union(*(one.content for one in sources)),
        pairs=frozenset().union(*(one.pairs for one in sources)),
        tokens=frozenset().union(*(one.tokens for one in sources)),
        numbers=frozenset().union(*(one.numbers for one in sources)),
        folded="\n".join(one.folded for one in sources),
    )


@lru_cache(_KEPT)
def read_source(text: str) -> Source:
    """Read a source once; no pair crosses the end of a sentence."""
    tidied = tidy(text)
    split = tuple(split_sentences(tidied)) or ("",)
    sentences = tuple(_read_sentence(one) for one in split)
    return Source(
        split=split,
        sentences=sentences,
        content=frozenset(word for sentence in sentences for word in sentence.content),
        pairs=frozenset(pair for one in split for pair in _pairs(_spoken(one), _NEAR_IN_SOURCE)),
        tokens=frozenset(_tokens(tidied)),
        numbers=find_numbers(tidied),
        folded=tidied.casefold(),
    )


def tidy(text: str) -> str:
    """Straight apostrophes, and no spaces where nobody who writes puts them."""
    return _APART.sub("", text.replace("’", "'"))


def fold(word: str) -> str:
    """Fold verb endings, roughly (plurals are folded already): the same word in other grammar counts as the same."""
    for ending in ("ing", "ed", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def find_numbers(text: str) -> frozenset[str]:
    """The numbers of a text, as they are written."""
    return frozenset(NUMBER.findall(text))


def holds_names(text: Text, source: Source) -> bool:
    """Whether every capitalised word within a sentence of the text stands in the sources."""
    return all(name.casefold().removesuffix("'s") in source.folded for name in NAME.findall(text.plain))


def _is_turned(sentence: Sentence, source: Source) -> bool:
    """Whether the sentences of a source that say nearly the same are all negated otherwise."""
    shared = [(len(sentence.content & theirs.content), theirs.negated) for theirs in source.sentences]
    most = max((count for count, _ in shared), default=0)
    if most < _SAME_MATTER * len(sentence.content) or not most:
        return False
    return all(negated != sentence.negated for count, negated in shared if count == most)


def _read_sentence(text: str) -> Sentence:
    return Sentence(content=frozenset(_spoken(text)), negated=bool(NEGATION.search(text)))


def _spoken(text: str) -> tuple[str, ...]:
    return tuple(fold(word) for word in words(text))


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text.casefold()))


def _pairs(spoken: Sequence[str], reach: int) -> Pairs:
    """Two words in this order, at most `reach` words apart."""
    return frozenset(
        (first, second) for place, first in enumerate(spoken) for second in spoken[place + 1 : place + 1 + reach]
    )


def _log_odds(hits: int, n: int) -> float:
    """Of a share, with half a case on either side, so that a long text counts for more than a short one."""
    return math.log((hits + 0.5) / (n - hits + 0.5))
