"""A help centre of any size: the demo company's sentences recombined, with made-up companies and products in them.

Texts are read, split, stored and searched for real. Embedding 100,000 passages takes about half an hour on two cores, so
only the source sentences and the questions are embedded; a passage's vector is the mean of its sentences' vectors and its
title's, with a little seeded noise, which spreads passages over the same space as real ones.
"""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from knowledge.document import Document, DocumentId
from knowledge.embed import DIMENSIONS, Embedder, Progress, Vectors
from knowledge.read import read_documents
from knowledge.sentences import split_sentences

FIRST, LAST = ("Nor", "Alder", "Brook", "Cald", "East", "Fern", "Hazel", "Mill"), ("ton", "wick", "field", "by")
COMPANIES = tuple(first + last for first in FIRST for last in LAST)
LINES, SIZES = ("Swift", "Clear", "Open", "Pocket", "Home", "Prime"), ("One", "Max", "Lite", "Hub", "Plus")
PRODUCTS = tuple(f"{line} {size}" for line in LINES for size in SIZES)
SENTENCES_A_PASSAGE, PASSAGES_A_DOCUMENT = 3, 8
SHORTEST, LONGEST = 5, 35
"""Words of a source sentence."""
NOISE = 0.35
"""Length of the noise beside a mean of unit vectors: near-duplicates stay near, but no two passages are the same."""


class Sentences:
    """The demo company's sentences and titles with their vectors: what a made-up help centre consists of."""

    def __init__(self, articles: Path, embedder: Embedder) -> None:
        documents = read_documents(articles).documents
        self.titles = [document.title for document in documents]
        self.texts = sorted({sentence for document in documents for sentence in _sentences(document.text)})
        self.vectors = embedder.embed_texts(self.texts)
        self.title_vectors = embedder.embed_texts(self.titles)


def _sentences(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        if not paragraph.lstrip().startswith(("#", "|", "-", "*", "1.", "`")):
            for sentence in split_sentences(" ".join(paragraph.split())):
                if SHORTEST <= len(sentence.split()) <= LONGEST:
                    yield sentence


class MadeUp:
    """Documents for `passages` passages, and an embedder that knows their vectors and embeds everything else for real."""

    def __init__(self, sentences: Sentences, passages: int, embedder: Embedder, seed: int) -> None:
        self.fingerprint = f"made-up-{seed}"
        self.embed_query = embedder.embed_query
        self._embedder = embedder
        self._sentences = sentences
        self._chance = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._vectors: dict[str, Vectors] = {}
        self.documents = [self._document(number) for number in range(-(-passages // PASSAGES_A_DOCUMENT))]

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """The vectors that were made with the texts, shape (len(texts), 384); other texts are embedded."""
        if not all(text in self._vectors for text in texts):
            return self._embedder.embed_texts(texts, progress)
        if progress is not None:
            progress(len(texts))
        return np.array([self._vectors[text] for text in texts], np.float32).reshape(-1, DIMENSIONS)

    def _document(self, number: int) -> Document:
        place = self._chance.randrange(len(self._sentences.titles))
        company, product = self._chance.choice(COMPANIES), self._chance.choice(PRODUCTS)
        title = f"{self._sentences.titles[place]} with {company} {product} {number}"
        passages = [self._passage(title, place, company, product) for _ in range(PASSAGES_A_DOCUMENT)]
        text = "\n\n".join(f"## Part {n}\n\n{passage}" for n, passage in enumerate(passages, start=1))
        for n, passage in enumerate(passages, start=1):
            self._vectors[f"{title}\nPart {n}\n{passage}"] = self._vectors.pop(passage)
        return Document(id=DocumentId(f"made-up-{number}"), title=title, text=text, category="Made up")

    def _passage(self, title: str, place: int, company: str, product: str) -> str:
        chosen = self._chance.sample(range(len(self._sentences.texts)), SENTENCES_A_PASSAGE)
        words = " ".join(self._sentences.texts[one] for one in chosen)
        text = words.replace("Larkfield", company).replace("router", f"{product} router")
        mean = np.mean([*self._sentences.vectors[chosen], self._sentences.title_vectors[place]], axis=0)
        noise = self._noise.standard_normal(DIMENSIONS)
        vector = mean + NOISE * noise / np.linalg.norm(noise)
        self._vectors[text] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return text
