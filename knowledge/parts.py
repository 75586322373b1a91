"""Documents as the index takes them: split, in order, with a content address for every passage."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.collection import Keys, embedded_text
from knowledge.document import Document, Passage
from knowledge.embed import FINGERPRINT
from knowledge.errors import DuplicateDocument
from knowledge.read import content_hash
from knowledge.split import split_document

FORMAT = "4"
"""Part of the content hash: raise it when the files of a version change their meaning, and the next ingest builds anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The public or the internal documents by id, their passages, and for each passage a key that names its vector."""

    name: str
    documents: Sequence[Document]
    passages: Sequence[Passage]
    keys: Keys


def read_parts(documents: Sequence[Document]) -> tuple[Part, Part]:
    """The public part and the internal one. Raises DuplicateDocument."""
    sources: dict[str, str] = {}
    for document in documents:
        if document.id in sources:
            raise DuplicateDocument(document.id, sources[document.id], document.source)
        sources[document.id] = document.source
    ordered = sorted(documents, key=lambda one: one.id)
    return (
        _part("public", [one for one in ordered if not one.internal]),
        _part("internal", [one for one in ordered if one.internal]),
    )


def hash_content(parts: Sequence[Part]) -> str:
    """One hash of all that an index is made from; the passages' keys stand for the splitter and the model."""
    digest = hashlib.sha256(FORMAT.encode())
    for part in parts:
        digest.update(part.name.encode())
        for document in part.documents:
            digest.update(content_hash(document).encode())
        digest.update(part.keys.tobytes())
    return digest.hexdigest()


def _part(name: str, documents: Sequence[Document]) -> Part:
    passages = [passage for document in documents for passage in split_document(document)]
    texts = (f"{FINGERPRINT}\n{embedded_text(passage)}" for passage in passages)
    digests = b"".join(hashlib.sha256(text.encode()).digest()[:16] for text in texts)
    return Part(name=name, documents=documents, passages=passages, keys=np.frombuffer(digests, np.uint8).reshape(-1, 16))
