"""Documents in, a finished index version out: incremental, checked, and swapped in by one atomic rename."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from chromadb.errors import ChromaError

from knowledge.collection import Collection, Contents, Keys, embedded_text, write_collection
from knowledge.document import Document, Passage
from knowledge.embed import DIMENSIONS, Embedder, Progress, Vectors
from knowledge.errors import DuplicateDocument, IndexCorrupt, IndexMissing, IngestFailed
from knowledge.split import split_document
from knowledge.versions import Manifest, Versions

FORMAT = "1"
"""Part of the content hash: raise it when the files of a version change their meaning, and the next ingest builds anew."""
PARTS = ("public", "internal")

Stages = Callable[[str, int], Progress]
"""Called with the name and size of each stage of the work, gives the listener for its progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What an ingestion did; `changed` is False when the current version already held exactly these documents."""

    manifest: Manifest
    changed: bool


def build_index(
    documents: Sequence[Document], root: Path, embedder: Embedder | None = None, stages: Stages | None = None
) -> Built:
    """Make the documents the knowledge base in `root`, all others leave it; the same documents again change nothing.

    Raises DuplicateDocument, IngestBusy or IngestFailed; then the version in use is untouched and stays in use.
    """
    _check_ids(documents)
    versions = Versions(root)
    with versions.writing():
        try:
            return _build(documents, versions, embedder or Embedder(), stages or _silent)
        except (OSError, sqlite3.Error, ChromaError, IndexCorrupt) as error:
            raise IngestFailed(f"The index could not be written to {root} ({error}). Nothing was changed.") from error
        finally:
            versions.prune()


def _build(documents: Sequence[Document], versions: Versions, embedder: Embedder, stages: Stages) -> Built:
    started = time.monotonic()
    parts = {part: _passages(documents, internal=part == "internal") for part in PARTS}
    keys = {part: _keys(parts[part][1], embedder) for part in PARTS}
    content = _content(documents, keys)
    current = _current(versions)
    if current is not None and current.content == content:
        return Built(manifest=current, changed=False)

    now = datetime.now(UTC)
    folder = versions.folder / f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{content[:12]}"
    known = _known_vectors(versions, current)
    reused = 0
    for part, (own, passages) in parts.items():
        vectors, old = _vectors(passages, keys[part], known, embedder, stages)
        reused += old
        contents = Contents(documents=own, passages=passages, vectors=vectors, keys=keys[part])
        write_collection(folder / part, contents, stages("index", len(passages)) if passages else None)
        _check(folder / part)
    (folder / "answerability.json").write_text("{}", encoding="utf-8")
    manifest = Manifest(
        id=folder.name,
        content=content,
        built=now.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - started, 2),
        documents=len(parts["public"][0]),
        internal_documents=len(parts["internal"][0]),
        passages=len(parts["public"][1]),
        internal_passages=len(parts["internal"][1]),
        reused_passages=reused,
    )
    versions.finish(manifest)
    return Built(manifest=manifest, changed=True)


def _check_ids(documents: Sequence[Document]) -> None:
    sources: dict[str, str] = {}
    for document in documents:
        if document.id in sources:
            raise DuplicateDocument(document.id, sources[document.id], document.source)
        sources[document.id] = document.source


def _passages(documents: Sequence[Document], internal: bool) -> tuple[list[Document], list[Passage]]:
    own = sorted((one for one in documents if one.internal is internal), key=lambda one: one.id)
    return own, [passage for document in own for passage in split_document(document)]


def _keys(passages: Sequence[Passage], embedder: Embedder) -> Keys:
    texts = (f"{embedder.fingerprint}\n{embedded_text(passage)}" for passage in passages)
    digests = b"".join(hashlib.sha256(text.encode()).digest()[:16] for text in texts)
    return np.frombuffer(digests, np.uint8).reshape(-1, 16)


def _content(documents: Sequence[Document], keys: dict[str, Keys]) -> str:
    digest = hashlib.sha256(FORMAT.encode())
    for document in sorted(documents, key=lambda one: one.id):
        digest.update(repr((document.id, document.title, document.text, document.category)).encode())
        digest.update(repr((document.updated, document.internal, document.url)).encode())
    for part in PARTS:
        digest.update(keys[part].tobytes() + part.encode())
    return digest.hexdigest()


def _current(versions: Versions) -> Manifest | None:
    try:
        return versions.manifest(versions.current())
    except (IndexMissing, IndexCorrupt):
        return None


def _known_vectors(versions: Versions, current: Manifest | None) -> dict[bytes, Vectors]:
    if current is None:
        return {}
    known: dict[bytes, Vectors] = {}
    for part in PARTS:
        folder = versions.folder / current.id / part
        try:
            keys, vectors = np.load(folder / "keys.npy"), np.load(folder / "vectors.npy", mmap_mode="r")
        except (OSError, ValueError, EOFError):
            continue  # a damaged version is rebuilt from the documents alone
        known.update((key.tobytes(), vector) for key, vector in zip(keys, vectors, strict=False))
    return known


def _vectors(
    passages: Sequence[Passage], keys: Keys, known: dict[bytes, Vectors], embedder: Embedder, stages: Stages
) -> tuple[Vectors, int]:
    """The passages' vectors, and how many of them were known."""
    vectors = np.zeros((len(passages), DIMENSIONS), np.float32)
    fresh = []
    for row, key in enumerate(keys):
        vector = known.get(key.tobytes())
        if vector is None:
            fresh.append(row)
        else:
            vectors[row] = vector
    if fresh:
        texts = [embedded_text(passages[row]) for row in fresh]
        vectors[fresh] = embedder.embed_texts(texts, stages("embed", len(fresh)))
    return vectors, len(passages) - len(fresh)


def _check(folder: Path) -> None:
    collection = Collection(folder)
    try:
        collection.check()
    finally:
        collection.close()


def _silent(stage: str, total: int) -> Progress:
    return lambda done: None
