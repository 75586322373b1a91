"""Documents as the index takes them: split, in order, with a content address for every passage."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.asked import Keys, Rows
from knowledge.collection import embedded_text
from knowledge.document import Document, Passage
from knowledge.embed import FINGERPRINT
from knowledge.errors import DuplicateDocument
from knowledge.priors import PRIOR, PRIOR_ASKED
from knowledge.read import content_hash
from knowledge.split import split_document
from knowledge.versions import FORMAT

PARTS = ("public", "internal")
"""The collections of a version: what customers may see, and what they may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The public or the internal documents by id, their passages, and for each passage a key that names its vector.

    `asked` are the questions by which the documents are found and `asked_owners` the places of their documents.
    """

    name: str
    documents: Sequence[Document]
    passages: Sequence[Passage]
    keys: Keys
    asked: Sequence[str]
    asked_owners: Rows
    asked_keys: Keys


def read_parts(documents: Sequence[Document]) -> tuple[Part, Part]:
    """The public part and the internal one. Raises DuplicateDocument."""
    sources: dict[str, str] = {}
    for document in documents:
        if document.id in sources:
            raise DuplicateDocument(document.id, sources[document.id], document.source)
        sources[document.id] = document.source
    ordered = sorted(documents, key=lambda one: one.id)
    public, internal = PARTS
    return (
        _part(public, [one for one in ordered if not one.internal]),
        _part(internal, [one for one in ordered if one.internal]),
    )


def hash_content(parts: Sequence[Part]) -> str:
    """One hash of all that an index is made from; the passages' keys stand for the splitter and the model.

    What the answerability starts from counts too: where it changed, the index is calibrated anew.
    """
    digest = hashlib.sha256(f"{FORMAT}{PRIOR}{PRIOR_ASKED}".encode())
    for part in parts:
        digest.update(part.name.encode())
        for document in part.documents:
            digest.update(content_hash(document).encode())
        digest.update(part.keys.tobytes())
    return digest.hexdigest()


def _part(name: str, documents: Sequence[Document]) -> Part:
    passages = [passage for document in documents for passage in split_document(document)]
    asked = _asked(documents)
    return Part(
        name=name,
        documents=documents,
        passages=passages,
        keys=_keys([embedded_text(passage) for passage in passages]),
        asked=[text for _, text in asked],
        asked_owners=np.array([place for place, _ in asked], np.int64),
        asked_keys=_keys([text for _, text in asked]),
    )


def _asked(documents: Sequence[Document]) -> list[tuple[int, str]]:
    """The questions with the places of their documents; a title is a document's first. None where nobody wrote any."""
    if not any(document.questions for document in documents):
        return []
    return [(place, text) for place, one in enumerate(documents) for text in (one.title, *one.questions)]


def _keys(texts: Sequence[str]) -> Keys:
    digests = b"".join(hashlib.sha256(f"{FINGERPRINT}\n{text}".encode()).digest()[:16] for text in texts)
    return np.frombuffer(digests, np.uint8).reshape(-1, 16)
