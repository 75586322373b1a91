"""The rows of labelled files: JSON lines, plain or gzipped, one model per kind of row."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class FileInvalid(Exception):
    """A labelled file cannot be used; the text names the file, the line and what is wrong with it."""


class Row(BaseModel):
    """What every row has; fields it does not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)


class CorpusRow(Row):
    """A document to search."""

    title: str = ""
    text: str


class QueryRow(Row):
    """A customer's turn: `history` is (speaker, text), oldest first; `gold` names the documents that hold the answer."""

    text: str = Field(min_length=1)
    history: tuple[tuple[str, str], ...] = ()
    gold: tuple[str, ...] = ()
    answerable: bool | None = None


Model = TypeVar("Model", bound=Row)


def read_rows(path: Path, model: type[Model]) -> list[Model]:
    """All rows of a file. Raises FileInvalid: missing, unreadable, empty, a malformed line, an id that comes twice."""
    rows: dict[str, Model] = {}
    try:
        for number, line in _lines(path):
            row = _row(path, number, line, model)
            if row.id in rows:
                raise FileInvalid(f"{path}:{number}: the id '{row.id}' was there before; ids must be unique")
            rows[row.id] = row
    except FileNotFoundError:
        raise FileInvalid(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise FileInvalid(f"{path}: not UTF-8 text") from None
    except (OSError, EOFError) as error:
        raise FileInvalid(f"{path}: cannot be read ({error})") from None
    if not rows:
        raise FileInvalid(f"{path}: the file has no rows")
    return list(rows.values())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def _row(path: Path, number: int, line: str, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(line)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(map(str, first["loc"])) or "row"
        raise FileInvalid(f"{path}:{number}: {where}: {first['msg']}") from None
