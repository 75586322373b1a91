"""What is still to be labelled in a transcript, what an answer means, and how it is kept."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from evals.formats import FileInvalid
from evals.transcripts import Escalate, Transcript, as_line, labelled_window

Aspect = Literal["intent", "escalate"]


class AnswerUnclear(Exception):
    """An answer that is no label; the text says what would be one."""


def open_labels(transcript: Transcript) -> Iterator[tuple[int, Aspect]]:
    """Turn (from 1) and aspect of each label that is missing, in order.

    After a turn that takes nothing but a handover nobody is asked about escalation: a person has the conversation.
    """
    held = False
    for number, turn in enumerate(transcript.turns, start=1):
        if not turn.expect.intent:
            yield number, "intent"
        if not turn.expect.escalate and not held:
            yield number, "escalate"
        held = held or turn.expect.escalate == (Escalate.HAND_OVER,)


def fill(transcript: Transcript, turn: int, labels: dict[str, Sequence[str]]) -> Transcript:
    """The transcript with labels of a turn; the last one that was missing also settles `earliest` and `latest`.

    Raises pydantic's ValidationError when the labels contradict what the transcript says already.
    """
    row = transcript.model_dump(mode="json", exclude_unset=True)
    row["turns"][turn - 1].setdefault("expect", {}).update(labels)
    filled = Transcript.model_validate(row)
    if filled.window_labelled or any(open_labels(filled)):
        return filled
    earliest, latest = labelled_window(filled.turns)
    return Transcript.model_validate({**row, "earliest": earliest, "latest": latest})


def read_choice(answer: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names an answer means, by number, name or unmistakable beginning. Raises AnswerUnclear."""
    chosen = dict.fromkeys(_name(word, names) for word in re.split(r"[,\s]+", answer.strip().casefold()) if word)
    if not chosen:
        raise AnswerUnclear("Give a number or a name, several with commas, the best first.")
    return tuple(chosen)


def _name(word: str, names: Sequence[str]) -> str:
    if word.isdecimal() and 1 <= int(word) <= len(names):
        return names[int(word) - 1]
    meant = [name for name in names if name == word] or [name for name in names if name.startswith(word)]
    if len(meant) == 1:
        return meant[0]
    options = ", ".join(meant) if meant else f"a number from 1 to {len(names)} or a name from the list"
    raise AnswerUnclear(f"'{word}' is not clear; it could be {options}.")


class LabelFile:
    """The transcripts of a file; each change is on disk before `keep` returns, and never half of it."""

    def __init__(self, path: Path, transcripts: Sequence[Transcript]) -> None:
        self.path = path
        self.transcripts = list(transcripts)
        self._seen = self._state()

    def keep(self, place: int, transcript: Transcript) -> None:
        """Put a transcript in its place. Raises FileInvalid when somebody else changed the file, or it cannot be written."""
        changed = [*self.transcripts[:place], transcript, *self.transcripts[place + 1 :]]
        beside = self.path.with_name(f".{self.path.name}.new")
        try:
            if self._state() != self._seen:
                raise FileInvalid(f"{self.path}: was changed meanwhile; your last answer is not in it. Start again.")
            with beside.open("w", encoding="utf-8") as lines:
                lines.writelines(f"{as_line(one)}\n" for one in changed)
                lines.flush()
                os.fsync(lines.fileno())
            beside.replace(self.path)
            self._seen = self._state()
        except OSError as error:
            raise FileInvalid(f"{self.path}: cannot be written ({error.strerror}); your last answer is not in it") from None
        self.transcripts = changed

    def _state(self) -> tuple[int, int]:
        state = self.path.stat()
        return state.st_mtime_ns, state.st_size
