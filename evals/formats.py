"""The rows of labelled files: JSON lines, plain or gzipped, one model per kind of row."""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

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


def read_rows(
    path: Path, model: type[Model], context: Mapping[str, Any] | None = None, problems: list[str] | None = None
) -> list[Model]:
    """All rows of a file. Raises FileInvalid: missing, unreadable, empty, a malformed line, an id that comes twice.

    `context` is what the model's validators may look at. With `problems`, a row that cannot be used is told there and left
    out, as long as others are left.
    """
    rows: dict[str, Model] = {}
    try:
        for number, line in _lines(path):
            try:
                row = _row(f"{path}:{number}", line, model, context)
                if row.id in rows:
                    raise FileInvalid(f"{path}:{number}: the id '{row.id}' was there before; ids must be unique")
                rows[row.id] = row
            except FileInvalid as problem:
                if problems is None:
                    raise
                problems.append(str(problem))
    except FileNotFoundError:
        raise FileInvalid(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise FileInvalid(f"{path}: not UTF-8 text{_first_unreadable(path)}") from None
    except (OSError, EOFError) as error:
        raise FileInvalid(f"{path}: cannot be read ({error})") from None
    if not rows:
        raise FileInvalid(problems[0] if problems else f"{path}: the file has no rows")
    return list(rows.values())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def _first_unreadable(path: Path) -> str:
    """Which line cannot be read; nothing for an archive, whose lines nobody sees."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as broken:
            return "" if path.suffix == ".gz" else f" (line {number}, byte {broken.start + 1}); save it as UTF-8"
    return ""


def _row(place: str, line: str, model: type[Model], context: Mapping[str, Any] | None) -> Model:
    try:
        return model.model_validate_json(line, context=context)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        if first["type"] == "json_invalid":
            raise FileInvalid(
                f"{place}: not one whole JSON object ({first['msg'].removeprefix('Invalid JSON: ')})"
            ) from None
        where = ".".join(map(str, first["loc"])) or "row"
        raise FileInvalid(f"{place}: {where}: {first['msg'].removeprefix('Value error, ')}") from None
