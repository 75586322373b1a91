"""Where index versions live: one immutable folder per build, and a pointer file that names the one in use.

<root>/current              the id of the version in use, replaced atomically
<root>/lock                 held by the one process that builds
<root>/versions/<id>/       public/, internal/, answerability.json and, written last, manifest.json
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.errors import IndexCorrupt, IndexMissing, IndexOutdated, IngestBusy, IngestFailed

KEPT_VERSIONS = 3
MANIFEST = "manifest.json"
FORMAT = "5"
"""Of what a version holds: raise it when the files change their meaning. Then what was built before is built anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a finished version holds; `content` is the hash of everything it was built from, `built` an ISO time in UTC."""

    id: str
    content: str
    built: str
    seconds: float
    documents: int
    internal_documents: int
    passages: int
    internal_passages: int
    reused_passages: int
    files: Mapping[str, int] = field(default_factory=dict)
    """Size by path of every file that does not change again; Chroma keeps writing to its own."""
    format: str = ""
    """FORMAT as it was built; the first ones said nothing of it."""


class Versions:
    """The versions below a root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pointer = root / "current"
        self.folder = root / "versions"

    def current(self) -> str:
        """The id of the version in use. Raises IndexMissing or IndexCorrupt, naming the file."""
        try:
            version = self.pointer.read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise IndexMissing(f"There is no index in {self.root}. Run `python -m knowledge ingest FOLDER` first.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise IndexCorrupt(f"{self.pointer} cannot be read ({error}). Check its permissions or ingest again.") from error
        if not version or Path(version).name != version or not (self.folder / version).is_dir():
            raise IndexCorrupt(f"{self.pointer} does not name a version. Run `python -m knowledge ingest --rebuild FOLDER`.")
        return version

    def manifest(self, version: str) -> Manifest:
        """The manifest of a finished version. Raises IndexCorrupt when it is missing or cannot be read."""
        file = self.folder / version / MANIFEST
        try:
            held = json.loads(file.read_text(encoding="utf-8"))
            return Manifest(**{one.name: held[one.name] for one in fields(Manifest) if one.name in held})
        except (OSError, ValueError, TypeError) as error:
            raise IndexCorrupt(
                f"{file} is missing or damaged. Run `python -m knowledge ingest --rebuild FOLDER`."
            ) from error

    def readable(self, version: str) -> Manifest:
        """The manifest of a finished version that this program can search. Raises IndexCorrupt or IndexOutdated."""
        manifest = self.manifest(version)
        if manifest.format != FORMAT:
            raise IndexOutdated(
                f"{self.folder / version} was written by another version of Frontdesk. The server builds it anew from the "
                "articles it holds when it starts; or run `python -m knowledge ingest FOLDER`."
            )
        return manifest

    def mark(self) -> tuple[int, int]:
        """A cheap mark of the pointer file; another mark means another version. (0, 0) when it cannot be looked at."""
        try:
            status = self.pointer.stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_ino

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of the one writer. Raises IngestBusy, or IngestFailed when the folder cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / "lock")
            lock.acquire(blocking=False)
        except Timeout:
            raise IngestBusy(f"Another process is ingesting into {self.root}. Wait until it has finished.") from None
        except OSError as error:
            raise IngestFailed(f"{self.root} cannot be written ({error.strerror}). Choose another folder.") from error
        try:
            yield
        finally:
            lock.release()

    def finish(self, manifest: Manifest) -> None:
        """Make a completely written version the current one: everything reaches the disk before the pointer moves."""
        folder = self.folder / manifest.id
        listed = replace(manifest, files=_sizes(folder))
        (folder / MANIFEST).write_text(json.dumps(asdict(listed), indent=1), encoding="utf-8")
        for path in (*folder.rglob("*"), folder, self.folder):
            _flush(path)
        self._point(manifest.id)

    def _point(self, version: str) -> None:
        fresh = self.root / "current.new"
        fresh.write_text(version + "\n", encoding="utf-8")
        _flush(fresh)
        fresh.replace(self.pointer)
        _flush(self.root)

    def use(self, version: str) -> None:
        """Make a finished version that is kept the current one, again. Raises IndexUnavailable or IngestBusy."""
        if version not in self.finished():
            raise IndexMissing(f"There is no finished version {version} in {self.root}.")
        with self.writing():
            if not self.complete(self.readable(version)):
                raise IndexCorrupt(f"Version {version} in {self.root} is damaged: it stays out of use.")
            self._point(version)

    def finished(self) -> list[str]:
        """The ids of the finished versions that are kept, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(folder.name for folder in self.folder.iterdir() if (folder / MANIFEST).exists())

    def complete(self, manifest: Manifest) -> bool:
        """Are all files of a finished version there, as long as they were."""
        found = _sizes(self.folder / manifest.id)
        return all(found.get(name) == size for name, size in manifest.files.items())

    def prune(self) -> None:
        """Remove what failed builds left, and all but the newest finished versions; the current one stays always."""
        kept = set(self.finished()[-KEPT_VERSIONS:])
        with suppress(IndexMissing, IndexCorrupt):
            kept.add(self.current())
        for folder in self.folder.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _sizes(folder: Path) -> dict[str, int]:
    """Size by relative path; Chroma's files are there with size 0, for they change when they are opened."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != MANIFEST)
    return {file.relative_to(folder).as_posix(): 0 if "chroma" in file.parts else file.stat().st_size for file in files}


def _flush(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # folders cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
