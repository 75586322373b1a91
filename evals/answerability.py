"""`python -m evals answerability`: how well the search knows that its documents do not hold the answer."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.settings import Settings
from evals.detection import cell, plain_figures
from evals.escalation import write_json
from evals.formats import FileInvalid, QueryRow, read_rows
from evals.metrics import auroc, share
from evals.pairs import PairRow, pair_figures
from evals.retrieval import HYBRID, ask, cache_name, read_corpus

SUMMARY = "how well the search knows that the documents do not hold the answer"
DESCRIPTION = """\
Measure the probability that the search gives beside its passages: that they hold the answer. Rows are JSON lines, plain or
gzipped: id, text, history, answerable (true, false or null; null is left out). The documents (id, title, text) stand in
--corpus, or beside NAME-queries.jsonl as NAME-corpus.jsonl. The report has n, auroc and balanced_accuracy at the threshold
above which the bot answers (ANSWERABLE_ABOVE), and the two shares it is made of, each with its 95% interval (Wilson for
shares, else bootstrap).
"""
FIGURES = ("auroc", "balanced_accuracy", "answerable_accepted", "unanswerable_declined")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="labelled questions: .jsonl or .jsonl.gz")
    parser.add_argument("--corpus", type=Path, help="their documents: .jsonl or .jsonl.gz, or a folder of articles")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument(
        "--cache", type=Path, default=Path("data/evals"), help="folder for the indexes (default: data/evals)"
    )


def run(arguments: argparse.Namespace) -> str:
    """Measure, write the report and give the table. Raises FileInvalid or KnowledgeError."""
    rows = [row for row in read_rows(arguments.data, QueryRow) if row.answerable is not None]
    if not rows:
        raise FileInvalid(f"{arguments.data}: no question says `answerable` true or false")
    path = arguments.corpus or find_corpus(arguments.data)
    corpus = read_corpus(path)
    asked = ask(corpus, rows, arguments.cache / cache_name(path, corpus))
    report = {
        "data": arguments.data.name,
        "documents": len(corpus),
        **summarise(rows, [one.rankings[HYBRID].answerability for one in asked], Settings().answerable_above),
    }
    write_json(arguments.out, report)
    return _table(report)


def find_corpus(queries: Path) -> Path:
    """The documents that belong to a file of questions by name. Raises FileInvalid when there are none."""
    beside = queries.with_name(queries.name.replace("queries", "corpus"))
    if beside == queries or not beside.exists():
        raise FileInvalid(f"{queries}: name the documents with --corpus; there is no {beside.name} beside it")
    return beside


def summarise(rows: Sequence[QueryRow], scores: Sequence[float], threshold: float) -> dict[str, object]:
    """The report; a share is null when no question has the label."""
    labels = [bool(row.answerable) for row in rows]
    said = [score > threshold for score in scores]
    pairs = [PairRow(id=row.id, source=(row.id,), response="", label=label) for row, label in zip(rows, labels, strict=True)]
    figures = {
        "auroc": auroc(scores, labels),
        "balanced_accuracy": pair_figures(pairs, [float(one) for one in said], 0.5)["balanced_accuracy"],
        "answerable_accepted": share([one for one, label in zip(said, labels, strict=True) if label]),
        "unanswerable_declined": share([not one for one, label in zip(said, labels, strict=True) if not label]),
    }
    return {"n": len(rows), "n_answerable": sum(labels), "threshold": threshold, **plain_figures(figures)}


def _table(report: Mapping[str, object]) -> str:
    counts = f"{report['documents']} documents, {report['n']} questions, {report['n_answerable']} of them answerable"
    lines = [counts, f"answers above {report['threshold']}"]
    return "\n".join([*lines, *(f"{name:24}{cell(report, name)}" for name in FIGURES)])
