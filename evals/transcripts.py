"""Labelled transcripts: what a customer says turn by turn, and what a good support desk does about it.

One JSON object a line; the format is described with an example in evals/transcripts/README.md, what each label means in
evals/transcripts/GUIDE.md.
"""

import hashlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bot.domain import Outcome, Reason
from bot.intents import read_intents
from evals.formats import Row, read_rows

INTENTS = Path(__file__).resolve().parent.parent / "knowledge" / "intents.yaml"

Words = Annotated[str, Field(min_length=1)]


class Escalate(StrEnum):
    """What is right for one message: leave it to the bot, ask "shall I bring in a colleague?", or hand over."""

    NONE = "none"
    OFFER = "offer"
    HAND_OVER = "hand_over"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Expected(BaseModel):
    """What counts as right for one message; a field that is empty is not labelled, and is never scored.

    `intent`, `escalate` and `outcomes` hold all that is acceptable, the best first; `intent` and `escalate` may be one
    name. `reasons` are those that an offer or handover may give. An answer must cite one of `cite`, hold every fact of
    `must` in one of its spellings, and nothing of `must_not`; case and white space do not count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    intent: Annotated[tuple[Words, ...], BeforeValidator(_as_list)] = ()
    escalate: Annotated[tuple[Escalate, ...], BeforeValidator(_as_list)] = ()
    reasons: tuple[Reason, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    cite: tuple[Words, ...] = ()
    must: tuple[tuple[Words, ...], ...] = ()
    must_not: tuple[Words, ...] = ()

    @property
    def is_labelled(self) -> bool:
        """Whether anybody has said what is right here."""
        return bool(self.intent or self.escalate or self.outcomes)

    @field_validator("intent")
    @classmethod
    def _check_intent(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = (info.context or {}).get("intents")
        if known and (unknown := [name for name in value if name not in known]):
            raise ValueError(f"'{unknown[0]}' is no intent; there are {', '.join(known)}")
        return value

    @model_validator(mode="after")
    def _check_reasons(self) -> Self:
        escalates = set(self.escalate) - {Escalate.NONE}
        if escalates and not self.reasons:
            raise ValueError("an offer or handover needs its acceptable 'reasons'")
        if self.reasons and not escalates:
            raise ValueError("'reasons' only go with an offer or a handover")
        return self


class CustomerTurn(BaseModel):
    """One message of the customer and what is expected; `reply` is what was said to it in an imported conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer: Words
    reply: str = ""
    expect: Expected = Expected()

    @model_validator(mode="after")
    def _check_labelled(self, info: ValidationInfo) -> Self:
        if (info.context or {}).get("labelled") and not self.expect.is_labelled:
            raise ValueError("not labelled yet; `python -m evals label` asks for what is missing")
        return self


class Transcript(Row):
    """A conversation, labelled or not yet.

    `flags` is what the customer's profile says. `earliest` and `latest` are the turns, from 1, between which handing over
    is right: both null where it never is, both left out where nobody has said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags: tuple[Words, ...] = ()
    flags: tuple[Literal["vip", "vulnerable"], ...] = ()
    note: str = ""
    turns: tuple[CustomerTurn, ...] = Field(min_length=1)
    earliest: int | None = None
    latest: int | None = None

    @property
    def window_labelled(self) -> bool:
        """Whether `earliest` and `latest` were given, if only as null."""
        return "earliest" in self.model_fields_set

    @property
    def handover_required(self) -> bool:
        """Whether not handing over is a miss: some turn up to `latest` takes nothing else. Else it is only allowed."""
        return _first_required(self.turns[: self.latest or 0]) is not None

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        problem = next(_window_problems(self), "")
        if problem:
            raise ValueError(problem)
        return self


def read_transcripts(file: Path, intents: Path = INTENTS) -> list[Transcript]:
    """All transcripts of a file, each turn labelled. Raises FileInvalid naming the line that cannot be used."""
    return _read(file, intents, labelled=True)


def read_texts(file: Path, intents: Path = INTENTS) -> list[Transcript]:
    """The same where labels may be missing. Raises FileInvalid."""
    return _read(file, intents, labelled=False)


def as_line(transcript: Transcript) -> str:
    """The transcript as a file holds it, with only the fields it was given."""
    return transcript.model_dump_json(exclude_unset=True)


def texts_of(transcript: Transcript) -> tuple[str, ...]:
    """What the customer says: by this the same conversation is known under another id."""
    return tuple(turn.customer for turn in transcript.turns)


def text_id(transcript: Transcript) -> str:
    """A name made of the texts alone, the same wherever they stand."""
    return hashlib.sha256("\0".join(texts_of(transcript)).encode()).hexdigest()[:12]


def labelled_window(turns: Sequence[CustomerTurn]) -> tuple[int | None, int | None]:
    """`earliest` and `latest` as the turns' own labels have it.

    From the first turn that accepts a handover to the first that takes nothing else, or the last that accepts one.
    """
    accept = [number for number, turn in enumerate(turns, start=1) if Escalate.HAND_OVER in turn.expect.escalate]
    return (accept[0], _first_required(turns) or accept[-1]) if accept else (None, None)


def _first_required(turns: Sequence[CustomerTurn]) -> int | None:
    numbered = enumerate(turns, start=1)
    return next((number for number, turn in numbered if turn.expect.escalate == (Escalate.HAND_OVER,)), None)


@lru_cache
def intent_names(file: Path = INTENTS) -> tuple[str, ...]:
    """The names an intent may have, in the file's order. Raises IntentsInvalid."""
    return tuple(intent.name for intent in read_intents(file).intents)


def _read(file: Path, intents: Path, *, labelled: bool) -> list[Transcript]:
    return read_rows(file, Transcript, {"intents": intent_names(intents), "labelled": labelled})


def _window_problems(transcript: Transcript) -> Iterator[str]:
    earliest, latest, last = transcript.earliest, transcript.latest, len(transcript.turns)
    if ("earliest" in transcript.model_fields_set) != ("latest" in transcript.model_fields_set):
        yield "give both 'earliest' and 'latest', or neither"
    if (earliest is None) != (latest is None):
        yield "'earliest' and 'latest' are both null (handing over is never right) or both a turn"
    if earliest is not None and latest is not None and not 1 <= earliest <= latest <= last:
        yield f"'earliest' {earliest} and 'latest' {latest} are not turns in order; there are turns 1 to {last}"
    elif transcript.window_labelled:
        yield from _contradictions(transcript)


def _contradictions(transcript: Transcript) -> Iterator[str]:
    """Turns whose own label says something else than the window does."""
    turns, earliest, latest = transcript.turns, transcript.earliest, transcript.latest
    first, required = labelled_window(turns)[0], _first_required(turns)
    if first is not None and first < (earliest or len(turns) + 1):
        yield f"turn {first} accepts hand_over but 'earliest' is {earliest or 'null'}"
    if earliest and turns[earliest - 1].expect.escalate and first != earliest:
        yield f"'earliest' is {earliest} but that turn does not accept hand_over"
    if required and latest and required > latest:
        yield f"turn {required} takes nothing but hand_over but 'latest' is {latest}"
