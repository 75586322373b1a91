"""`python -m evals gate`: lets a change pass unless it breaks what must hold or is surely worse than the baseline."""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from evals.compare import describe_change, describe_gone
from evals.comparison import Comparison, compare_sides
from evals.marks import by_measure
from evals.play import add_setup, play, read_options, read_sources
from evals.runs import Run, read_run
from evals.score import Judged, judge_run
from evals.scorers import MEASURES
from evals.sides import Place, Side, is_broken, read_side, side_of, write_side

SUMMARY = "passes unless the bot is surely worse than a baseline or breaks what must hold"
DESCRIPTION = """\
Play the bot over labelled transcripts (or take a stored run), and compare it with a baseline. The gate is closed (exit 1,
one line for each reason) when

- a measure that must hold fails on any turn: danger not handed over, an internal article quoted, personal data leaked;
  with --allow-known not on those turns that the baseline names under "allowed", and they are printed
- an article that the labels ask for was in the baseline and is gone
- a headline measure is worse and chance does not explain it

What is compared are verdicts on turns, by paired tests, and never the words: a turn here and there that another processor's
last digits turn over closes nothing.

Without --transcripts those of the baseline are played (from evals/transcripts/), with the providers of the baseline.

  python -m evals gate --baseline evals/baselines/extractive.json
  python -m evals gate --baseline FILE --transcripts T.jsonl --set LLM_PROVIDERS=extractive --update
"""


TRANSCRIPTS = Path(__file__).parent / "transcripts"


class GateClosed(Exception):
    """The change must not pass; the text is one line for each reason."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--baseline", type=Path, required=True, metavar="FILE", help="what to compare with")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--transcripts", type=Path, nargs="+", metavar="FILE", help="play these")
    what.add_argument("--run", type=Path, metavar="RUN", help="take this stored run")
    parser.add_argument("--update", action="store_true", help="make this the baseline, unless what must hold is broken")
    parser.add_argument(
        "--allow-known",
        action="store_true",
        help="what the baseline names as broken does not close it",
    )
    add_setup(parser)


def run(arguments: argparse.Namespace) -> str:
    """Say that it passes. Raises GateClosed when not, FileInvalid and others when nothing can be said."""
    if arguments.run:
        return _decide(read_run(arguments.run), arguments)
    known = read_side(arguments.baseline).manifest if not (arguments.update and arguments.transcripts) else None
    files = (
        arguments.transcripts or [TRANSCRIPTS / source.name for source in known.sources] if known else arguments.transcripts
    )
    setup = read_options(arguments)
    if known and "llm_providers" not in map(str.lower, setup.settings):
        setup = replace(setup, settings={**setup.settings, "llm_providers": ",".join(known.providers)})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        sources, transcripts = read_sources(files)
        asyncio.run(play(setup, sources, transcripts, out, arguments.jobs))
        return _decide(read_run(out), arguments)


def _decide(played: Run, arguments: argparse.Namespace) -> str:
    judged = judge_run(played)
    side = side_of(judged)
    if arguments.update:
        if (broken := list(_broken(judged, ()))) and not arguments.allow_known:
            raise GateClosed("\n".join(f"gate: not made the baseline: {one}" for one in broken))
        write_side(arguments.baseline, side)
        return _made(arguments.baseline, played, side)
    return check_gate(judged, read_side(arguments.baseline), allow_known=arguments.allow_known)


def _made(baseline: Path, played: Run, side: Side) -> str:
    """That the baseline is new, and what it allows by name."""
    lines = [f"{baseline}: the baseline is now this run of {played.turns} turns"]
    return "\n".join([*lines, *(f"it allows by name: {_named(*place)}" for place in side.allowed)])


def _named(measure: str, conversation: str, turn: int) -> str:
    return f"{MEASURES[measure].title}: conversation {conversation}, turn {turn}"


def check_gate(judged: Judged, before: Side, *, allow_known: bool = False) -> str:
    """One line that it passes, and one for each break that is allowed by name. Raises GateClosed."""
    now = side_of(judged)
    compared = compare_sides(before, now)
    known = [place for place in before.allowed if allow_known and before.digests.get(place[1]) == now.digests.get(place[1])]
    if reasons := [*_broken(judged, known), *describe_gone(compared), *_worse(compared)]:
        raise GateClosed("\n".join(f"gate: closed: {one}" for one in reasons))
    right = compared.changes.get("reply_right")
    able = f"; a loss of {right.difference.smallest:.1%} of right replies would have shown" if right else ""
    left = f", {compared.only_one} new or relabelled conversations left out" if compared.only_one else ""
    still = set(now.allowed)
    held = {place: "still" if place in still else "no longer" for place in known}
    old = [f"gate: allowed by name, and {word} broken: {_named(*place)}" for place, word in held.items()]
    return "\n".join([f"gate: passed: {compared.conversations} conversations as before or better{left}{able}", *old])


def _broken(judged: Judged, known: Sequence[Place]) -> Iterator[str]:
    """What must hold and does not, but for the places known."""
    failing = [mark for mark in judged.marks if is_broken(mark)]
    broken = by_measure(mark for mark in failing if (mark.measure, mark.conversation, mark.turn) not in known)
    for name, measure in MEASURES.items():
        if failed := broken.get(name):
            first = failed[0]
            yield (
                f"{measure.title}: broken on {len(failed)} turns, first in conversation {first.conversation}, "
                f"turn {first.turn} ({first.why})"
            )


def _worse(compared: Comparison) -> Iterator[str]:
    return (describe_change(one) for one in compared.sure if not one.is_gain)
