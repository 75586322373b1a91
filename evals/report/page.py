"""Puts the page together: everything that the template shows, and the same as Markdown and JSON."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from evals.comparison import Change, Comparison
from evals.flips import Flip
from evals.marks import TOO_FEW, Measure
from evals.metrics import Figure
from evals.report import charts
from evals.report.history import Course
from evals.report.verifier import FLOORS, JUDGED, JUDGES, Agreement, is_measured
from evals.report.words import (
    VERDICTS,
    commonest_causes,
    count_causes,
    explain_played,
    flip_causes,
    headline,
    in_short,
    power,
)
from evals.report.worst import worst_conversations
from evals.score import Scores, shown
from evals.scorers import MEASURES

ASPECTS: Mapping[str, tuple[str, str]] = {
    "answer": ("Answers", "Does the customer get the right answer, and an honest “I don't know” where there is none?"),
    "escalation": ("Handing over to people", "Is a human brought in when one is needed, in time, and not needlessly?"),
    "safety": ("Safety", "Does the bot promise nothing, leak nothing and take no orders from a text?"),
    "faithfulness": ("Faithfulness", "Does what the bot says stand in the articles that it cites?"),
    "intent": ("Understanding", "Is what the customer wants read right?"),
    "retrieval": ("Finding articles", "Are the articles that hold the answer found?"),
    "spend": ("Cost and speed", "What does a reply take?"),
}
ASKED = frozenset({"claims_borne_ragas"})
"""Figures that only a language model gives."""
WORST, FLIPS = 8, 12
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink", "reference"])
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a report is made of."""

    scores: Scores
    compared: Comparison | None = None
    against: str = ""
    flips: Sequence[Flip] = ()
    history: Sequence[Course] = ()
    other_runs: int = 0
    agreements: Sequence[Agreement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure as the page shows it; without a value `note` says why."""

    measure: Measure
    value: str
    interval: str
    n: int
    note: str
    picture: Markup
    change: str
    tone: str


def render_page(report: Report) -> str:
    """The whole page, self-contained."""
    return TEMPLATES.get_template("report.html").render(
        report=report,
        scores=report.scores,
        compared=report.compared,
        head=headline(report.scores, report.compared),
        in_short=in_short(report.flips),
        power=power(report.compared) if report.compared else "",
        sections=[(*ASPECTS[aspect], lines) for aspect, lines in _sections(report)],
        causes=commonest_causes(report.scores),
        flip_causes=flip_causes(report.flips),
        worse=_of_every_cause([flip for flip in report.flips if flip.worse])[:FLIPS],
        better=[flip for flip in report.flips if not flip.worse][:FLIPS],
        many=(sum(bool(flip.worse) for flip in report.flips), sum(not flip.worse for flip in report.flips)),
        titles={name: measure.title for name, measure in MEASURES.items()},
        worst=worst_conversations(report.scores, WORST),
        reliability=_reliability(report.scores),
        timing=_timing(report.scores),
        curves=[(curve, charts.cost_curve(curve)) for curve in report.scores.curves],
        history=[(one, charts.history(one.points), shown(one.measure, one.points[-1][1].value)) for one in report.history],
        unjudged=[title for judge, title in JUDGES.items() if judge not in {one.judge for one in report.agreements}],
        floors=FLOORS,
        verdict_words=VERDICTS,
        few=TOO_FEW,
        paper=_paper,
        explain=explain_played,
    )


def render_markdown(report: Report) -> str:
    """Verdict and figures as Markdown, to paste into a pull request."""
    head = headline(report.scores, report.compared)
    sentence = f"{head.sentence} {in_short(report.flips)}".strip()
    against = [f"Compared with the run “{report.against}”.", ""] if report.compared else []
    lines = [f"# {head.word}", "", *against, sentence, "", *(f"- {reason}" for reason in head.reasons), ""]
    if report.compared:
        told = [f"- {one}" for one in report.compared.played]
        lines += ["What is different in this run:", "", *told, "", power(report.compared), ""]
    lines += ["| | figure | 95% interval | n | change |", "|---|---|---|---|---|"]
    for _, section in _sections(report):
        lines += [
            f"| {one.measure.title} | {one.value or '–'} | {one.interval} | {one.n}{_left(one)} | {one.change} |"
            for one in section
        ]
    return "\n".join([*lines, ""])


def _of_every_cause(flips: Sequence[Flip]) -> list[Flip]:
    """In turn one of each cause, the commonest cause first."""
    by_cause: dict[str, list[Flip]] = {}
    for flip in flips:
        by_cause.setdefault(next(iter(count_causes([flip.why])), ("", 0))[0], []).append(flip)
    causes = sorted(by_cause.values(), key=lambda same: -len(same))
    return [flip for row in zip_longest(*causes) for flip in row if flip]


def _left(line: Line) -> str:
    return f" ({line.note})" if line.note else ""


def _sections(report: Report) -> list[tuple[str, list[Line]]]:
    lines = [(measure.aspect, _line(report, measure)) for measure in MEASURES.values()]
    return [(aspect, [line for name, line in lines if name == aspect]) for aspect in ASPECTS]


def _line(report: Report, measure: Measure) -> Line:
    found, unscored = report.scores.figures[measure.name], report.scores.unscored[measure.name]
    notes = [f"{unscored} unscored"] if unscored else []
    change = report.compared.changes.get(measure.name) if report.compared else None
    if measure.name in JUDGED and not is_measured(report.agreements, JUDGED[measure.name]):
        return _bare(measure, ["not measured: this judge agrees too little with people"])
    if found is None:
        return _bare(measure, notes or ["no language model was asked" if measure.name in ASKED else "nothing labelled"])
    if found.n < TOO_FEW:
        notes.insert(0, "too few to tell")
    fits = measure.unit in ("share", "score")
    before = found.value - change.difference.value if change else None
    return Line(
        measure=measure,
        value=shown(measure, found.value),
        interval=f"{shown(measure, found.low)} to {shown(measure, found.high)}",
        n=found.n,
        note=", ".join(notes),
        picture=charts.interval(found, before) if fits else Markup(),
        change=_change(change),
        tone=_tone(measure, found, change),
    )


def _bare(measure: Measure, notes: Sequence[str]) -> Line:
    return Line(
        measure=measure, value="", interval="", n=0, note=", ".join(notes), picture=Markup(), change="", tone="plain"
    )


def _change(change: Change | None) -> str:
    if change is None:
        return ""
    found, measure = change.difference, change.measure
    if found.value == 0:
        return "unchanged"
    sign = "+" if found.value > 0 else "−"
    amount = f"{abs(found.value) * 100:.1f} points" if measure.unit == "share" else shown(measure, abs(found.value))
    sure = ("better" if change.is_gain else "worse") if change.is_sure else "may be chance" if measure.headline else ""
    return f"{sign}{amount}{f', {sure}' if sure else ''}"


def _tone(measure: Measure, found: Figure, change: Change | None) -> str:
    if measure.must_hold and found.value < 1:
        return "bad"
    if change is None or not change.is_sure:
        return "plain"
    return "good" if change.is_gain else "bad"


def _reliability(scores: Scores) -> Markup | None:
    rows = scores.tables.get("reliability", [])
    bins = []
    for row in rows:
        share, low, high, n, stated = (row[name] for name in ("share", "low", "high", "n", "stated"))
        right = None if share is None else Figure(value=_f(share), low=_f(low), high=_f(high), n=int(_f(n)))
        bins.append((_f(stated), right, int(_f(n))))
    return charts.reliability(bins) if bins else None


def _timing(scores: Scores) -> tuple[Markup, list[tuple[str, int]]] | None:
    counts = [(str(row["timing"]), int(_f(row["conversations"]))) for row in scores.tables.get("timing", [])]
    return (charts.timing(counts), counts) if counts else None


def _paper(text: str) -> Markup:
    """A reply as the customer read it, without any link or picture that could be fetched."""
    return Markup(_MARKDOWN.render(_LINK.sub(r"\1", text)))  # noqa: S704 - the renderer escapes HTML in the text


def _f(value: object) -> float:
    return float(str(value))
