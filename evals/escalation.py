"""`python -m evals escalation`: how well the bot notices that a customer asks for a human."""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from bot.asking import asks_for_human
from bot.decide import Limits, Signals, decide
from bot.domain import Escalation
from bot.topics import find_topics
from evals.detection import LabelledRow, cell, groups, half, rates
from evals.formats import FileInvalid, Row, read_rows

SUMMARY = "how well requests for a human are told from mentions of one"

DESCRIPTION = """\
Measure which messages the bot takes for a request for a human. Rows are JSON lines, plain or gzipped: id, text, history,
label (1: asks for a human). The report has n, precision, recall, f1 with 95% intervals (Wilson; bootstrap for F1) over
all rows, and the same for each half: `part` in the row, else a hash of the text. What was developed on one half is judged
by the other.

  --causes FILE   rows are scenarios (instructions to a simulated customer) whose transfer has one of four causes:
                  asked, policy, cannot_answer, behaviour. FILE has JSON lines of id and cause. Each scenario's sentences
                  and quoted words go through the escalation rules; recall is reported for each cause. Without a knowledge
                  base and a conversation, the last two causes can only show where the customer then asks.
"""
CAUSES = ("asked", "policy", "cannot_answer", "behaviour")
_QUOTED = re.compile(r"[\"“]([^\"“”]{8,400})[\"”]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\\n|\n")


class CauseRow(Row):
    """Why a scenario must be transferred."""

    cause: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="labelled messages: .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument("--details", type=Path, help="also write what was said of each message, as JSON lines")
    parser.add_argument("--causes", type=Path, help="see above")


def run(arguments: argparse.Namespace) -> str:
    """Measure, write the report and give the table. Raises FileInvalid."""
    rows = read_rows(arguments.data, LabelledRow)
    causes = {row.id: row.cause for row in read_rows(arguments.causes, CauseRow)} if arguments.causes else {}
    read = escalate_scenario if causes else escalate_message
    found = [read(row.text) for row in tqdm(rows, desc="read", disable=None, leave=False)]
    report = {"data": arguments.data.name, **summarise(rows, found)}
    if causes:
        report["causes"] = by_cause(rows, found, causes)
    write_json(arguments.out, report)
    if arguments.details:
        write_lines(arguments.details, [_detail(row, one) for row, one in zip(rows, found, strict=True)])
    return _table(report)


def escalate_message(text: str) -> Escalation | None:
    """The escalation of a message that asks for a human, or None."""
    return decide(Signals(asked=asks_for_human(text)), Limits())


def escalate_scenario(text: str) -> Escalation | None:
    """The first hand-over that any sentence or quoted words of a scenario cause by themselves."""
    pieces = [*_QUOTED.findall(text), *_SENTENCE.split(text)]
    found = (decide(Signals(asked=asks_for_human(one), topics=find_topics(one)), Limits()) for one in pieces if one.strip())
    return next((one for one in found if one and not one.offer), None)


def summarise(rows: Sequence[LabelledRow], found: Sequence[Escalation | None]) -> dict[str, object]:
    """The rates over all rows and over each half."""
    said, labels = [one is not None for one in found], [row.label for row in rows]
    halves = {}
    for name in sorted({half(row) for row in rows}):
        places = [place for place, row in enumerate(rows) if half(row) == name]
        halves[name] = rates([said[place] for place in places], [labels[place] for place in places])
    return {**rates(said, labels), "halves": halves}


def by_cause(
    rows: Sequence[LabelledRow], found: Sequence[Escalation | None], causes: Mapping[str, str]
) -> dict[str, dict[str, object]]:
    """Recall for each of the four causes. Raises FileInvalid when a cause is unknown."""
    if strange := set(causes.values()) - set(CAUSES):
        raise FileInvalid(f"unknown cause '{min(strange)}': use {', '.join(CAUSES)}")
    report = {}
    for cause in CAUSES:
        said = [one is not None for row, one in zip(rows, found, strict=True) if row.label and causes.get(row.id) == cause]
        report[cause] = rates(said, [True] * len(said))
    return report


def write_json(path: Path, report: Mapping[str, object]) -> None:
    """Write a report. Raises FileInvalid naming the file."""
    _write(path, json.dumps(report, indent=1) + "\n")


def write_lines(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write JSON lines. Raises FileInvalid naming the file."""
    _write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileInvalid(f"{path}: cannot be written ({error.strerror})") from None


def _detail(row: LabelledRow, found: Escalation | None) -> dict[str, object]:
    why = {"rule": found.rule, "words": found.evidence.words} if found else {}
    said = {"label": int(row.label), "said": int(found is not None), "half": half(row)}
    return {"id": row.id, "text": row.text[:300], **said, **why}


def _table(report: Mapping[str, object]) -> str:
    names = ("precision", "recall", "f1")
    lines = [f"{'':16}{'n':>6}{'true':>6}" + "".join(f"{name:>24}" for name in names)]
    for name, one in groups(report, "halves", "causes"):
        lines.append(f"{name:16}{one['n']:>6}{one['positive']:>6}" + "".join(f"{cell(one, figure):>24}" for figure in names))
    return "\n".join(lines)
