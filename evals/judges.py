"""`python -m evals judge`: the judges are judged by how far they agree with people about faithfulness."""

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.settings import read_settings
from bot.support import SUPPORTED
from evals.detection import plain_figures
from evals.escalation import write_json
from evals.faithfulness import trained_scores, turn_scores
from evals.formats import read_rows
from evals.kappa import Pair, kappa
from evals.metrics import SEED, Figure, share
from evals.pairs import PairRow, pair_figures
from evals.players import CACHE
from evals.ragas_judge import Claimed, JudgeMissing, Judging, judge_with_ragas
from evals.verifier import PASSES

SUMMARY = "how far the judges of faithfulness agree with people"
DESCRIPTION = """\
Let every judge decide on labelled pairs (id, source, response, label, system) and compare with the people who labelled them:
the check that every sentence of a reply goes through, the trained verifier, and ragas' Faithfulness when a provider has a
key. For each: n, agreement (share), kappa (Cohen) and balanced_accuracy with their 95% intervals, and how many pairs it gave
no score. A judge whose balanced accuracy may be below 0.6 does not measure faithfulness on such text: for it the answer is
"not measured", and what it said of the bot there is no figure.
"""
FLOOR = 0.6
"""The lower end of the interval must reach it: a coin has 0.5, and the best models reach 0.6 on ExpertQA."""
LEAST = 30
"""Pairs of either label that a judge must have scored."""
JUDGED = "judge"
"""Folder of the cache where a language model's answers as a judge are kept."""
QUESTION = "What do the sources say?"
"""Pairs have no question, and ragas wants one."""
ALL_BORNE = 1.0
"""ragas says supported when every statement is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--pairs", type=Path, required=True, help="labelled pairs: .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument("--name", help="what readers of a report call these pairs (default: the file's name)")
    parser.add_argument("--ragas-pairs", type=int, default=100, metavar="N", help="pairs that ragas is asked about (100)")


def run(arguments: argparse.Namespace) -> str:
    """Judge the judges, write the report and say it. Raises FileInvalid, KnowledgeError or SettingsInvalid."""
    rows = read_rows(arguments.pairs, PairRow)
    report: dict[str, Mapping[str, object]] = {
        "turn": agreement(rows, [score >= SUPPORTED for score in turn_scores(rows)]),
        "trained": agreement(rows, [score >= PASSES for score in trained_scores(rows)[0]]),
        "ragas": _ragas(rows, arguments.ragas_pairs),
    }
    write_json(
        arguments.out,
        {
            "pairs": arguments.pairs.name,
            "name": arguments.name or arguments.pairs.name,
            "n": len(rows),
            "floor": FLOOR,
            "judges": report,
        },
    )
    return "\n".join(f"{name:9}{_words(one)}" for name, one in report.items())


def agreement(rows: Sequence[PairRow], said: Sequence[bool | None]) -> dict[str, object]:
    """How far a judge agrees with the labels; what it gave no score (None) is counted and left out."""
    scored = [(row, one) for row, one in zip(rows, said, strict=True) if one is not None]
    judged = [row for row, _ in scored]
    sources = {row.source: place for place, row in enumerate(judged)}
    balanced = pair_figures(judged, [float(one) for _, one in scored], 0.5)["balanced_accuracy"] if judged else None
    figures = {
        "agreement": share([row.label == one for row, one in scored]),
        "kappa": kappa(
            [Pair(conversation=sources[row.source], first=str(row.label), second=str(one)) for row, one in scored]
        ),
        "balanced_accuracy": balanced,
    }
    why = _why_not(judged, balanced)
    return {"n": len(scored), "unscored": len(rows) - len(scored), "measured": not why, "why": why, **plain_figures(figures)}


def _why_not(judged: Sequence[PairRow], balanced: Figure | None) -> str:
    """Why a judge's word is no measurement here; empty when it is one."""
    positive = sum(row.label for row in judged)
    if min(positive, len(judged) - positive) < LEAST or balanced is None:
        return f"too few to tell: {LEAST} scored pairs of either label are needed"
    if balanced.low < FLOOR:
        figure = f"{balanced.value:.2f} [{balanced.low:.2f}, {balanced.high:.2f}]"
        return f"it agrees too little with people: balanced accuracy {figure}"
    return ""


def _ragas(rows: Sequence[PairRow], most: int) -> dict[str, object]:
    asked = random.Random(SEED).sample(list(rows), min(most, len(rows)))  # noqa: S311  a sample, no secret
    try:
        judged = judge_with_ragas([_claimed(row) for row in asked], read_settings(), Judging(folder=CACHE / JUDGED))
    except JudgeMissing as missing:
        return {"n": 0, "unscored": 0, "measured": False, "why": str(missing)}
    said = [None if one.value is None else one.value >= ALL_BORNE for one in judged.judgements]
    return {"judge": judged.judge, **agreement(asked, said)}


def _claimed(row: PairRow) -> Claimed:
    return Claimed(question=QUESTION, response=row.response, sources=row.source)


def _words(one: Mapping[str, object]) -> str:
    if not one["measured"]:
        return f"not measured: {one['why']}"
    intervals = one["intervals"]
    names = ("agreement", "kappa", "balanced_accuracy")
    shown = [
        f"{name} {one[name]} {intervals[name]}" for name in names if isinstance(intervals, Mapping) and name in intervals
    ]
    return f"n = {one['n']} ({one['unscored']} unscored)  " + "  ".join(shown)
