"""Follow-ups: whether a question leans on what was said before it, and whether a rewriting of it says no more than that."""

import re

from bot.question import Question
from knowledge.document import Found
from knowledge.lexical import words

SELF_CONTAINED = 8
"""Words from which on a question that refers to nothing says itself what it is about."""
REFERRING = 4
"""Words up to which a question that refers to something is taken to lean on it."""
MOST_WORDS = 25
"""A longer message is no follow-up question."""
LONGEST = 300
"""Characters of a rewriting at most."""
MOST_NEW = 3
"""Words of a rewriting that the conversation need not hold: the verbs and prepositions that make a sentence of it."""

_CONTINUES = re.compile(
    r"\W*(?:and|but|or|also|plus|so|then|otherwise|in that case|what about|how about|what if|what else|(?:the )?same)\b",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:it|its|it['’]s|that|that['’]s|this|these|those|they|them|their|he|him|she|one|ones|there|same|other|another|"
    r"either|both|instead|too|as well|else|above|first|second|last)\b",
    re.IGNORECASE,
)
_COURTEOUS = frozenset(
    "hi hiya hey hello bye goodbye thank thx ta cheer ok okay yes yeah yep no nope great perfect brilliant good nice cool "
    "sure fine lot much very morning afternoon evening".split()
)
_OPENERS = frozenset("must may might shall whose am ok".split())
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_ADDRESS = re.compile(r"https?:|www\.|@")
_QUOTES = "\"'“”„«»‘’`"


def needs_rewriting(question: Question, found: Found, answerable_above: float) -> bool:
    """Whether a model should say the question in words of its own matter: cheap to ask, so that few calls are made.

    There is something before it, it asks something, and it leans on that or the search was unsure of it.
    """
    content = _content(question.text)
    if not question.history or question.document or len(content) > MOST_WORDS or _is_courtesy(question.text):
        return False
    stands_alone = len(content) >= SELF_CONTAINED and not _REFERS.search(question.text)
    return is_elliptical(question.text) or (found.answerability < answerable_above and not stands_alone)


def is_elliptical(text: str) -> bool:
    """Whether a question cannot mean much alone: "and for business customers?", "how long?", "is that refundable?"."""
    content = _content(text)
    if len(content) >= SELF_CONTAINED:
        return False
    return len(content) <= 1 or bool(_CONTINUES.match(text)) or (len(content) <= REFERRING and bool(_REFERS.search(text)))


def accept_rewriting(text: str, question: Question) -> str | None:
    """The rewriting as a question, or None: nothing new, no question of the customer's, or more than the conversation holds.

    A number, a name or an address that nobody mentioned is the model's own, and so are more than a few other words.
    """
    text = text.strip().strip(_QUOTES).strip()
    said = "\n".join((*question.history, *question.context, question.text))
    if not text or len(text) > LONGEST or "\n" in text or _ADDRESS.search(text):
        return None
    if not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(said)) or not _names_held(text, said):
        return None
    rewritten, asked, known = set(words(text)), _content(question.text), set(words(said))
    new = rewritten - known
    kept = len(rewritten & asked) * 2 >= len(asked)
    if rewritten == set(words(question.text)) or not kept or len(new) > MOST_NEW or len(new) * 2 > len(rewritten):
        return None
    return text


def _names_held(text: str, said: str) -> bool:
    """Whether each word with a capital letter was said before, or is one that questions begin with."""
    known = {word.casefold() for word in _WORD.findall(said)}
    named = {word.casefold() for word in _WORD.findall(text) if word[0].isupper()}
    return all(name in known or name in _OPENERS or not words(name) for name in named)


def _is_courtesy(text: str) -> bool:
    said = words(text)
    return bool(said) and not _content(text)


def _content(text: str) -> set[str]:
    return {word for word in words(text) if word not in _COURTEOUS}
