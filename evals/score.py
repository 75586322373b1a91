"""`python -m evals score`: judges a stored run, as often as you like, and writes scores.json and marks.jsonl beside it."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.cost_curve import MISSED, NEEDLESS, Costs, Curve, cost_curves
from evals.escalation import write_json, write_lines
from evals.marks import TOO_FEW, Mark, Measure, by_measure, columns
from evals.metrics import Figure
from evals.ragas_run import add_ragas, let_ragas_judge
from evals.runs import Run, read_run
from evals.scorers import MEASURES, score_run
from evals.statistics import figure
from evals.tables import Table, build_tables

SUMMARY = "judges a run that `play` stored"
DESCRIPTION = """\
Judge a stored run: intent, retrieval, answer, faithfulness, escalation, safety and spend. Writes RUN/scores.json (figures
with their 95% intervals and tables) and RUN/marks.jsonl (what was said of every turn, and why). A turn that cannot be judged
is unscored and is counted, never wrong. Where a provider has a key (OPENAI_API_KEY, GEMINI_API_KEY, COMPATIBLE_BASE_URL and
others), ragas' Faithfulness judges the answers, too; what the model said is kept, so that asking again costs nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A run with every mark."""

    run: Run
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores(Judged):
    """A judged run: a figure for each measure, None where there is nothing to tell, and how many marks are unscored."""

    figures: Mapping[str, Figure | None]
    unscored: Mapping[str, int]
    tables: Mapping[str, Table]
    curves: tuple[Curve, ...]
    costs: Costs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    add_costs(parser)
    add_ragas(parser)


def add_costs(parser: argparse.ArgumentParser) -> None:
    """What mistakes cost, for the curve over the thresholds."""
    parser.add_argument("--cost-missed", type=_cost, default=MISSED, metavar="N", help=f"of a missed human ({MISSED:g})")
    parser.add_argument(
        "--cost-needless", type=_cost, default=NEEDLESS, metavar="N", help=f"of a needless one ({NEEDLESS:g})"
    )


def run(arguments: argparse.Namespace) -> str:
    """Judge, write, and give the table to show. Raises FileInvalid."""
    run = let_ragas_judge(read_run(arguments.run), arguments)
    scores = add_up(judge_run(run), read_costs(arguments))
    write_scores(scores)
    return table(scores)


def read_costs(arguments: argparse.Namespace) -> Costs:
    """The costs that the options name."""
    return Costs(missed=arguments.cost_missed, needless=arguments.cost_needless)


def judge_run(run: Run) -> Judged:
    """Every mark of a run."""
    return Judged(run=run, marks=tuple(score_run(run)))


def add_up(judged: Judged, costs: Costs | None = None) -> Scores:
    """The figures, tables and curves of the marks."""
    costs = costs or Costs()
    run, marks = judged.run, judged.marks
    rows = {name: columns(found) for name, found in by_measure(marks).items()}
    return Scores(
        run=run,
        marks=marks,
        figures={name: figure(measure, rows[name]) if name in rows else None for name, measure in MEASURES.items()},
        unscored={name: rows[name].unscored if name in rows else 0 for name in MEASURES},
        tables=build_tables(run, marks),
        curves=tuple(cost_curves(run, costs)),
        costs=costs,
    )


def write_scores(scores: Scores) -> None:
    """Write the figures and the marks into the run's folder. Raises FileInvalid."""
    folder = scores.run.folder
    write_json(folder / "scores.json", summarise(scores))
    write_lines(folder / "marks.jsonl", [asdict(mark) for mark in scores.marks])


def summarise(scores: Scores) -> dict[str, object]:
    """The figures, tables and curves as JSON holds them."""
    return {
        "conversations": len(scores.run.pairs),
        "turns": scores.run.turns,
        "figures": {name: _figure(MEASURES[name], scores, found) for name, found in scores.figures.items()},
        "tables": dict(scores.tables),
        "costs": asdict(scores.costs),
        "curves": [asdict(curve) for curve in scores.curves],
    }


def _figure(measure: Measure, scores: Scores, found: Figure | None) -> dict[str, object]:
    told = {
        "title": measure.title,
        "unit": measure.unit,
        "better": measure.better,
        "unscored": scores.unscored[measure.name],
    }
    if found is None:
        return {**told, "n": 0, "value": None}
    values = {"value": round(found.value, 6), "low": round(found.low, 6), "high": round(found.high, 6)}
    return {**told, "n": found.n, **values, "too_few": found.n < TOO_FEW}


def table(scores: Scores) -> str:
    """One line a measure."""
    lines = [f"{len(scores.run.pairs)} conversations, {scores.run.turns} turns"]
    if verdicts := tell_verdicts(scores.tables["verdicts"]):
        lines.append(verdicts)
    lines += [_line(measure, scores) for measure in MEASURES.values()]
    return "\n".join(lines)


def tell_verdicts(rows: Table) -> str:
    """How many labelled replies are right, declined, incomplete and wrong, in a line; "" where none is labelled."""
    if not rows:
        return ""
    told = ", ".join(f"{row['right']} {row['verdict']}" for row in rows)
    wrong = rows[-1]
    few = "too few to tell" if wrong["share"] is None else f"{wrong['share']:.1%} [{wrong['low']:.1%}, {wrong['high']:.1%}]"
    return f"{wrong['n']} labelled replies: {told} (wrong {few})"


def _line(measure: Measure, scores: Scores) -> str:
    found, unscored = scores.figures[measure.name], scores.unscored[measure.name]
    left = f", {unscored} unscored" if unscored else ""
    if found is None:
        return f"{measure.title:<36}{'–':>8}{'':>22}   n = 0{left}"
    few = ", too few to tell" if found.n < TOO_FEW else ""
    interval = f"[{shown(measure, found.low)}, {shown(measure, found.high)}]"
    return f"{measure.title:<36}{shown(measure, found.value):>8}{interval:>22}   n = {found.n}{left}{few}"


def shown(measure: Measure, value: float) -> str:
    """A value as people read it."""
    match measure.unit:
        case "share":
            return f"{value:.1%}"
        case "ms":
            return f"{value:.0f} ms"
        case "tokens":
            return f"{value:,.0f}"
        case "dollars":
            return f"${value:.5f}"
    return f"{value:.3f}"


def _cost(value: str) -> float:
    number = float(value)
    if not number >= 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number
