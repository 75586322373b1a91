"""`python -m evals compare A B`: whether B is better than A, worse, or these data cannot tell."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from evals.comparison import Change, Comparison, compare_sides
from evals.escalation import write_json
from evals.flips import Flip, find_flips
from evals.marks import TOO_FEW
from evals.runs import read_run
from evals.score import judge_run, shown
from evals.scorers import MEASURES
from evals.sides import shared, side_of

SUMMARY = "is one run better than another, or can these data not tell?"
DESCRIPTION = """\
Compare two stored runs turn by turn: rates by McNemar's exact test, everything else by a paired bootstrap over
conversations; p values are adjusted for looking at many measures (Benjamini and Hochberg). Only conversations with the same
text and labels in both are compared. Says also the smallest difference that these data would have shown (with a chance of
80%), and how many labels would show one of 2 points.
"""
SHOWN = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("before", type=Path, metavar="A", help="folder of the run before")
    parser.add_argument("after", type=Path, metavar="B", help="folder of the run after")
    parser.add_argument("--out", type=Path, help="also write everything, with all turns that changed, as JSON")


def run(arguments: argparse.Namespace) -> str:
    """Compare, write, and give what is to be shown. Raises FileInvalid."""
    before, after = judge_run(read_run(arguments.before)), judge_run(read_run(arguments.after))
    sides = side_of(before), side_of(after)
    compared = compare_sides(*sides)
    flips = find_flips(before, after, shared(*sides))
    if arguments.out:
        write_json(arguments.out, summarise(compared, flips))
    return describe(compared, flips)


def summarise(compared: Comparison, flips: Sequence[Flip]) -> dict[str, object]:
    """The comparison as JSON holds it."""
    changes = {
        name: {**asdict(one.difference), "p_adjusted": one.p, "sure": one.is_sure} for name, one in compared.changes.items()
    }
    return {
        "verdict": compared.verdict,
        "conversations": compared.conversations,
        "only_one": compared.only_one,
        "played": list(compared.played),
        "broken": dict(compared.broken),
        "gone": dict(compared.gone),
        "changes": json.loads(json.dumps(changes)),
        "flips": [asdict(flip) for flip in flips],
    }


def describe(compared: Comparison, flips: Sequence[Flip]) -> str:
    """Verdict, what was played otherwise, every figure, and the turns that changed."""
    lines = [f"Verdict on B: {compared.verdict}."]
    lines += [f"  {MEASURES[name].title}: broken on {times} turns" for name, times in compared.broken.items()]
    lines += [f"  {one}" for one in describe_gone(compared)]
    lines += [f"  {describe_change(one)}" for one in compared.sure]
    lines += [f"played: {one}" for one in compared.played] or ["played: the same settings, prompts and articles"]
    if compared.only_one:
        lines.append(f"{compared.only_one} conversations stand in one run only or with other labels, and are left out.")
    lines += ["", f"{'':36}{'A':>9}{'B':>9}{'change, 95% interval':>26}{'p':>8}   n"]
    lines += [_row(one) for one in compared.changes.values()]
    worse, better = [flip for flip in flips if flip.worse], [flip for flip in flips if not flip.worse]
    lines += ["", f"{len(worse)} turns are worse, {len(better)} better."]
    lines += [_told(flip) for flip in flips[:SHOWN]]
    return "\n".join(lines)


def describe_gone(compared: Comparison) -> list[str]:
    """Articles that the labels ask for and that are no longer there."""
    gone = sorted(compared.gone.items(), key=lambda pair: (-pair[1], pair[0]))
    return [f"the article {name} is gone, {times} labelled messages ask for it" for name, times in gone]


def describe_change(one: Change) -> str:
    """A change in one sentence."""
    found, way = one.difference, "rose" if one.difference.value > 0 else "fell"
    turns = "" if found.worse is None else f"{found.worse} worse, {found.better} better, "
    figures = f"from {shown(one.measure, found.before)} to {shown(one.measure, found.after)}"
    return f"{one.measure.title} {way} {figures} ({turns}n = {found.n}, p = {one.p:.2g})"


def _row(one: Change) -> str:
    found = one.difference
    few = "  too few to tell" if found.n < TOO_FEW else ""
    able = f"  could show {shown(one.measure, found.smallest)}" if one.measure.headline and not few else ""
    labels = f"; {found.needed:,} labels for 2 points" if able and one.measure.unit == "share" else ""
    change = f"{_signed(one, found.value)} [{_signed(one, found.low)}, {_signed(one, found.high)}]"
    figures = f"{shown(one.measure, found.before):>9}{shown(one.measure, found.after):>9}{change:>26}"
    p = f"{one.p:8.2g}" if one.measure.headline else f"{'':8}"
    return f"{one.measure.title:<36}{figures}{p}   {found.n}{few}{able}{labels}"


def _signed(one: Change, value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{shown(one.measure, abs(value))}"


def _told(flip: Flip) -> str:
    """A turn that changed, both replies shortened."""
    verdict = ", ".join(MEASURES[name].title for name in flip.worse or flip.better)
    heading = f"{'worse' if flip.worse else 'better'}: {flip.conversation} turn {flip.turn}: {flip.asked[:80]!r}"
    why = f": {flip.why}" if flip.why else ""
    return f"{heading}\n    {verdict}{why}\n    A: {_start(flip.before)}\n    B: {_start(flip.after)}"


def _start(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 110 else f"{plain[:110]}…"
