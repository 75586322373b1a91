"""`python -m evals tune`: proposes thresholds with what they buy, and fits the models that are kept as data."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from bot.bearing import BEARING
from bot.breakdown import BREAKDOWN, load_breakdown_model
from bot.mood_model import MOOD, load_mood_model
from bot.nearness import NEARNESS
from bot.sentiment import MoodReader
from evals.detection import LabelledRow, cell, groups, rates
from evals.escalation import write_json
from evals.fit_bearing import fit_bearing
from evals.fit_breakdown import fit_breakdown
from evals.fit_mood import fit_mood
from evals.fit_nearness import fit_nearness
from evals.formats import FileInvalid, read_rows
from evals.frustration import score

SUMMARY = "propose escalation thresholds, or fit a model anew"

DESCRIPTION = """\
  tune escalation    score labelled messages (id, text, history, label 1: a human was needed) and propose
                     FRUSTRATION_ABOVE: the lowest threshold whose precision reaches --precision, with what it buys
  tune frustration   fit bot/data/mood.json: --data a labelled set for the words (GoEmotions train), --own our own messages
  tune breakdown     fit bot/data/breakdown.json to the development half of --data (DBDC3 dev)
  tune nearness      fit bot/data/nearness.npz to bot/policies/*_examples.yaml; --data everyday sentences that are nothing of
                     the kind (GoEmotions train)
  tune bearing       fit bot/data/bearing.json to labelled transcripts of the company whose articles and intents are set
Fitting says where it comes from inside the file it writes; --out writes it, or the proposal, elsewhere.
"""
GRID = tuple(round(0.05 * step, 2) for step in range(2, 20))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=("escalation", "frustration", "breakdown", "nearness", "bearing"))
    parser.add_argument("--data", type=Path, help="labelled messages: .jsonl or .jsonl.gz")
    parser.add_argument("--transcripts", type=Path, nargs="+", metavar="FILE", help="for bearing: to develop on")
    parser.add_argument("--own", type=Path, help="for frustration: messages of our own domain with `part`")
    parser.add_argument("--out", type=Path, help="where to write instead")
    parser.add_argument("--precision", type=float, default=0.9, help="for escalation: at least this (0.9)")


def run(arguments: argparse.Namespace) -> str:
    """Fit or propose. Raises FileInvalid."""
    if arguments.what == "nearness":
        everyday = read_rows(arguments.data, LabelledRow) if arguments.data else []
        return fit_nearness(arguments.out or NEARNESS, [row.text for row in everyday])
    if arguments.what == "bearing":
        if not arguments.transcripts:
            raise FileInvalid("tune bearing needs --transcripts FILE ...")
        return fit_bearing(arguments.transcripts, arguments.out or BEARING)
    if arguments.data is None:
        raise FileInvalid(f"tune {arguments.what} needs --data FILE")
    rows = read_rows(arguments.data, LabelledRow)
    if arguments.what == "breakdown":
        return fit_breakdown(rows, arguments.data.name, arguments.out or BREAKDOWN)
    if arguments.what == "frustration":
        own = read_rows(arguments.own, LabelledRow) if arguments.own else []
        return fit_mood(rows, own, arguments.data.name, arguments.out or MOOD)
    report = propose(rows, arguments.precision)
    if arguments.out:
        write_json(arguments.out, report)
    return _table(report)


def propose(rows: Sequence[LabelledRow], precision: float) -> dict[str, object]:
    """Each threshold with its precision and recall, and the lowest that is precise enough (None: no one is)."""
    reader, breakdowns = MoodReader(load_mood_model()), load_breakdown_model()
    scores = [score(row, reader, breakdowns) for row in tqdm(rows, desc="read", disable=None, leave=False)]
    labels = [row.label for row in rows]
    table = {str(value): rates([one > value for one in scores], labels) for value in GRID}
    enough = [name for name, one in table.items() if one["found"] and float(str(one["precision"])) >= precision]
    proposed = float(enough[0]) if enough else None
    return {"setting": "FRUSTRATION_ABOVE", "n": len(rows), "proposed": proposed, "thresholds": table}


def _table(report: dict[str, object]) -> str:
    names = ("precision", "recall", "f1")
    lines = [f"{'above':>8}{'found':>8}" + "".join(f"{name:>24}" for name in names)]
    for value, one in groups(report, "thresholds")[1:]:
        lines.append(f"{value:>8}{one['found']:>8}" + "".join(f"{cell(one, name):>24}" for name in names))
    return "\n".join([*lines, f"proposed: {report['setting']}={report['proposed']}"])
