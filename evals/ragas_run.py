"""Lets ragas judge the answers of a stored run; what it said is kept in the run's folder, and scored like everything."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tqdm import tqdm

from bot.errors import SettingsInvalid
from bot.settings import read_settings
from evals.escalation import write_lines
from evals.judge_model import SECONDS
from evals.players import CACHE
from evals.ragas_judge import JOBS, Claimed, JudgeMissing, Judging, judge_with_ragas
from evals.runs import VERDICTS, Run, Verdict, Verdicts
from evals.scorers.faithfulness import read_claims
from evals.scorers.turns import Case, cases

KEPT = CACHE / "judge"
"""Where a model's answers are kept by what it was asked, for all runs together."""


def add_ragas(parser: argparse.ArgumentParser) -> None:
    """How a language model is asked."""
    parser.add_argument("--no-ragas", action="store_true", help="ask no language model, also where one has a key")
    parser.add_argument("--judge-seconds", type=float, default=SECONDS, metavar="S", help=f"for one judgement ({SECONDS:g})")
    parser.add_argument("--judge-jobs", type=int, default=JOBS, metavar="N", help=f"judgements at the same time ({JOBS})")


def let_ragas_judge(run: Run, arguments: argparse.Namespace) -> Run:
    """The run with what ragas says of it, which is asked for only where a provider has a key; says on stderr what came."""
    if arguments.no_ragas:
        return run
    asked = list(_asked(run))
    how = Judging(folder=KEPT, seconds=arguments.judge_seconds, jobs=arguments.judge_jobs)
    try:
        judged = judge_with_ragas([claimed for _, claimed in asked], read_settings(), how)
    except (JudgeMissing, SettingsInvalid) as missing:
        before = f"; {VERDICTS} of an earlier time is used" if run.ragas else ""
        tqdm.write(f"ragas: not asked: {missing}{before}", file=sys.stderr)
        return run
    turns: dict[str, dict[int, Verdict]] = {}
    for (case, _), one in zip(asked, judged.judgements, strict=True):
        turns.setdefault(case.transcript.id, {})[case.number] = Verdict(value=one.value, why=one.why)
    rows = {name: Verdicts(id=name, judge=judged.judge, turns=mine) for name, mine in turns.items()}
    write_lines(run.folder / VERDICTS, [row.model_dump(mode="json") for row in rows.values()])
    whys = Counter(one.why for one in judged.judgements if one.value is None)
    unscored = f", {whys.total()} unscored ({_told(whys)})" if whys else ""
    tqdm.write(f"ragas: {len(asked)} answers judged by {judged.judge}{unscored}", file=sys.stderr)
    return replace(run, ragas=rows)


def _told(whys: Counter[str]) -> str:
    return ", ".join(f"{times} times {why}" for why, times in whys.most_common(3))


def _asked(run: Run) -> Iterator[tuple[Case, Claimed]]:
    """Answers that claim something and cite something."""
    for case in cases(run):
        sources = tuple(str(one.get("quote", "")) for one in case.played.data.get("citations", ()))
        if case.answered and any(sources) and (claims := [claim for claim, _ in read_claims(case)]):
            question = str(case.played.trace.get("question") or case.played.asked)
            yield case, Claimed(question=question, response=" ".join(claims), sources=sources)
