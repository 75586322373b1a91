"""The files of a folder, and their bytes within a limit."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import FileRefused, FolderUnreadable


def find_files(folder: Path) -> list[Path]:
    """Every path below `folder` that is not a folder, sorted; hidden names and editors' lock files left out.

    A folder that cannot be listed, and a link to a folder, is in the list itself: loading it says what is the matter.
    Raises FolderUnreadable.
    """
    try:
        if not folder.is_dir():
            raise FolderUnreadable(f"There is no folder '{folder}': name the folder that holds the documents.")
        next(folder.iterdir(), None)
    except OSError as failure:
        raise FolderUnreadable(
            f"The folder '{folder}' cannot be read ({failure.strerror}): check its permissions."
        ) from None
    return sorted(_walk(folder))


def load_file(path: Path, root: Path, limit_bytes: int) -> bytes:
    """The file's bytes. Raises FileRefused: too large, not a plain file, a link out of `root`, unreadable."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise FileRefused("It is a link out of the folder, which is not followed: put a copy of the file in its place.")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a named pipe would wait for ever
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise FileRefused("It is not a plain file: remove it, or put a copy of its content in its place.")
            if about.st_size > limit_bytes:
                raise FileRefused(_too_large(about.st_size, limit_bytes))
            raw = file.read(limit_bytes + 1)  # it may have grown since
    except OSError as failure:
        raise FileRefused(f"It cannot be read ({failure.strerror}): check its permissions.") from None
    if len(raw) > limit_bytes:
        raise FileRefused(_too_large(len(raw), limit_bytes))
    return raw


def _walk(folder: Path) -> Iterator[Path]:
    waiting = [folder]
    links: list[Path] = []
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(here))
        except OSError:
            yield here
            continue
        for entry in entries:
            if entry.name.startswith((".", "~$")):
                continue
            path = Path(entry.path)
            if entry.is_symlink():
                links.append(path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield path
    yield from (link for link in links if not _read_under_its_own_name(link, folder))


def _read_under_its_own_name(link: Path, folder: Path) -> bool:
    try:
        inside = link.resolve(strict=True).relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
    return not any(part.startswith((".", "~$")) for part in inside.parts)


def _too_large(size: int, limit: int) -> str:
    sizes = f"{size / 1e6:.1f} MB, more than the limit of {limit / 1e6:.1f} MB"
    return f"It has {sizes}: split it into smaller documents, or raise the limit."
