"""`python -m evals faithfulness`: how well unsupported text is told from supported, by the verifier and the turn."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from bot.support import SUPPORTED, support
from evals.detection import cell, plain_figures
from evals.escalation import write_json, write_lines
from evals.folds import read_folds
from evals.formats import read_rows
from evals.pairs import PairRow, by_system, pair_figures
from evals.verifier import PASSES, pair_features, read_verifier
from knowledge.embed import Embedder

SUMMARY = "how well text that its sources do not bear is told from text that they do"
DESCRIPTION = """\
Judge labelled pairs and compare with people. Rows are JSON lines, plain or gzipped: id, source (list of texts), response,
label (1: supported), system (who wrote it, or null). The report has n, auroc, auroc_within_system (over pairs of one system:
copying systems are right more often, so the system alone says much; null without systems) and balanced_accuracy, each with
its 95% interval, bootstrapped over sources: of the trained verifier at the top, and under `turn` of the check that every
sentence of a reply goes through (bot.support), on the same pairs.

Never on what it was fitted to: a pair whose source was used for fitting is judged by weights that saw neither that set nor
any text of it; `n_left_out` counts these pairs.
"""
FIGURES = ("auroc", "auroc_within_system", "balanced_accuracy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--pairs", type=Path, required=True, help="labelled pairs: .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument("--details", type=Path, help="also write each pair's scores, as JSON lines")


def run(arguments: argparse.Namespace) -> str:
    """Judge, write the report and give the table. Raises FileInvalid or KnowledgeError."""
    rows = read_rows(arguments.pairs, PairRow)
    trained, left_out = trained_scores(rows)
    turn = turn_scores(rows)
    report = {
        "pairs": arguments.pairs.name,
        "n": len(rows),
        "n_supported": sum(row.label for row in rows),
        "n_left_out": left_out,
        **_figures(rows, trained, PASSES),
        "turn": _figures(rows, turn, SUPPORTED),
    }
    write_json(arguments.out, report)
    if arguments.details:
        scored = zip(rows, trained, turn, strict=True)
        write_lines(arguments.details, [_detail(row, *scores) for row, *scores in scored])
    return _table(report)


def trained_scores(rows: Sequence[PairRow]) -> tuple[list[float], int]:
    """The trained verifier's probabilities, and how many came from weights that left the pair's set out."""
    verifier, folds = read_verifier(), read_folds()
    sets = [folds.set_of(row.source) for row in rows]
    judges = [folds.verifiers[one] if one else verifier for one in sets]
    features = pair_features(rows, Embedder(threads=2))
    scores = [judge.probability(one) for judge, one in zip(judges, features, strict=True)]
    return scores, sum(one is not None for one in sets)


def turn_scores(rows: Sequence[PairRow]) -> list[float]:
    """What the turn's own check says of each response."""
    return [support(row.response, row.source) for row in tqdm(rows, desc="check", disable=None, leave=False)]


def _figures(rows: Sequence[PairRow], scores: Sequence[float], threshold: float) -> dict[str, object]:
    systems = {name: plain_figures({"auroc": figure}) for name, figure in by_system(rows, scores).items()}
    return {**plain_figures(pair_figures(rows, scores, threshold)), "threshold": threshold, "systems": systems}


def _detail(row: PairRow, trained: float, turn: float) -> dict[str, object]:
    said = {"label": int(row.label), "trained": round(trained, 4), "turn": round(turn, 4)}
    return {"id": row.id, "system": row.system, "response": row.response[:300], **said}


def _table(report: Mapping[str, object]) -> str:
    lines = [
        f"{report['n']} pairs, {report['n_supported']} supported, {report['n_left_out']} judged by weights without their set"
    ]
    lines.append(f"{'':18}" + "".join(f"{name:>26}" for name in FIGURES))
    for name, one in (("trained verifier", report), ("the turn's check", report["turn"])):
        if isinstance(one, Mapping):
            lines.append(f"{name:18}" + "".join(f"{cell(one, figure):>26}" for figure in FIGURES))
    return "\n".join(lines)
