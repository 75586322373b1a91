"""Labelled transcripts: what a customer says turn by turn, and what a good bot does about it.

One JSON object a line:

    {"id": "bill-up", "tags": ["billing"], "turns": [{"customer": "my bill went up, why?",
     "expect": {"outcomes": ["answered"], "cite": ["bill-higher-than-usual"], "must": [["part month", "pro rata"]]}}]}
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.domain import Outcome
from evals.formats import Row, read_rows

Words = Annotated[str, Field(min_length=1)]


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


class Transcript(Row):
    """A labelled conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags: tuple[Words, ...] = ()
    turns: tuple[CustomerTurn, ...] = Field(min_length=1)


def read_transcripts(file: Path) -> list[Transcript]:
    """All transcripts of a file. Raises FileInvalid naming the line that cannot be used."""
    return read_rows(file, Transcript)
