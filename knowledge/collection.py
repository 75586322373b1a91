"""One collection of an index version, public or internal: vectors in Chroma, words in BM25, texts in SQLite."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.vector_stores.chroma import ChromaVectorStore
from numpy.typing import NDArray

from knowledge.document import Document, Passage
from knowledge.embed import DIMENSIONS, Progress, Vectors
from knowledge.errors import IndexCorrupt
from knowledge.lexical import Lexicon
from knowledge.texts import Texts, write_texts

Rows = NDArray[np.int64]
Keys = NDArray[np.uint8]
"""Content addresses of passages, shape (passages, 16)."""

ROWS_PER_CALL = 5_000
"""Chroma refuses more than 5,461 rows in one call."""
EF_SEARCH = 400
"""Chroma's default finds .925 of the true neighbours at 100,000 passages, this .998; it must be set at creation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a collection is written from; passages, vectors and keys have one order."""

    documents: Sequence[Document]
    passages: Sequence[Passage]
    vectors: Vectors
    keys: Keys


def embedded_text(passage: Passage) -> str:
    """What is embedded and searched: a passage alone often does not say what it is about, its title does."""
    return "\n".join(part for part in (passage.title, passage.heading, passage.text) if part)


def write_collection(folder: Path, contents: Contents, progress: Progress | None = None) -> None:
    """Write a new collection into `folder`. Raises OSError, sqlite3.Error or ChromaError, also when the disk is full."""
    folder.mkdir(parents=True)
    np.save(folder / "vectors.npy", contents.vectors)
    np.save(folder / "keys.npy", contents.keys)
    write_texts(folder / "texts.sqlite", contents.documents, contents.passages)
    if contents.passages:
        Lexicon.build([embedded_text(passage) for passage in contents.passages]).save(folder / "bm25")
        _write_chroma(folder / "chroma", folder.name, contents, progress)


def _write_chroma(folder: Path, name: str, contents: Contents, progress: Progress | None) -> None:
    client = _client(folder)
    try:
        # without embedding_function=None, opening falls back to a default that downloads a model
        collection = client.create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}}
        )
        store = ChromaVectorStore(chroma_collection=collection)
        for start in range(0, len(contents.passages), ROWS_PER_CALL):
            rows = range(start, min(start + ROWS_PER_CALL, len(contents.passages)))
            store.add([_node(contents.passages[row], contents.vectors[row]) for row in rows])
            if progress is not None:
                progress(len(rows))
    finally:
        client.close()


def _client(folder: Path) -> Client:
    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    assert isinstance(client, Client)  # noqa: S101  the declared type has no close()
    return client


def _node(passage: Passage, vector: Vectors) -> TextNode:
    return TextNode(
        id_=passage.id,
        text=passage.text,
        embedding=vector.tolist(),
        metadata={
            "title": passage.title,
            "heading": passage.heading,
            "category": passage.category,
            "url": passage.url or "",
        },
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document)},
    )


class Collection:
    """An open collection; safe from several threads. Raises IndexCorrupt, naming the folder, when it is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r")
            self.texts = Texts(folder / "texts.sqlite")
            self.size = len(self.texts.rows)
            self.lexicon = Lexicon.load(folder / "bm25") if self.size else None
            self._open_chroma()
        except (OSError, ValueError, EOFError, sqlite3.Error, ChromaError) as error:
            raise self._corrupt(str(error)) from error

    def _open_chroma(self) -> None:
        if not (self.folder / "chroma" / "chroma.sqlite3").exists():  # opening would create an empty one
            if self.size:
                raise ValueError("the vector store is missing")
            self._client = None
            return
        self._client = _client(self.folder / "chroma")
        self._chroma = self._client.get_collection(self.folder.name, embedding_function=None)

    def check(self) -> None:
        """Every part holds the same passages, and a passage finds itself. Raises IndexCorrupt."""
        if self.vectors.shape != (self.size, DIMENSIONS):
            raise self._corrupt(f"{self.size} passages but vectors of shape {self.vectors.shape}")
        if not self.size or self.lexicon is None:
            return
        if not self._chroma.count() == self.lexicon.rows == self.size:
            raise self._corrupt(f"{self.size} passages, {self._chroma.count()} in Chroma, {self.lexicon.rows} in BM25")
        rows = self.nearest(self.vectors[0], 1)
        if len(rows) != 1 or float(self.vectors[rows[0]] @ self.vectors[0]) < 0.99:
            raise self._corrupt("a passage does not find itself")

    def nearest(self, vector: Vectors, limit: int) -> Rows:
        """Rows of the passages with the highest cosine, best first."""
        if not self.size:
            return np.zeros(0, np.int64)
        try:
            result = self._chroma.query(query_embeddings=vector[np.newaxis], n_results=min(limit, self.size), include=[])
        except ChromaError as error:
            raise self._corrupt(str(error)) from error
        return np.array([self.texts.rows[one] for one in result["ids"][0]], np.int64)

    def close(self) -> None:
        """Release files and memory."""
        self.texts.close()
        if self._client is not None:
            self._client.close()

    def _corrupt(self, why: str) -> IndexCorrupt:
        return IndexCorrupt(f"The index in {self.folder} is damaged ({why}). Run `python -m knowledge ingest` again.")
