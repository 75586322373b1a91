"""The rows of labelled files: JSON lines, plain or gzipped, one model per kind of row."""

import gzip
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LONGEST = 16 * 2**20
"""Bytes of a line; a longer one is no row, and reading it would take all memory."""
_PLACE = re.compile(r" at line \d+ column \d+$")


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
    except (OSError, EOFError, zlib.error) as error:
        raise FileInvalid(f"{path}: cannot be read ({error})") from None
    if not rows:
        raise FileInvalid(problems[0] if problems else f"{path}: the file has no rows")
    return list(rows.values())


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, with its number; of one that is too long only the beginning, and more than `LONGEST`."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for number in count(1):
            line = piece = file.readline(LONGEST + 1)
            while len(piece) > LONGEST and not piece.endswith(b"\n"):
                piece = file.readline(LONGEST + 1)
            if not line:
                return
            if number == 1:
                line = line.removeprefix(BOM_UTF8)
            if line.strip():
                yield number, line


def _decode(place: str, line: bytes) -> str:
    if len(line) > LONGEST:
        raise FileInvalid(f"{place}: the line is longer than {LONGEST // 2**20} MiB")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise FileInvalid(f"{place}: not UTF-8 text (byte {broken.start + 1}); save the file as UTF-8") from None


def _row(place: str, line: bytes, model: type[Model], context: Mapping[str, Any] | None) -> Model:
    text = _decode(place, line)
    try:
        return model.model_validate_json(text, context=context)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        if first["type"] == "json_invalid":
            why = _PLACE.sub("", first["msg"].removeprefix("Invalid JSON: "))
            raise FileInvalid(f"{place}: not one whole JSON object ({why})") from None
        where = ".".join(map(str, first["loc"])) or "row"
        raise FileInvalid(f"{place}: {where}: {first['msg'].removeprefix('Value error, ')}") from None
