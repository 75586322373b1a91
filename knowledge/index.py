"""Documents in, a finished index version out: incremental, checked, and swapped in by one atomic rename."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from knowledge.asked import Keys
from knowledge.calibrate import calibrate
from knowledge.collection import Collection, Contents, embedded_text, write_collection
from knowledge.document import Document
from knowledge.embed import DIMENSIONS, Embedder, Progress, Vectors
from knowledge.errors import IndexCorrupt, IndexUnavailable, IngestFailed
from knowledge.parts import PARTS, Part, hash_content, read_parts
from knowledge.texts import Texts
from knowledge.versions import FORMAT, Manifest, Versions

Stages = Callable[[str, int], Progress]
"""Called with the name and size of each stage of the work, gives the listener for its progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What an ingestion did; `changed` is False when the version in use already held exactly these documents."""

    manifest: Manifest
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build under way: the folder it fills, the vectors known from the version before, and who hears of its progress."""

    folder: Path
    known: Mapping[bytes, Vectors]
    embedder: Embedder
    stages: Stages


def build_index(
    documents: Sequence[Document],
    root: Path,
    embedder: Embedder | None = None,
    stages: Stages | None = None,
    *,
    rebuild: bool = False,
) -> Built:
    """Make the documents the knowledge base in `root`, all others leave it; the same documents again change nothing.

    `rebuild` builds all of it anew, whatever is there. Raises DuplicateDocument, IngestBusy or IngestFailed; then the
    version in use is untouched and stays in use.
    """
    parts = read_parts(documents)
    content = hash_content(parts)
    versions = Versions(root)
    with versions.writing():
        current = None if rebuild else _current(versions)
        if current is not None and current.content == content:
            return Built(manifest=current, changed=False)
        try:
            versions.prune()
            build = _begin(versions, current, content, embedder or Embedder(), stages or _silent)
            manifest = _build(build, parts, content)
            versions.finish(manifest)
            return Built(manifest=manifest, changed=True)
        except (OSError, sqlite3.Error, IndexCorrupt) as error:
            raise IngestFailed(
                f"The index could not be written to {root} ({error}). The one before stays in use; "
                "check free space and permissions, and ingest again."
            ) from error
        finally:
            versions.prune()


def renew_index(root: Path, embedder: Embedder | None = None) -> Built:
    """Build the index in `root` anew from the documents that its version in use holds, whatever format it is in.

    Raises IndexMissing, IndexCorrupt when they cannot be read, IngestBusy or IngestFailed.
    """
    versions = Versions(root)
    folder = versions.folder / versions.current()
    documents = [document for part in PARTS for document in _held(folder / part)]
    return build_index(documents, root, embedder, rebuild=True)


def _held(collection: Path) -> list[Document]:
    try:
        with closing(Texts(collection / "texts.sqlite")) as texts:
            return texts.documents()
    except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
        raise IndexCorrupt(
            f"The articles in {collection} cannot be read ({error}). Run `python -m knowledge ingest --rebuild FOLDER`."
        ) from error


def _begin(versions: Versions, current: Manifest | None, content: str, embedder: Embedder, stages: Stages) -> Build:
    now = datetime.now(UTC)
    folder = versions.folder / f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{content[:12]}"
    known = _known_vectors(versions.folder / current.id) if current else {}
    return Build(folder=folder, known=known, embedder=embedder, stages=stages)


def _build(build: Build, parts: tuple[Part, Part], content: str) -> Manifest:
    started = time.monotonic()
    reused = sum(_write(build, part) for part in parts)
    public, internal = parts
    with _opened(build.folder / public.name) as collection:
        calibrate(collection, public.documents, build.embedder).save(build.folder)
    return Manifest(
        id=build.folder.name,
        content=content,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - started, 2),
        documents=len(public.documents),
        internal_documents=len(internal.documents),
        passages=len(public.passages),
        internal_passages=len(internal.passages),
        reused_passages=reused,
        format=FORMAT,
    )


def _write(build: Build, part: Part) -> int:
    """Write one collection and check it; how many of its vectors were known."""
    vectors, reused = _embed(build, f"embed {part.name}", [embedded_text(one) for one in part.passages], part.keys)
    asked, _ = _embed(build, f"embed {part.name} questions", part.asked, part.asked_keys)
    contents = Contents(
        documents=part.documents,
        passages=part.passages,
        vectors=vectors,
        keys=part.keys,
        asked=asked,
        asked_owners=part.asked_owners,
        asked_keys=part.asked_keys,
    )
    listener = build.stages(f"index {part.name}", len(part.passages)) if part.passages else None
    write_collection(build.folder / part.name, contents, listener)
    with _opened(build.folder / part.name) as collection:
        collection.check()
    return reused


def _embed(build: Build, stage: str, texts: Sequence[str], keys: Keys) -> tuple[Vectors, int]:
    """The texts' vectors, and how many of them were known."""
    vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
    fresh = []
    for row, key in enumerate(keys):
        vector = build.known.get(key.tobytes())
        if vector is None:
            fresh.append(row)
        else:
            vectors[row] = vector
    if fresh:
        vectors[fresh] = build.embedder.embed_texts([texts[row] for row in fresh], build.stages(stage, len(fresh)))
    return vectors, len(texts) - len(fresh)


def _current(versions: Versions) -> Manifest | None:
    """The manifest of the version in use, if it can be read and all its files are there."""
    try:
        manifest = versions.readable(versions.current())
    except IndexUnavailable:
        return None
    return manifest if versions.complete(manifest) else None


def _known_vectors(version: Path) -> dict[bytes, Vectors]:
    known: dict[bytes, Vectors] = {}
    for file in version.rglob("keys.npy"):
        keys, vectors = np.load(file), np.load(file.with_name("vectors.npy"), mmap_mode="r")
        known.update((key.tobytes(), vector) for key, vector in zip(keys, vectors, strict=True))
    return known


@contextmanager
def _opened(folder: Path) -> Iterator[Collection]:
    collection = Collection(folder)
    try:
        yield collection
    finally:
        collection.close()


def _silent(stage: str, total: int) -> Progress:
    return lambda done: None
