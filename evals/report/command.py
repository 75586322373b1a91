"""`python -m evals report`: one self-contained page that says how good the bot is and what changed."""

import argparse
from dataclasses import asdict
from pathlib import Path

from evals.compare import summarise as summarise_comparison
from evals.comparison import compare_sides
from evals.escalation import write_json
from evals.flips import find_flips
from evals.formats import FileInvalid
from evals.ragas_run import add_ragas, let_ragas_judge
from evals.report.history import read_history
from evals.report.page import Report, render_markdown, render_page
from evals.report.verifier import read_agreements
from evals.report.words import headline
from evals.runs import read_run
from evals.score import Scores, add_costs, add_up, judge_run, read_costs, summarise, tell_verdicts, write_scores
from evals.sides import read_side, shared, side_of

SUMMARY = "draws a run as one HTML file: verdict, figures with intervals, worst conversations"
DESCRIPTION = """\
Judge a stored run and draw it: RUN/report.html (one file without any external request), report.md and report.json beside it.

  --against RUN2 or FILE  compare with an earlier run, or with a baseline of `gate`
  --history DIR           small charts over the judged runs in this folder that played the same transcripts
  --judge FILE ...        reports of `python -m evals judge` (or `faithfulness`): how far the judges of claims agree with
                          people; without it those that come with the program are shown
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--against", type=Path, metavar="RUN2", help="see above")
    parser.add_argument("--history", type=Path, metavar="DIR", help="see above")
    parser.add_argument("--judge", type=Path, nargs="+", default=[], metavar="FILE", help="see above")
    add_costs(parser)
    add_ragas(parser)


def run(arguments: argparse.Namespace) -> str:
    """Judge, compare, draw and say where it is. Raises FileInvalid."""
    run = let_ragas_judge(read_run(arguments.run), arguments)
    scores = add_up(judge_run(run), read_costs(arguments))
    write_scores(scores)
    report = build_report(scores, arguments)
    write_report(report, arguments.run)
    head = headline(scores, report.compared)
    verdicts = tell_verdicts(scores.tables["verdicts"])
    lines = [f"{head.word}: {head.sentence}", *head.reasons, verdicts, f"{arguments.run / 'report.html'}"]
    return "\n".join(filter(None, lines))


def build_report(scores: Scores, arguments: argparse.Namespace) -> Report:
    """Everything the page is made of. Raises FileInvalid."""
    history, others = read_history(arguments.history, scores.run.manifest) if arguments.history else ([], 0)
    agreements = read_agreements(arguments.judge)
    if arguments.against is None:
        return Report(scores=scores, history=history, other_runs=others, agreements=agreements)
    now = side_of(scores)
    if arguments.against.is_dir():
        earlier = judge_run(read_run(arguments.against))
        before = side_of(earlier)
        flips = find_flips(earlier, scores, shared(before, now))
    else:
        before, flips = read_side(arguments.against), []
    return Report(
        scores=scores,
        compared=compare_sides(before, now),
        against=arguments.against.name,
        flips=flips,
        history=history,
        other_runs=others,
        agreements=agreements,
    )


def write_report(report: Report, folder: Path) -> None:
    """HTML, Markdown and JSON. Raises FileInvalid."""
    head = headline(report.scores, report.compared)
    told: dict[str, object] = {"verdict": asdict(head), **summarise(report.scores)}
    if report.compared:
        told["comparison"] = summarise_comparison(report.compared, report.flips)
    told["verifier"] = [asdict(one) for one in report.agreements]
    try:
        (folder / "report.html").write_text(render_page(report), encoding="utf-8")
        (folder / "report.md").write_text(render_markdown(report), encoding="utf-8")
    except OSError as error:
        raise FileInvalid(f"{folder}: cannot be written ({error.strerror})") from None
    write_json(folder / "report.json", told)
