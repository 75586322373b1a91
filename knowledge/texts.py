"""The texts of one collection in a read-only SQLite file: passages by row, documents by id."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.document import Article, Document, DocumentId, Passage

SCHEMA = """
create table documents (id text primary key, body text not null) without rowid;
create table passages (row integer primary key, id text not null unique, document text not null, body text not null);
create index passages_of_document on passages (document, row);
"""


def write_texts(file: Path, documents: Iterable[Document], passages: Iterable[Passage]) -> None:
    """Write a new file; the order of the passages gives their rows. Raises sqlite3.Error, also when the disk is full."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript(SCHEMA)
        database.executemany("insert into documents values (?, ?)", ((one.id, _dump(asdict(one))) for one in documents))
        rows = ((row, one.id, one.document, _dump(asdict(one))) for row, one in enumerate(passages))
        database.executemany("insert into passages values (?, ?, ?, ?)", rows)
        database.commit()


KEPT = 5_000
"""Passages kept in memory once they were read: all of a usual help centre, a few megabytes."""


class Texts:
    """Reads what `write_texts` wrote; safe from several threads. Methods raise sqlite3.Error when the file is damaged."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Passage] = {}
        self._database = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        self.rows: dict[str, int] = dict(self._all("select id, row from passages"))
        """Row by passage id."""

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of these rows, in this order."""
        kept = self._kept
        missing = [row for row in rows if row not in kept]
        if missing:
            marks = ",".join("?" * len(missing))
            found = self._all(f"select row, body from passages where row in ({marks})", missing)  # noqa: S608  only marks
            read = {row: _passage(body) for row, body in found}
            kept = {**kept, **read}  # never changed in place: other threads read it
            self._kept = kept if len(kept) <= KEPT else read
        return [kept[row] for row in rows]

    def article(self, document: DocumentId) -> Article | None:
        """The document with all its passages in reading order, or None."""
        found = self._all("select body from documents where id = ?", (document,))
        if not found:
            return None
        bodies = self._all("select body from passages where document = ? order by row", (document,))
        return Article(document=_document(found[0][0]), passages=tuple(_passage(body) for (body,) in bodies))

    def documents(self) -> list[Document]:
        """All documents, by id."""
        return [_document(body) for (body,) in self._all("select body from documents order by id")]

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._database.close()

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()


def _dump(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, default=date.isoformat)


def _passage(body: str) -> Passage:
    return Passage(**json.loads(body))


def _document(body: str) -> Document:
    fields = json.loads(body)
    updated = fields.pop("updated")
    questions = tuple(fields.pop("questions", ()))
    return Document(**fields, questions=questions, updated=date.fromisoformat(updated) if updated else None)
