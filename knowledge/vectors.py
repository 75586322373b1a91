"""The vectors of one collection in embedded Chroma, written as LlamaIndex nodes.

chromadb and llama_index are imported where they are used: together 3 s of processor time, which neither an ingestion that
finds nothing changed nor (llama_index) a bot with a finished index has to pay.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.document import Passage
from knowledge.embed import Progress, Vectors
from knowledge.errors import IndexUnavailable

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from llama_index.core.schema import TextNode

ROWS_PER_CALL = 5_000
"""Chroma refuses more than 5,461 rows in one call."""
EF_SEARCH = 400
"""Chroma's default finds .925 of the true neighbours at 100,000 passages, this .998; it must be set at creation."""


def write_vectors(folder: Path, passages: Sequence[Passage], vectors: Vectors, progress: Progress | None = None) -> None:
    """Write a new store; its collection is named as the folder around it. Raises OSError, also when the disk is full."""
    from chromadb.errors import ChromaError  # noqa: PLC0415  see above
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415  see above

    client = _client(folder)
    try:
        # without embedding_function=None, opening falls back to a default that downloads a model
        collection = client.create_collection(
            folder.parent.name, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}}
        )
        store = ChromaVectorStore(chroma_collection=collection)
        for start in range(0, len(passages), ROWS_PER_CALL):
            rows = range(start, min(start + ROWS_PER_CALL, len(passages)))
            store.add([_node(passages[row], vectors[row]) for row in rows])
            if progress is not None:
                progress(len(rows))
    except ChromaError as error:
        raise OSError(f"{folder}: {error}") from error
    finally:
        client.close()


class VectorStore:
    """An open store, for several threads. Raises ValueError when missing or damaged, IndexUnavailable when read-only."""

    def __init__(self, folder: Path) -> None:
        from chromadb.errors import ChromaError  # noqa: PLC0415  see above

        self._failures = ChromaError
        if not (folder / "chroma.sqlite3").exists():  # opening would create an empty one
            raise ValueError("the vector store is missing")
        if not os.access(folder, os.W_OK) or not os.access(folder / "chroma.sqlite3", os.W_OK):
            raise IndexUnavailable(f"{folder} is read-only, and Chroma cannot open what it may not write. Make it writable.")
        try:
            self._client = _client(folder)
            self._collection = self._client.get_collection(folder.parent.name, embedding_function=None)
        except ChromaError as error:
            raise ValueError(str(error)) from error

    def nearest(self, vector: Vectors, limit: int) -> list[str]:
        """Ids of the passages with the highest cosine, best first."""
        try:
            return self._collection.query(query_embeddings=vector[None], n_results=limit, include=[])["ids"][0]
        except self._failures as error:
            raise ValueError(str(error)) from error

    def count(self) -> int:
        """How many passages the store holds."""
        return self._collection.count()

    def close(self) -> None:
        """Release files and memory."""
        self._client.close()


def _client(folder: Path) -> "Client":
    import chromadb  # noqa: PLC0415  see above
    from chromadb.api.client import Client  # noqa: PLC0415  see above
    from chromadb.config import Settings  # noqa: PLC0415  see above

    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    assert isinstance(client, Client)  # noqa: S101  the declared type has no close()
    return client


def _node(passage: Passage, vector: Vectors) -> "TextNode":
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode  # noqa: PLC0415  see above

    shown = {"title": passage.title, "heading": passage.heading, "category": passage.category, "url": passage.url or ""}
    source = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document)}
    return TextNode(id_=passage.id, text=passage.text, embedding=vector.tolist(), metadata=shown, relationships=source)
