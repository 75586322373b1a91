"""The folder of a run: what was played and how the bot replied, stored once and judged as often as you like.

run.json           what was played: transcripts, settings, prompts, articles; no times
transcripts.jsonl  the labelled transcripts
turns.jsonl        a line per conversation, in the order of the transcripts; the same bot writes the same bytes
times.jsonl        how long each turn took
ragas.jsonl        what a language model said of the replies, where one was asked
partial/           while it is played: a file per conversation that is finished; a run that was stopped goes on from here
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain import Holder
from evals.formats import FileInvalid, Row, read_rows
from evals.transcripts import Transcript, read_texts

FORMAT = 1
VERDICTS = "ragas.jsonl"


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Stored):
    """An entry that followed a customer's message."""

    speaker: str
    kind: str
    text: str
    data: dict[str, Any] = Field(default_factory=dict)
    answers: bool = False


class PlayedTurn(_Stored):
    """A customer's message and what followed; `failure` says why nothing did."""

    asked: str
    said: tuple[Said, ...] = ()
    failure: str = ""

    @property
    def reply(self) -> Said | None:
        """The entry that settled the message."""
        return next((one for one in self.said if one.answers), None)

    @property
    def data(self) -> Mapping[str, Any]:
        """What the reply's entry holds; empty without a reply."""
        return self.reply.data if self.reply else {}

    @property
    def trace(self) -> Mapping[str, Any]:
        """The steps' findings: passages, answerability, reading, writing."""
        return self.data.get("turn") or {}

    @property
    def reading(self) -> Mapping[str, Any]:
        """Intent and mood; empty where the bot did not read them."""
        return self.trace.get("reading") or {}

    @property
    def escalation(self) -> Mapping[str, Any]:
        """The rule that fired; empty when none did."""
        return self.data.get("escalation") or {}

    @property
    def handed_over(self) -> bool:
        """Whether a human takes over from here."""
        return any(one.data.get("holder") == Holder.QUEUE for one in self.said)


class Played(Row):
    """A conversation as it was played; turns after a handover have no reply, for then the bot is silent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: tuple[PlayedTurn, ...]


class TurnTimes(_Stored):
    """Milliseconds from the message to the first sentence shown and to the reply; None where there was none."""

    first_ms: float | None
    took_ms: float | None


class Times(Row):
    """The times of a conversation's turns."""

    turns: tuple[TurnTimes, ...]


class Verdict(_Stored):
    """What a language model said of a reply: the share of its statements that are borne out; None is unscored."""

    value: float | None
    why: str = ""


class Verdicts(Row):
    """What it said of a conversation's replies, by turn, counted from 1."""

    judge: str
    turns: dict[int, Verdict]


class Source(_Stored):
    """A file of transcripts that was played."""

    name: str
    sha256: str
    conversations: int


class Manifest(_Stored):
    """What was played, and with what: everything that can make two runs differ but the code."""

    format: int = FORMAT
    sources: tuple[Source, ...]
    providers: tuple[str, ...]
    settings: dict[str, Any]
    prompts: dict[str, str]
    knowledge: str
    documents: tuple[str, ...]
    internal_documents: tuple[str, ...]
    internal_marks: tuple[str, ...] = ()
    """Hashes of word sequences that stand in internal articles only; a reply with one quotes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run; conversations in the order of the transcripts."""

    folder: Path
    manifest: Manifest
    pairs: tuple[tuple[Transcript, Played], ...]
    times: Mapping[str, Times]
    ragas: Mapping[str, Verdicts] = field(default_factory=dict)

    @property
    def turns(self) -> int:
        """How many customer turns were played."""
        return sum(len(played.turns) for _, played in self.pairs)


def read_run(folder: Path) -> Run:
    """A finished run. Raises FileInvalid: no run, one that was stopped halfway, or one that was tampered with."""
    if (folder / "partial").is_dir():
        raise FileInvalid(f"{folder}: the run was stopped halfway; give `play` the same --out again, and it goes on")
    manifest = read_manifest(folder)
    transcripts = read_texts(folder / "transcripts.jsonl")
    played = {one.id: one for one in read_rows(folder / "turns.jsonl", Played)}
    times = {one.id: one for one in read_rows(folder / "times.jsonl", Times)}
    if missing := [one.id for one in transcripts if len(one.turns) != len(played[one.id].turns if one.id in played else ())]:
        raise FileInvalid(f"{folder / 'turns.jsonl'}: '{missing[0]}' is missing or has other turns than its transcript")
    pairs = tuple((one, played[one.id]) for one in transcripts)
    return Run(folder=folder, manifest=manifest, pairs=pairs, times=times, ragas=read_verdicts(folder))


def read_verdicts(folder: Path) -> dict[str, Verdicts]:
    """What a language model said of a run; empty where none was asked. Raises FileInvalid."""
    file = folder / VERDICTS
    return {one.id: one for one in read_rows(file, Verdicts)} if file.exists() else {}


def read_manifest(folder: Path) -> Manifest:
    """What was played in a run, finished or not. Raises FileInvalid."""
    file = folder / "run.json"
    try:
        return Manifest.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise FileInvalid(f"{folder}: there is no run here; `python -m evals play` makes one") from None
    except ValidationError as invalid:
        raise FileInvalid(f"{file}: {invalid.errors()[0]['msg']}; play it anew") from None
