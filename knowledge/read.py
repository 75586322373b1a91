"""Reads a folder of files into documents; a file that cannot be read is named with its reason and stops no other."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from knowledge.document import Document
from knowledge.errors import DuplicateDocument, FileRefused
from knowledge.readers.draft import Parsed
from knowledge.readers.encoding import decode_text
from knowledge.readers.failures import PARSER_FAILURES
from knowledge.readers.fields import build_document
from knowledge.readers.files import find_files, load_file
from knowledge.readers.html import declared_charset, parse_html
from knowledge.readers.lines import parse_lines
from knowledge.readers.markdown import parse_markdown
from knowledge.readers.pdf import parse_pdf
from knowledge.readers.plain import parse_plain
from knowledge.readers.rows import parse_rows
from knowledge.readers.word import parse_word

LIMIT_BYTES = 20_000_000
READ_AS_TEXT: Mapping[str, Callable[[str], Parsed]] = {
    ".md": parse_markdown,
    ".txt": parse_plain,
    ".html": parse_html,
    ".htm": parse_html,
    ".csv": parse_rows,
    ".jsonl": parse_lines,
    ".ndjson": parse_lines,
}
READ_AS_BYTES: Mapping[str, Callable[[bytes], Parsed]] = {".pdf": parse_pdf, ".docx": parse_word}


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file, or a row of one, that was left out; `reason` is a sentence naming what to do."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What the author of a file that was read should know: something was missing and filled in."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a folder held: documents sorted by path, what was left out and why, and what was filled in."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...]
    remarks: tuple[Remark, ...] = ()


def read_documents(
    folder: Path, progress: Callable[[Path], None] | None = None, *, limit_bytes: int = LIMIT_BYTES
) -> Reading:
    """All documents below `folder`; `progress` is called with each path when it is done.

    Files over `limit_bytes` are left out unread. Raises FolderUnreadable, and DuplicateDocument where two share an id.
    """
    documents: list[Document] = []
    skipped: list[Skipped] = []
    remarks: list[Remark] = []
    for path in find_files(folder):
        reading = _read_file(path, folder, limit_bytes)
        documents += reading.documents
        skipped += reading.skipped
        remarks += reading.remarks
        if progress:
            progress(path)
    _check_unique(documents)
    return Reading(documents=tuple(documents), skipped=tuple(skipped), remarks=tuple(remarks))


def content_hash(document: Document) -> str:
    """A hash of everything that matters for the index: all but where the file lies."""
    updated = document.updated.isoformat() if document.updated else None
    matters = [document.id, document.title, document.text, document.category, updated, document.internal, document.url]
    vetted = [document.answer] if document.answer else []  # left out otherwise: indexes without it stay as they are
    asked = [list(document.questions)] if document.questions else []
    return hashlib.sha256(json.dumps([*matters, *vetted, *asked]).encode()).hexdigest()


def _read_file(path: Path, folder: Path, limit_bytes: int) -> Reading:
    try:
        parsed = _parse(path, load_file(path, folder, limit_bytes))
    except FileRefused as refused:
        return Reading(documents=(), skipped=(Skipped(path=path, reason=str(refused)),))
    relative = PurePosixPath(str(path.relative_to(folder)).encode("utf-8", "replace").decode())
    documents: list[Document] = []
    reasons, remarks = list(parsed.refused), list(parsed.remarks)
    for draft in parsed.drafts:
        row = f"Line {draft.line}: " if draft.line is not None else ""
        try:
            document, noted = build_document(draft, relative)
        except FileRefused as refused:
            reasons.append(f"{row}{refused}")
            continue
        documents.append(document)
        remarks += [f"{row}{text}" for text in noted]
    return Reading(
        documents=tuple(documents),
        skipped=tuple(Skipped(path=path, reason=reason) for reason in reasons),
        remarks=tuple(Remark(path=path, text=text) for text in remarks),
    )


def _parse(path: Path, raw: bytes) -> Parsed:
    suffix = path.suffix.lower()
    if suffix not in READ_AS_TEXT and suffix not in READ_AS_BYTES:
        known = " ".join([*READ_AS_TEXT, *READ_AS_BYTES])
        raise FileRefused(f"Its ending {suffix!r} is not one of {known}: save it as one of these, or remove it.")
    if not raw.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise FileRefused("It is empty: write the article, or remove the file.")
    if suffix in READ_AS_BYTES:
        try:
            return READ_AS_BYTES[suffix](raw)
        except PARSER_FAILURES:
            raise FileRefused("It is damaged: open it in the program it was made with and save it again.") from None
    text, encoding = decode_text(raw, declared_charset(raw) if suffix.startswith(".htm") else None)
    parsed = READ_AS_TEXT[suffix](text)
    if encoding != "cp1252":
        return parsed
    return replace(parsed, remarks=(*parsed.remarks, "It is not UTF-8 and was read as Windows-1252: check its accents."))


def _check_unique(documents: Iterable[Document]) -> None:
    seen: dict[str, str] = {}
    for document in documents:
        if document.id in seen:
            raise DuplicateDocument(document.id, seen[document.id], document.source)
        seen[document.id] = document.source
