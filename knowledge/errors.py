"""The error tree of the knowledge base: named for what is the matter; every text says what to do.

KnowledgeError
├── FolderUnreadable      the folder of documents is missing, is no folder, or may not be read
├── DuplicateDocument     two documents claim one id; nothing may be changed
├── FileRefused           one file (or one row of it) cannot become a document; never leaves `read_documents`
├── IngestBusy            another process is ingesting into the same folder; nothing was changed
├── IngestFailed          the new index could not be written; the old one is untouched
├── ModelDamaged          the embedding model's files are missing or not the ones they should be
└── IndexUnavailable      there is no index that can be searched
    ├── IndexMissing
    ├── IndexOutdated     written in another format; its documents can be read and built anew
    └── IndexCorrupt      half built or damaged
"""


class KnowledgeError(Exception):
    """The root; its text is for whoever runs the ingestion, never for a customer."""


class FolderUnreadable(KnowledgeError):
    """The folder of documents is missing, is no folder, or may not be read."""


class DuplicateDocument(KnowledgeError):
    """Two documents claim one id; `first` and `second` are their sources (a path, with a line in files of many)."""

    def __init__(self, document: str, first: str, second: str) -> None:
        self.document, self.first, self.second = document, first, second
        super().__init__(
            f"Two documents have the id '{document}': {first} and {second}. Nothing was changed. Give one of them another "
            "id (`id:` in its front matter or its row; for other formats, another file name) and ingest again."
        )


class FileRefused(KnowledgeError):
    """One file or row cannot become a document; the text is a sentence that says why and what to do."""


class ModelDamaged(KnowledgeError):
    """The embedding model's files are missing or not the ones they should be."""


class IndexUnavailable(KnowledgeError):
    """There is no index that can be searched."""


class IndexMissing(IndexUnavailable):
    """Nothing has been ingested yet."""


class IndexOutdated(IndexUnavailable):
    """The index was written in another format than this version reads; `renew_index` builds it anew."""


class IndexCorrupt(IndexUnavailable):
    """The index is half built or damaged."""


class IngestBusy(KnowledgeError):
    """Another process is ingesting into the same folder; nothing was changed."""


class IngestFailed(KnowledgeError):
    """The new index could not be written (disk full, read-only folder); the old one is untouched."""
