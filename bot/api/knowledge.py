"""The articles: a set of documents becomes a new version of the index, whole or not at all; and back to one before."""

import asyncio
import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from bot.api.access import ADeveloper, Parts
from bot.api.problems import Refused, Wrong, plain
from bot.api.shapes import Body
from knowledge.document import Document, DocumentId
from knowledge.embed import Embedder
from knowledge.errors import IndexCorrupt, IndexMissing, KnowledgeError
from knowledge.index import build_index
from knowledge.read import LIMIT_BYTES, read_documents
from knowledge.versions import Versions

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/knowledge", tags=["knowledge"])

MOST_DOCUMENTS = 5000
MOST_FILES = 500
MOST_JOBS = 20
_JOB = r"^[0-9a-f]{32}$"
_VERSION = r"^[0-9T]{10,30}-[0-9a-f]{12}$"


class Article(Body):
    """A document; `internal` ones are for the staff and never quoted to customers."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$", max_length=200)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"\w")]
    text: Annotated[str, StringConstraints(min_length=1, pattern=r"\w")] = Field(description="Markdown, without the title.")
    category: Annotated[str, StringConstraints(max_length=100)] = ""
    updated: date | None = None
    internal: bool = False
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=2000)] | None = None

    model_config = ConfigDict(strict=False)  # JSON has no dates


class ArticleSet(Body):
    """All the articles there are to be from now on: those that are missing here disappear."""

    documents: Annotated[list[Article], Field(min_length=1, max_length=MOST_DOCUMENTS)]

    model_config = ConfigDict(strict=False)  # JSON has no dates


class Job(BaseModel):
    """An ingestion: `version` is the one in use afterwards, `detail` says what went wrong."""

    id: str
    state: Literal["running", "done", "failed"]
    documents: int
    version: str | None = None
    changed: bool | None = None
    detail: str = ""


class VersionShown(BaseModel):
    """A finished version of the index."""

    id: str
    built: str
    documents: int
    internal_documents: int
    passages: int
    in_use: bool


class Knowledge(BaseModel):
    """The versions that are kept, newest first, and the ingestion under way."""

    versions: list[VersionShown]
    running: str | None


class Rollback(Body):
    """The version to go back to."""

    version: Annotated[str, StringConstraints(pattern=_VERSION, max_length=60)]


@dataclass
class Ingestions:
    """The ingestions of this process; one at a time."""

    jobs: dict[str, Job] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    @property
    def running(self) -> Job | None:
        """The one under way."""
        return next((job for job in self.jobs.values() if job.state == "running"), None)

    def begin(self, documents: Sequence[Document], root: FilePath) -> Job:
        """Begin one. Raises Refused (409) while another is under way."""
        if self.running:
            raise Refused(409, "busy", f"Another ingestion is under way: /knowledge/ingest/{self.running.id}.")
        job = Job(id=uuid4().hex, state="running", documents=len(documents))
        self.jobs[job.id] = job
        for old in list(self.jobs)[:-MOST_JOBS]:
            del self.jobs[old]
        self.task = asyncio.get_running_loop().create_task(self._run(job, documents, root))
        return job

    async def _run(self, job: Job, documents: Sequence[Document], root: FilePath) -> None:
        try:
            built = await asyncio.to_thread(build_index, documents, root, Embedder(threads=1))
        except KnowledgeError as error:
            job.state, job.detail = "failed", str(error)
        except Exception:
            logger.exception("an ingestion failed")
            job.state, job.detail = "failed", "Something went wrong on our side; the articles before stay in use."
        else:
            job.state, job.version, job.changed = "done", built.manifest.id, built.changed


_FILES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ArticleSet"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
                    },
                    "required": ["files"],
                    "additionalProperties": False,
                }
            },
        },
    }
}


@router.post("/ingest", status_code=202, openapi_extra=_FILES)
async def ingest(request: Request, member: ADeveloper, parts: Parts) -> Job:
    """Make these documents, and only these, the articles: JSON, or files (.md .txt .html .pdf .docx .csv .jsonl).

    All are looked at first; one that is broken refuses the whole set (422), and nothing has changed. Then a new version is
    built beside the one in use, which answers until the new one is whole. Ask for the job until it is `done` or `failed`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        documents = _of_json(await request.body())
    elif kind == "multipart/form-data":
        documents = await _of_files(request)
    else:
        raise Refused(415, "media_type", "Send `application/json` or `multipart/form-data`.")
    ingestions: Ingestions = request.app.state.ingestions
    return ingestions.begin(documents, parts.bot.settings.data_dir / "knowledge")


@router.get("/ingest/{job}")
async def job(job: Annotated[str, Path(pattern=_JOB, max_length=32)], request: Request, member: ADeveloper) -> Job:
    """How an ingestion fares."""
    ingestions: Ingestions = request.app.state.ingestions
    found = ingestions.jobs.get(job)
    if found is None:
        raise Refused(404, "unknown", "There is no such ingestion in this process.")
    return found


@router.get("")
async def knowledge(request: Request, member: ADeveloper, parts: Parts) -> Knowledge:
    """The versions of the articles."""
    ingestions: Ingestions = request.app.state.ingestions
    running = ingestions.running
    shown = await asyncio.to_thread(_versions, Versions(parts.bot.settings.data_dir / "knowledge"))
    return Knowledge(versions=shown, running=running.id if running else None)


@router.post("/rollback")
async def roll_back(wanted: Rollback, request: Request, member: ADeveloper, parts: Parts) -> Knowledge:
    """Go back to a version that is kept; the bot goes over to it by itself."""
    versions = Versions(parts.bot.settings.data_dir / "knowledge")
    try:
        await asyncio.to_thread(versions.use, wanted.version)
    except IndexMissing:
        raise Refused(404, "unknown", "This version is not kept. GET /knowledge lists those that are.") from None
    except KnowledgeError as error:
        raise Refused(409, "version", str(error)) from None
    return await knowledge(request, member, parts)


def _versions(versions: Versions) -> list[VersionShown]:
    try:
        current = versions.current()
    except (IndexMissing, IndexCorrupt):
        current = ""
    shown = []
    for id in versions.finished():
        manifest = versions.manifest(id)
        shown.append(
            VersionShown(
                id=id,
                built=manifest.built,
                documents=manifest.documents,
                internal_documents=manifest.internal_documents,
                passages=manifest.passages,
                in_use=id == current,
            )
        )
    return shown[::-1]


def _of_json(body: bytes) -> list[Document]:
    try:
        articles = ArticleSet.model_validate(json.loads(body)).documents
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(422, "invalid", "The body is not JSON.") from None
    except ValidationError as error:
        raise _broken([(".".join(map(plain, p["loc"])), p["msg"]) for p in error.errors(include_url=False)]) from None
    ids = [article.id for article in articles]
    if twice := sorted({id for id in ids if ids.count(id) > 1} if len(set(ids)) < len(ids) else ()):
        raise _broken([(id, "two documents have this id: give one of them another") for id in twice])
    return [
        Document(
            id=DocumentId(article.id),
            title=article.title,
            text=article.text,
            category=article.category,
            updated=article.updated,
            internal=article.internal,
            url=article.url,
            source=article.id,
        )
        for article in articles
    ]


async def _of_files(request: Request) -> list[Document]:
    try:
        form = await request.form(max_files=MOST_FILES, max_fields=0)
    except (MultiPartException, HTTPException):  # Starlette turns the one into the other
        raise Refused(400, "form", f"The form cannot be read: send up to {MOST_FILES} files and nothing else.") from None
    files = [value for value in form.getlist("files") if isinstance(value, UploadFile)]
    if not files or len(files) != len(form.multi_items()):
        raise Refused(422, "invalid", "Send the files as `files`, and nothing else.")
    with tempfile.TemporaryDirectory(prefix="ingest-") as name:
        folder = FilePath(name)
        for file in files:
            target = folder / _safe_name(file.filename or "")
            if target.exists():
                raise _broken([(target.name, "two files have this name: rename one of them")])
            target.write_bytes(await file.read())
        await form.close()
        return await asyncio.to_thread(_read, folder)


def _read(folder: FilePath) -> list[Document]:
    try:
        reading = read_documents(folder, limit_bytes=LIMIT_BYTES)
    except KnowledgeError as error:
        raise _broken([("files", str(error).replace(f"{folder}/", ""))]) from None
    if reading.skipped or not reading.documents:
        raise _broken([(skipped.path.name, skipped.reason) for skipped in reading.skipped] or [("files", "nothing to read")])
    return list(reading.documents)


def _safe_name(name: str) -> str:
    """The file's own name, without any folder. Raises Refused."""
    last = name.replace("\\", "/").rpartition("/")[2]
    if not last or last.startswith(".") or len(last.encode("utf-8", "replace")) > 200 or not last.isprintable():
        raise _broken([(plain(last) or "files", "the file's name cannot be used: rename it")])
    return last


def _broken(problems: Sequence[tuple[str, str]]) -> Refused:
    refused = Refused(422, "documents", "Nothing was changed: these documents are broken; correct them and send all again.")
    refused.errors = [Wrong(where=[plain(where, 120)], what=plain(what, 300)) for where, what in problems][:100]
    return refused
