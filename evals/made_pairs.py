"""Pairs made from the help articles: what a passage says, and the same with a number, a name or the meaning turned.

They teach the verifier what an error in a support answer looks like; nothing of them is in any labelled set.
"""

import re
from collections.abc import Iterator, Sequence

from evals.pairs import PairRow
from evals.support_features import NAME, NUMBER
from knowledge.document import Document, Passage
from knowledge.sentences import split_sentences
from knowledge.split import split_document

LEAST_WORDS, MOST_WORDS = 6, 40
_TURNED = (
    (r"\bcan\b(?! ?not)", "cannot"),
    (r"\bcannot\b", "can"),
    (r"\b(is|are|will|does|do)\b(?! not)", r"\1 not"),
    (r"\b(is|are|will|does|do) not\b", r"\1"),
)
_OPPOSITES = (
    ("before", "after"),
    ("always", "never"),
    ("more", "less"),
    ("first", "last"),
    ("all", "none"),
    ("free", "charged"),
    ("with", "without"),
    ("month", "day"),
)
_ASIDE = re.compile(r",\s[^,.]{8,60}(?=[,.])|\s\([^)]*\)")
_LOOSE = (("you can", "it is possible to"), ("your", "the"), ("you", "customers"), ("we", "Larkfield"), ("do not", "don't"))


def make_pairs(documents: Sequence[Document]) -> list[PairRow]:
    """True and false pairs in equal parts for each document; the same documents give the same pairs."""
    passages = [passage for document in documents for passage in split_document(document)]
    pairs: list[PairRow] = []
    for place, passage in enumerate(passages):
        elsewhere = passages[(place + len(passages) // 2) % len(passages)]
        for number, sentence in enumerate(_sentences(passage)):
            true = list(_true(sentence))
            false = [*_false(sentence, passage, elsewhere), *_sentences(elsewhere)[number : number + 1]]
            least = min(len(true), len(false))
            pairs += [
                PairRow(id=f"{passage.id}/{number}/{label}/{n}", source=(passage.text,), response=text, label=label)
                for label, texts in ((True, true), (False, false))
                for n, text in enumerate(texts[:least])
            ]
    return pairs


def _sentences(passage: Passage) -> list[str]:
    said = split_sentences(passage.text)
    return [one for one in said if LEAST_WORDS <= len(one.split()) <= MOST_WORDS and not one.startswith(("|", "#"))]


def _true(sentence: str) -> Iterator[str]:
    """The sentence itself, without its asides, and in a customer-service writer's other words."""
    yield sentence
    if (bare := _ASIDE.sub("", sentence)) != sentence:
        yield bare
    loose = sentence
    for written, other in _LOOSE:
        loose = re.sub(rf"\b{written}\b", other, loose, flags=re.IGNORECASE)
    if loose != sentence:
        yield loose


def _false(sentence: str, passage: Passage, elsewhere: Passage) -> Iterator[str]:
    """The sentence turned round, with an opposite, with another number, with a name from elsewhere."""
    for pattern, other in _TURNED:
        turned = re.sub(pattern, other, sentence, count=1)
        if turned != sentence:
            yield turned
            break
    for pair in (*_OPPOSITES, *((second, first) for first, second in _OPPOSITES)):
        if re.search(rf"\b{pair[0]}\b", sentence):
            yield re.sub(rf"\b{pair[0]}\b", pair[1], sentence, count=1)
            break
    if number := NUMBER.search(sentence):
        yield sentence.replace(number[0], _other_number(number[0], passage), 1)
    names = [name for name in NAME.findall(elsewhere.text) if name.casefold() not in passage.text.casefold()]
    own = NAME.findall(sentence)
    if names and own:
        yield sentence.replace(own[0], names[0], 1)


def _other_number(number: str, passage: Passage) -> str:
    """Another number of the same passage, which no look-up notices, or else one that stands nowhere."""
    others = [other for other in NUMBER.findall(passage.text) if other != number]
    return others[0] if others else re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), number)
