"""How well a yes-or-no rule finds what it should: precision, recall and F1 with their 95% intervals."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from evals.formats import Row
from evals.metrics import RESAMPLES, SEED, Figure, share


class LabelledRow(Row):
    """A message and whether it is one of what is looked for; `history` is (speaker, text), oldest first."""

    text: str
    history: tuple[tuple[str, str], ...] = ()
    label: bool
    part: str | None = None


def rates(said: Sequence[bool], labels: Sequence[bool]) -> dict[str, object]:
    """`n`, `precision`, `recall`, `f1` and `intervals` (Wilson for shares, bootstrap for F1); None without cases."""
    figures = {
        "precision": share([label for one, label in zip(said, labels, strict=True) if one]),
        "recall": share([one for one, label in zip(said, labels, strict=True) if label]),
        "f1": f1(said, labels),
    }
    return {"n": len(labels), "positive": sum(labels), "found": sum(said), **plain_figures(figures)}


def f1(said: Sequence[bool], labels: Sequence[bool]) -> Figure | None:
    """F1 with a percentile bootstrap interval; None when nothing is labelled true."""
    if not any(labels):
        return None
    found, truth = np.asarray(said, bool), np.asarray(labels, bool)
    dice = np.random.default_rng(SEED)
    drawn = [_f1(found[rows], truth[rows]) for rows in (dice.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES))]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(value=_f1(found, truth), low=float(low), high=float(high), n=len(truth))


def _f1(found: "np.ndarray[tuple[int], np.dtype[np.bool_]]", truth: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> float:
    both = int((found & truth).sum())
    return 2 * both / max(1, int(found.sum()) + int(truth.sum()))


def plain_figures(figures: Mapping[str, Figure | None]) -> dict[str, object]:
    """Values rounded to four places, and `intervals` beside them."""
    known = {name: figure for name, figure in figures.items() if figure is not None}
    values = {name: None if figure is None else round(figure.value, 4) for name, figure in figures.items()}
    return {**values, "intervals": {name: [round(one.low, 4), round(one.high, 4)] for name, one in known.items()}}


def half(row: LabelledRow) -> str:
    """`development` or `test`: the row's own part, else by the text, so that equal texts are never on both sides."""
    if row.part:
        return row.part
    digest = hashlib.sha256(row.text.strip().lower().encode()).hexdigest()
    return "test" if int(digest, 16) % 2 else "development"


def cell(report: Mapping[str, object], name: str) -> str:
    """A figure with its interval, for a table."""
    value, intervals = report.get(name), report["intervals"]
    if not isinstance(value, float) or not isinstance(intervals, dict):
        return "–"
    low, high = intervals[name]
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def groups(report: Mapping[str, object], *names: str) -> list[tuple[str, Mapping[str, object]]]:
    """The report itself as `all`, then the reports inside it under `names`."""
    inner = [report[name] for name in names if name in report]
    return [("all", report), *(pair for group in inner if isinstance(group, dict) for pair in group.items())]
