"""`python -m evals frustration`: how well a customer's frustration is read, or a reply that breaks a conversation."""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from bot.breakdown import BreakdownModel, load_breakdown_model
from bot.mood_features import textblob_polarity
from bot.mood_model import load_mood_model
from bot.sentiment import MoodReader
from evals.detection import LabelledRow, cell, f1, groups, half, plain_figures
from evals.escalation import write_json, write_lines
from evals.formats import read_rows
from evals.metrics import auroc

SUMMARY = "how well frustrated messages and broken-down replies score above the others"

DESCRIPTION = """\
Score messages with the product's own reading and compare with their labels. Rows are JSON lines, plain or gzipped: id, text,
history (list of [speaker, text]), label (1: frustrated). Where the last one who spoke in the history is the customer
(U, user, customer, human), the text is the bot's reply, label 1 means that it broke the conversation down, and the breakdown
model scores it; otherwise the text is a customer's message.

The report has n, auroc with its 95% interval (bootstrap), the same for TextBlob's polarity alone and for each half of the
data, and f1 at the best threshold of the development half beside that of saying yes to everything. Halves are by
dialogue (the id without its last number) or by text. The breakdown model was fitted to the development half of DBDC3 dev.
"""
_CUSTOMER = frozenset({"u", "user", "customer", "human", "usr", "client"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="labelled messages: .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument("--details", type=Path, help="also write each message's score, as JSON lines")


def run(arguments: argparse.Namespace) -> str:
    """Score, write the report and give the table. Raises FileInvalid."""
    rows = read_rows(arguments.data, LabelledRow)
    reader, breakdowns = MoodReader(load_mood_model()), load_breakdown_model()
    scores = [score(row, reader, breakdowns) for row in tqdm(rows, desc="read", disable=None, leave=False)]
    report = {"data": arguments.data.name, **summarise(rows, scores)}
    write_json(arguments.out, report)
    if arguments.details:
        write_lines(arguments.details, [_detail(row, one) for row, one in zip(rows, scores, strict=True)])
    return "\n".join(
        f"{name:14}n = {one['n']:<6} AUROC {cell(one, 'auroc'):24} TextBlob alone {cell(one, 'textblob_auroc'):24} "
        f"F1 {one['f1']:.3f} (yes to all {one['always_f1']:.3f})"
        for name, one in groups(report, "halves")
    )


def is_reply(row: LabelledRow) -> bool:
    """True when the row's text is the bot's, who answers the customer."""
    return bool(row.history) and row.history[-1][0].strip().lower() in _CUSTOMER


def split_history(row: LabelledRow) -> tuple[list[str], list[str]]:
    """What the customer and what the bot said before, oldest first."""
    customer = [text for speaker, text in row.history if speaker.strip().lower() in _CUSTOMER]
    return customer, [text for speaker, text in row.history if speaker.strip().lower() not in _CUSTOMER]


def score(row: LabelledRow, reader: MoodReader, breakdowns: BreakdownModel) -> float:
    """How frustrated the customer sounds, or how likely the bot's reply is a breakdown, in [0, 1]."""
    customer, bot = split_history(row)
    if is_reply(row):
        return breakdowns.breakdown(row.text, customer, bot)
    return reader.read(row.text, customer).frustration or 0.0


def fitted_half(row: LabelledRow) -> str:
    """The half of a row; all replies of a dialogue are in the same one."""
    if not is_reply(row):
        return half(row)
    dialogue = row.id.rsplit("-", 1)[0].lower()
    return "test" if int(hashlib.sha256(dialogue.encode()).hexdigest(), 16) % 2 else "development"


def summarise(rows: Sequence[LabelledRow], scores: Sequence[float]) -> dict[str, object]:
    """The report: all rows, and each half."""
    development = [place for place, row in enumerate(rows) if fitted_half(row) == "development"] or list(range(len(rows)))
    threshold = best_threshold([scores[place] for place in development], [rows[place].label for place in development])
    halves = {
        name: _figures([(row, one) for row, one in zip(rows, scores, strict=True) if fitted_half(row) == name], threshold)
        for name in sorted({fitted_half(row) for row in rows})
    }
    return {**_figures(list(zip(rows, scores, strict=True)), threshold), "threshold": round(threshold, 3), "halves": halves}


def best_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The score above which F1 is best."""
    ordered = sorted(zip(scores, labels, strict=True), reverse=True)
    total, hits, best, threshold = sum(labels), 0, 0.0, 0.5
    for count, (value, label) in enumerate(ordered, start=1):
        hits += label
        if (one := 2 * hits / (count + total)) > best and (count == len(ordered) or ordered[count][0] < value):
            best, threshold = one, value
    return threshold - 1e-9


def _figures(scored: Sequence[tuple[LabelledRow, float]], threshold: float) -> dict[str, object]:
    labels, scores = [row.label for row, _ in scored], [one for _, one in scored]
    negative = [-textblob_polarity(row.text) for row, _ in scored]
    said, always = f1([one > threshold for one in scores], labels), f1([True] * len(labels), labels)
    return {
        "n": len(scored),
        "positive": sum(labels),
        **plain_figures({"auroc": auroc(scores, labels), "textblob_auroc": auroc(negative, labels)}),
        "f1": round(said.value, 4) if said else 0.0,
        "always_f1": round(always.value, 4) if always else 0.0,
    }


def _detail(row: LabelledRow, value: float) -> dict[str, object]:
    return {"id": row.id, "text": row.text[:300], "label": int(row.label), "score": round(value, 4)}
