"""`python -m evals label`: steps through the unlabelled messages of a file in the terminal."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from bot.domain import Reason
from evals.formats import FileInvalid
from evals.labelling import AnswerUnclear, Aspect, LabelFile, fill, open_labels, read_choice
from evals.transcripts import Escalate, Transcript, intent_names, read_texts

SUMMARY = "asks for the labels that a file of conversations lacks"
DESCRIPTION = """\
Step through the messages of a file that have no labels yet, oldest first. Each is shown with what came before; answer
with a number or a name, several acceptable ones with commas, the best first. Every answer is saved at once, so stop
whenever you like and go on later with the same command. What the labels mean: evals/transcripts/GUIDE.md.

  ?  the list of names       b  take the last answer back
  s  leave this conversation for later       q  stop
"""
ESCALATIONS = tuple(map(str, Escalate))
REASONS = tuple(map(str, Reason))

Ask = Callable[[str], str]
Tell = Callable[[str], None]


class Stopped(Exception):
    """Whoever labels wants to stop."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, help="conversations, as `import` or `blank` writes them: .jsonl")


def run(arguments: argparse.Namespace) -> str:
    """Ask until nothing is missing or nobody answers. Raises FileInvalid."""
    file: Path = arguments.file
    if file.suffix == ".gz":
        raise FileInvalid(f"{file}: is packed; unpack it before you label it")
    session = Session(LabelFile(file, read_texts(file)), ask=input, tell=_tell)
    try:
        while session.step():
            pass
    except (Stopped, EOFError, KeyboardInterrupt):
        _tell("")
    return session.summary()


@dataclass(slots=True, kw_only=True)
class _Asked:
    """A question that stands: which conversation, which turn, which aspect."""

    place: int
    turn: int
    aspect: Aspect


@dataclass(slots=True)
class Session:
    """One person labelling one file."""

    file: LabelFile
    ask: Ask
    tell: Tell
    shown: tuple[int, int] | None = None
    later: set[int] = field(default_factory=set)
    done: list[tuple[int, Transcript]] = field(default_factory=list)

    def step(self) -> bool:
        """Ask one question and keep the answer; False when nothing is missing. Raises Stopped."""
        asked = self._next()
        if asked is None:
            return False
        transcript = self.file.transcripts[asked.place]
        if self.shown != (asked.place, asked.turn):
            self.tell(show(transcript, asked.turn))
            self.shown = asked.place, asked.turn
        try:
            labels = self._labels(asked.aspect)
            if labels:
                self._keep(asked.place, fill(transcript, asked.turn, labels))
            else:
                self.later.add(asked.place)
        except _TakenBack:
            self._take_back()
        except ValidationError as contradiction:
            self.tell(f"That contradicts the other labels: {contradiction.errors()[0]['msg'].removeprefix('Value error, ')}")
        return True

    def summary(self) -> str:
        """How much is labelled and how much is missing."""
        missing = sum(len({turn for turn, _ in open_labels(one)}) for one in self.file.transcripts)
        turns = sum(len(one.turns) for one in self.file.transcripts)
        rest = f"{missing} of {turns} messages still lack a label" if missing else f"all {turns} messages are labelled"
        return f"{self.file.path}: {rest}"

    def _next(self) -> _Asked | None:
        for place, transcript in enumerate(self.file.transcripts):
            if place not in self.later and (found := next(open_labels(transcript), None)):
                return _Asked(place=place, turn=found[0], aspect=found[1])
        return None

    def _labels(self, aspect: Aspect) -> dict[str, Sequence[str]]:
        """The labels given; none to leave the conversation for later."""
        names = intent_names() if aspect == "intent" else ESCALATIONS
        given = self._choose(aspect, names)
        if aspect == "intent" or not given or given == ("none",):
            return {aspect: given} if given else {}
        reasons = self._choose("reasons", REASONS)
        return {aspect: given, "reasons": reasons} if reasons else {}

    def _choose(self, what: str, names: Sequence[str]) -> tuple[str, ...]:
        prompt = f"{what} ({', '.join(names) if len(names) < 5 else f'1 to {len(names)}, ? for the list'}): "
        while True:
            answer = self.ask(prompt).strip().casefold()
            if answer == "q":
                raise Stopped
            if answer == "b":
                raise _TakenBack
            if answer == "s":
                return ()
            if answer == "?":
                self.tell("\n".join(f"  {number:>2} {name}" for number, name in enumerate(names, start=1)))
                continue
            try:
                return read_choice(answer, names)
            except AnswerUnclear as unclear:
                self.tell(str(unclear))

    def _keep(self, place: int, transcript: Transcript) -> None:
        self.done.append((place, self.file.transcripts[place]))
        self.file.keep(place, transcript)
        if transcript.window_labelled and not any(open_labels(transcript)):
            never = transcript.earliest is None
            last = "" if transcript.latest == transcript.earliest else f" to {transcript.latest}"
            turns = "never right" if never else f"right at turn {transcript.earliest}{last}"
            self.tell(f"Handing over is {turns}.")

    def _take_back(self) -> None:
        if not self.done:
            self.tell("There is nothing to take back.")
            return
        place, before = self.done.pop()
        self.later.discard(place)
        self.file.keep(place, before)


class _TakenBack(Exception):
    """The last answer shall be taken back."""


def show(transcript: Transcript, turn: int) -> str:
    """The conversation up to a turn, that one marked."""
    flags = f" ({', '.join(transcript.flags)})" if transcript.flags else ""
    lines = [f"\n--- {transcript.id}{flags}, message {turn} of {len(transcript.turns)}"]
    for number, said in enumerate(transcript.turns[:turn], start=1):
        lines.append(f"{'>' if number == turn else ' '} customer: {_visible(said.customer)}")
        if said.reply and number < turn:
            lines.append(f"  reply:    {_visible(said.reply)}")
    return "\n".join(lines)


def _visible(text: str) -> str:
    """Without the control characters by which a stored message could take over the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text).replace("\n", "\n            ")


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
