"""The stated fields of a document: their names, and a draft turned into a document with what was not stated filled in."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePosixPath

from knowledge.document import Document, DocumentId
from knowledge.errors import FileRefused
from knowledge.readers.draft import Draft
from knowledge.readers.encoding import clean_text

NAMES = {
    "id": ("id", "key", "slug", "doc_id", "document_id", "article_id"),
    "title": ("title", "question", "subject", "name", "heading", "q"),
    "text": ("text", "answer", "body", "content", "contents", "article", "reply", "response", "a"),
    "category": ("category", "topic", "section", "group"),
    "updated": ("updated", "last_updated", "updated_at", "modified", "date"),
    "audience": ("audience", "visibility"),
    "internal": ("internal", "is_internal"),
    "url": ("url", "link", "source_url"),
    "questions": ("questions", "asked_as"),
}
LISTS = frozenset(NAMES["questions"])
"""Names that may have several values, one a line."""
KNOWN = {name: field for field, names in NAMES.items() for name in names}
GUARDED = ("audience", "visibility", "internal")
CONFIDENTIAL = frozenset({"internal", "confidential", "private", "restricted", "staff", "agents"})
TRUE, FALSE = frozenset({"true", "yes", "y", "1", "x", "on"}), frozenset({"false", "no", "n", "0", "off"})
ID_CHARS, TITLE_CHARS, QUESTION_CHARS = 200, 300, 300
MOST_QUESTIONS = 100


def pick_fields(stated: Mapping[str, str]) -> dict[str, str]:
    """The values by field, whatever their columns are called; the first name in NAMES wins.

    Raises FileRefused when an unknown name may have been meant to keep the document from customers.
    """
    by_name = {re.sub(r"[\s-]+", "_", name.strip().lower()): clean_text(value).strip() for name, value in stated.items()}
    picked: dict[str, str] = {}
    for field, names in NAMES.items():
        for name in names:
            if name in by_name:
                picked.setdefault(field, by_name[name])
    for name, value in by_name.items():
        if name not in KNOWN:
            _check_unknown(name, value)
    return picked


def build_document(draft: Draft, path: PurePosixPath) -> tuple[Document, tuple[str, ...]]:
    """The document of a draft from the file at `path` (relative to the folder), and remarks on what was filled in.

    Raises FileRefused: no text, an audience that is not understood, an id that cannot be used.
    """
    fields, remarks = draft.fields, []
    title = _one_line(
        fields.get("title") or draft.title or path.stem.replace("_", " ").replace("-", " ").strip().capitalize()
    )
    document_id = fields.get("id") or _slug(path, title if draft.line is not None else "")
    if not draft.text.strip():
        raise FileRefused("It has no text: write the article, or remove the file.")
    if len(document_id) > ID_CHARS or not document_id.isprintable():
        raise FileRefused(f"Its id is longer than {ID_CHARS} characters or cannot be printed: shorten it.")
    if len(title) > TITLE_CHARS:
        remarks.append(f"Its title is longer than {TITLE_CHARS} characters and was cut.")
    updated = _read_date(fields.get("updated", ""))
    if fields.get("updated") and updated is None:
        remarks.append(f"Its date '{fields['updated'][:40]}' is not like 2026-03-31 and was left out.")
    url = fields.get("url") or None
    if url and not re.match(r"https?://[^\s<>\"]+$", url):
        remarks.append(f"Its address '{url[:80]}' does not begin with https:// and was left out.")
        url = None
    questions, left_out = _read_questions(fields.get("questions", ""))
    if left_out:
        remarks.append(f"{left_out} of its questions were left out: write at most {MOST_QUESTIONS}, each once and short.")
    internal, remark = _read_internal(fields, path)
    document = Document(
        id=DocumentId(document_id),
        title=title[:TITLE_CHARS],
        text=draft.text.strip("\n"),
        category=_one_line(fields.get("category", "")),
        updated=updated,
        internal=internal,
        url=url,
        source=str(path) if draft.line is None else f"{path}:{draft.line}",
        answer=draft.answer,
        questions=questions,
    )
    return document, (*remarks, *remark)


def _read_questions(lines: str) -> tuple[tuple[str, ...], int]:
    """The questions, one a line, and how many were left out: repeated, overlong or too many."""
    stated = [_one_line(line) for line in lines.splitlines() if line.strip()]
    kept = list(dict.fromkeys(line for line in stated if len(line) <= QUESTION_CHARS))[:MOST_QUESTIONS]
    return tuple(kept), len(stated) - len(kept)


def _read_internal(fields: Mapping[str, str], path: PurePosixPath) -> tuple[bool, tuple[str, ...]]:
    below_internal = any(part.lower() == "internal" for part in path.parts[:-1])
    stated = {_flag(name, fields[name]) for name in ("audience", "internal") if name in fields}
    if len(stated) == 2:
        raise FileRefused("Its 'audience' and 'internal' contradict each other: keep one of them.")
    if not below_internal:
        return stated == {True}, ()
    if stated != {False}:
        return True, ()
    return True, ("It says public but lies in a folder 'internal' and is kept internal: move it to publish it.",)


def _flag(name: str, value: str) -> bool:
    value = value.lower()
    if name == "audience" and value in {"public", "internal"}:
        return value == "internal"
    if name == "internal" and value in TRUE | FALSE:
        return value in TRUE
    expected = "'public' or 'internal'" if name == "audience" else "'true' or 'false'"
    raise FileRefused(f"Its '{name}' is '{value[:40]}', which is not understood: write {expected}.")


def _check_unknown(name: str, value: str) -> None:
    if value.lower() in CONFIDENTIAL or difflib.get_close_matches(name, GUARDED, n=1, cutoff=0.8):
        raise FileRefused(
            f"Its field '{name}' is not known but may mean internal: write `audience: internal` or `audience: public`."
        )


def _read_date(value: str) -> date | None:
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%d %b %Y", "%d/%m/%Y"):
        try:
            return datetime.strptime(value, form).date()
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(value).date()
    except ValueError:
        return None


def _slug(path: PurePosixPath, title: str) -> str:
    words = unicodedata.normalize("NFKC", " ".join([*path.with_suffix("").parts, title[:80]])).casefold()
    return re.sub(r"[\W_]+", "-", words).strip("-")[:ID_CHARS] or "document"


def _one_line(text: str) -> str:
    return " ".join(text.split())
