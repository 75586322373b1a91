"""The verifier: how far passages bear a sentence, whether it claims anything, whether two sentences say the same.

Pure functions on text; the check uses them before anything is shown, the evaluation reports on them.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from knowledge.lexical import words
from knowledge.sentences import split_sentences

SUPPORTED = 0.6
"""A sentence passes when this share of its content words stands in what it cites; verbatim quotes reach 1.0."""
SAME = 0.75
"""Two sentences say the same when they share this much of their content words (Jaccard) and all numbers."""
SAME_MATTER = 0.5
"""Two sentences speak of the same matter when the shorter one shares this much of its content words."""

_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_MARKUP = re.compile(r"\[\d+\]|\*\*|__|`|^\s*(?:[-*+]|\d+[.)])\s+|^#+\s+|\]\([^)]*\)|[\[\]|]", re.MULTILINE)
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'-]{2,}", re.MULTILINE)
_LINK = re.compile(r"https?://|www\.|\b[\w-]+\.(?:com|net|org|io|co\.uk)\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|no|never|none|cannot|without)\b|n['’]t\b", re.IGNORECASE)
_COURTESY = re.compile(
    r"(?:i['’]m |i am |we['’]re |we are )?(?:so |very |really )?(?:sorry|happy to help|glad)\b|thank|you['’]re welcome|"
    r"let me know\b|hello|hi\b|i understand\b|i can see\b|that sounds\b|good question",
    re.IGNORECASE,
)
_COURTESY_WORDS = 16


def support(sentence: str, sources: Sequence[str]) -> float:
    """How far the sources bear the sentence, in [0, 1]: the share of its content words they hold.

    A number, a name or a web address that no source has is a veto, not a weight: 0; so is a "not" that the sources which
    say the same do not have, or the other way round. A sentence without content words has full support. Token precision is
    the strongest single feature on BEGIN and FaithDial (docs/decisions/0007).
    """
    source = "\n".join(sources)
    plain = _MARKUP.sub(" ", sentence)
    if (
        not _numbers(plain) <= _numbers(source)
        or not _held(_NAME.findall(plain), source)
        or not _links_held(sentence, source)
    ):
        return 0.0
    claimed = _content(plain)
    if _is_turned(plain, claimed, sources):
        return 0.0
    return len(claimed & _content(source)) / len(claimed) if claimed else 1.0


def makes_claim(sentence: str) -> bool:
    """Whether the sentence states something that needs a source; a question back, a greeting or sympathy does not."""
    plain = _MARKUP.sub(" ", sentence).strip(" \n\t#*-")
    if not _content(plain) or (plain.endswith((":", "?")) and not _numbers(plain)) or plain.isupper():
        return bool(_numbers(plain)) and plain.isupper()
    if sentence.strip().startswith(("#", "**")) and sentence.strip().endswith("**"):
        return False
    return not (_COURTESY.match(plain) and len(plain.split()) <= _COURTESY_WORDS and not _numbers(plain))


def repeats(sentence: str, shown: Iterable[str]) -> bool:
    """Whether the customer has read the same already, in these or nearly these words."""
    mine, numbers = _content(sentence), _numbers(_MARKUP.sub(" ", sentence))
    return any(
        len(mine & theirs) >= SAME * len(mine | theirs) and numbers == _numbers(_MARKUP.sub(" ", other))
        for other in shown
        if (theirs := _content(other)) and mine
    )


def contradicts(sentence: str, shown: Iterable[str]) -> bool:
    """Whether it speaks of the matter of a sentence that was shown, with other numbers or the other way round."""
    plain = _MARKUP.sub(" ", sentence)
    mine, numbers, negated = _content(plain) - _digits(plain), _numbers(plain), bool(_NEGATION.search(plain))
    for other in shown:
        before = _MARKUP.sub(" ", other)
        theirs = _content(before) - _digits(before)
        if not mine or not theirs or len(mine & theirs) < SAME_MATTER * min(len(mine), len(theirs)):
            continue
        differing = bool(numbers) and bool(_numbers(before)) and not numbers & _numbers(before)
        if differing or (negated != bool(_NEGATION.search(before)) and len(mine & theirs) >= SAME * len(mine | theirs)):
            return True
    return False


def _is_turned(plain: str, claimed: set[str], sources: Sequence[str]) -> bool:
    """Whether a sentence of the sources says nearly the same the other way round, and none says it this way."""
    is_negated, is_turned = bool(_NEGATION.search(plain)), False
    for source in sources:
        for theirs, negated in _sentences(source):
            shared = len(claimed & theirs)
            if negated == is_negated and shared >= SAME * len(claimed):
                return False
            is_turned |= negated != is_negated and shared >= SAME * len(claimed | theirs)
    return is_turned and bool(claimed)


@lru_cache(512)
def _sentences(source: str) -> tuple[tuple[frozenset[str], bool], ...]:
    """The content words of each sentence, and whether it is negated."""
    plain = [_MARKUP.sub(" ", one) for one in split_sentences(source)]
    return tuple((frozenset(_content(one)), bool(_NEGATION.search(one))) for one in plain)


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text))


def _digits(text: str) -> set[str]:
    return {word for word in words(text) if word[0].isdigit()}


def _held(names: Iterable[str], source: str) -> bool:
    known = source.casefold()
    return all(re.sub(r"['’]s$", "", name.casefold()) in known for name in names)


def _links_held(sentence: str, source: str) -> bool:
    return not _LINK.search(sentence) or all(link in source for link in re.findall(r"[\w./:-]+\.[\w./-]+\w", sentence))


def _content(text: str) -> set[str]:
    return {_stem(word) for word in words(text)}


def _stem(word: str) -> str:
    """Fold verb endings, roughly (plurals are folded already): the same word in other grammar counts as the same."""
    for ending in ("ing", "ed", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
