"""One collection of an index version, public or internal: vectors in Chroma, words in BM25, texts in SQLite."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.asked import Asked, Keys, Rows, learn_asked
from knowledge.document import Document, Passage
from knowledge.embed import DIMENSIONS, Progress, Vectors
from knowledge.errors import IndexCorrupt
from knowledge.lexical import Lexicon
from knowledge.texts import Texts, write_texts
from knowledge.vectors import VectorStore, write_vectors

EXACT_UP_TO = 4_000
"""Passages up to which comparing with every vector (0.1 ms a thousand) is quicker than asking Chroma (1 to 2 ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a collection is written from; passages, vectors and keys have one order, what customers ask has another."""

    documents: Sequence[Document]
    passages: Sequence[Passage]
    vectors: Vectors
    keys: Keys
    """Content addresses of the passages, shape (passages, 16)."""
    asked: Vectors
    asked_owners: Rows
    asked_keys: Keys


def embedded_text(passage: Passage) -> str:
    """What is embedded and searched: a passage alone often does not say what it is about, its title does."""
    return "\n".join(part for part in (passage.title, passage.heading, passage.text) if part)


def write_collection(folder: Path, contents: Contents, progress: Progress | None = None) -> None:
    """Write a new collection into `folder`. Raises OSError or sqlite3.Error, also when the disk is full."""
    folder.mkdir(parents=True)
    owners = _owners(contents)
    np.save(folder / "owners.npy", owners)
    np.save(folder / "means.npy", _means(contents.vectors, owners, len(contents.documents)))
    np.save(folder / "vectors.npy", contents.vectors)
    np.save(folder / "keys.npy", contents.keys)
    write_texts(folder / "texts.sqlite", contents.documents, contents.passages)
    if contents.passages:
        Lexicon.build([embedded_text(passage) for passage in contents.passages]).save(folder / "bm25")
        Lexicon.build([_searched_text(one) for one in contents.documents]).save(folder / "bm25-documents")
        if len(contents.asked):
            learn_asked(contents.asked, contents.asked_owners, contents.asked_keys, contents.vectors, owners).save(
                folder / "asked"
            )
        write_vectors(folder / "chroma", contents.passages, contents.vectors, progress)


def _searched_text(document: Document) -> str:
    """What BM25 reads of a document as a whole."""
    return "\n".join((document.title, document.text, *document.questions))


def _owners(contents: Contents) -> Rows:
    """The place of each passage's document, shape (passages,)."""
    places = {document.id: place for place, document in enumerate(contents.documents)}
    return np.array([places[passage.document] for passage in contents.passages], np.int64)


def _means(vectors: Vectors, owners: Rows, documents: int) -> Vectors:
    """What each document is about as a whole: the mean direction of its passages, shape (documents, 384)."""
    means = np.zeros((documents, DIMENSIONS), np.float32)
    np.add.at(means, owners, vectors)
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6), np.float32)


class Collection:
    """An open collection, for several threads. Raises IndexCorrupt when damaged, IndexUnavailable when read-only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.vectors: Vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))
            self.means: Vectors = np.load(folder / "means.npy", mmap_mode="r")
            self.owners: Rows = np.load(folder / "owners.npy")
            self.texts = Texts(folder / "texts.sqlite")
            self.size = len(self.texts.rows)
            self.lexicon = Lexicon.load(folder / "bm25") if self.size else Lexicon.build([])
            self.documents = Lexicon.load(folder / "bm25-documents") if self.size else self.lexicon
            self.asked = Asked.load(folder / "asked")
            self._store = VectorStore(folder / "chroma") if self.size else None
        except (OSError, ValueError, EOFError, sqlite3.Error) as error:
            raise self._corrupt(str(error)) from error

    def check(self) -> None:
        """Every part holds the same passages, and a passage finds itself. Raises IndexCorrupt."""
        if self.vectors.shape != (self.size, DIMENSIONS) or self.owners.shape != (self.size,):
            raise self._corrupt(f"{self.size} passages but vectors of shape {self.vectors.shape}")
        if self._store is None:
            return
        if not self._store.count() == self.lexicon.rows == self.size:
            raise self._corrupt(f"{self.size} passages, {self._store.count()} in Chroma, {self.lexicon.rows} in BM25")
        rows = self._stored_nearest(self.vectors[0], 1)
        if len(rows) != 1 or float(self.vectors[rows[0]] @ self.vectors[0]) < 0.99:
            raise self._corrupt("a passage does not find itself")

    def nearest(self, vector: Vectors, limit: int) -> Rows:
        """Rows of the passages with the highest cosine, best first; exact in small collections, by Chroma in large ones."""
        if self._store is None:
            return np.zeros(0, np.int64)
        if self.size > EXACT_UP_TO:
            return self._stored_nearest(vector, limit)
        cosines = self.vectors @ vector
        rows = np.argpartition(-cosines, min(limit, self.size) - 1)[:limit]
        return np.asarray(rows[np.argsort(-cosines[rows], kind="stable")], np.int64)

    def rows_of(self, documents: Rows) -> Rows:
        """The rows of these documents' passages, which lie together."""
        starts = np.searchsorted(self.owners, documents)
        ends = np.searchsorted(self.owners, documents, side="right")
        spans = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
        return np.concatenate(spans) if spans else np.zeros(0, np.int64)

    def _stored_nearest(self, vector: Vectors, limit: int) -> Rows:
        if self._store is None:
            return np.zeros(0, np.int64)
        try:
            ids = self._store.nearest(vector, min(limit, self.size))
            return np.array([self.texts.rows[one] for one in ids], np.int64)
        except (ValueError, KeyError) as error:
            raise self._corrupt(str(error)) from error

    def close(self) -> None:
        """Release files and memory."""
        self.texts.close()
        if self._store is not None:
            self._store.close()

    def _corrupt(self, why: str) -> IndexCorrupt:
        return IndexCorrupt(
            f"The index in {self.folder} is damaged ({why}). Run `python -m knowledge ingest --rebuild FOLDER`."
        )
