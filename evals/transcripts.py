"""Labelled transcripts: what a customer says turn by turn, and what a good bot does about it.

One JSON object a line:

    {"id": "bill-up", "tags": ["billing"], "turns": [{"customer": "my bill went up, why?",
     "expect": {"outcomes": ["answered"], "cite": ["bill-higher-than-usual"], "must": [["part month", "pro rata"]]}}]}
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain import Outcome

Words = Annotated[str, Field(min_length=1)]


class TranscriptsInvalid(Exception):
    """A transcript file cannot be used; the text names each line and what is wrong with it."""


class Expected(BaseModel):
    """What counts as right for one message.

    `outcomes` are all that are acceptable. An answer must cite one of `cite`, hold every fact of `must` in one of its
    spellings, and nothing of `must_not`; case and white space do not count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    cite: tuple[Words, ...] = ()
    must: tuple[tuple[Words, ...], ...] = ()
    must_not: tuple[Words, ...] = ()


class CustomerTurn(BaseModel):
    """One message of the customer and what is expected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer: Words
    expect: Expected


class Transcript(BaseModel):
    """A labelled conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Words
    tags: tuple[Words, ...] = ()
    turns: tuple[CustomerTurn, ...] = Field(min_length=1)


def read_transcripts(file: Path) -> tuple[Transcript, ...]:
    """All transcripts of a file. Raises TranscriptsInvalid naming every wrong line at once."""
    problems: list[str] = []
    transcripts: dict[str, Transcript] = {}
    for number, line in _lines(file):
        try:
            transcript = Transcript.model_validate_json(line)
        except ValidationError as invalid:
            problems += [f"{file}:{number}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in invalid.errors()]
            continue
        if transcript.id in transcripts:
            problems.append(f"{file}:{number}: the id {transcript.id!r} is used twice")
        transcripts[transcript.id] = transcript
    if problems or not transcripts:
        raise TranscriptsInvalid("\n".join(problems) or f"{file}: holds no transcript")
    return tuple(transcripts.values())


def _lines(file: Path) -> list[tuple[int, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TranscriptsInvalid(f"{file} cannot be read: {error}") from error
    return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
