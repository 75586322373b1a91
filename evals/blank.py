"""`python -m evals blank`: the texts of labelled transcripts without their labels, for somebody else to label."""

import argparse
from pathlib import Path

from evals.formats import FileInvalid
from evals.transcripts import CustomerTurn, Transcript, as_line, read_texts, text_id

SUMMARY = "the texts of transcripts without labels, for a second labelling"
DESCRIPTION = """\
Write the texts of labelled transcripts without their labels. Tags, notes and ids give labels away, so they are left out:
each conversation is named for its texts and they stand in that order. What the customer's profile says stays. Label the
file with `python -m evals label`, then compare with `python -m evals agreement`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--of", type=Path, required=True, metavar="FILE", help="labelled conversations: .jsonl")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file for the texts")
    parser.add_argument("--limit", type=int, metavar="N", help="only so many conversations, drawn by their names")


def run(arguments: argparse.Namespace) -> str:
    """Write the texts and say how many. Raises FileInvalid, also when the file to write is there already."""
    blank = sorted(map(without_labels, read_texts(arguments.of)), key=lambda one: one.id)[: arguments.limit]
    write_new(arguments.out, blank)
    return f"{len(blank)} conversations, {sum(len(one.turns) for one in blank)} messages in {arguments.out}"


def without_labels(transcript: Transcript) -> Transcript:
    """The conversation as somebody sees it who knows nothing of its labels."""
    turns = tuple(CustomerTurn(customer=turn.customer) for turn in transcript.turns)
    named = Transcript(id=text_id(transcript), turns=turns)
    return named.model_copy(update={"flags": transcript.flags}) if transcript.flags else named


def write_new(file: Path, transcripts: list[Transcript]) -> None:
    """Write transcripts to a file that was not there. Raises FileInvalid."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as lines:
            lines.writelines(f"{as_line(one)}\n" for one in transcripts)
    except FileExistsError:
        raise FileInvalid(f"{file}: is there already and may hold labels; name another file") from None
    except OSError as error:
        raise FileInvalid(f"{file}: cannot be written ({error.strerror})") from None
