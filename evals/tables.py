"""Tables that explain the figures: each intent, what is confused with what, calibration, timing and reasons of handovers."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from evals.marks import TOO_FEW, Mark, by_measure
from evals.metrics import Figure, share
from evals.runs import Run
from evals.scorers.escalation import Timing
from evals.scorers.intent import BINS
from evals.scorers.turns import cases

if TYPE_CHECKING:
    import pandas as pd

Table = list[dict[str, object]]


class Verdict(StrEnum):
    """What a labelled reply is, in one word."""

    RIGHT = "right"
    DECLINED = "declined"
    """An honest "I don't know" or a question back where an answer was possible."""
    INCOMPLETE = "incomplete"
    """From a right article, without a fact that decides."""
    WRONG = "wrong"
    """It misleads: from a wrong article, where none answers, or with what must not be said."""


CONFUSIONS = 12


def build_tables(run: Run, marks: Iterable[Mark]) -> Mapping[str, Table]:
    """Every table by name; one of what is not labelled is empty."""
    found = by_measure(marks)
    read = _scored(found.get("intent_f1", []))
    return {
        "intents": _intents(read),
        "confusions": _confusions(read),
        "reliability": _reliability(_scored(found.get("intent_ece", []))),
        "timing": _timing(_scored(found.get("handover_f1", []))),
        "reasons": _reasons(run, found.get("escalation_right", [])),
        "verdicts": _verdicts(run, found),
        "tags": _tags(run, found.get("reply_right", [])),
    }


def _frame(rows: Sequence[tuple[object, ...]], names: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - slow, and only the evaluation's install has it

    return pd.DataFrame(rows, columns=list(names))


def _scored(marks: Iterable[Mark]) -> "pd.DataFrame":
    return _frame([(mark.value, mark.truth) for mark in marks if mark.value is not None], ("said", "truth"))


def _intents(read: "pd.DataFrame") -> Table:
    """Precision, recall and F1 of each labelled intent; a small one says so instead."""
    if read.empty:
        return []
    labels = sorted(set(read.truth))
    four = precision_recall_fscore_support(read.truth, read.said, labels=labels, zero_division=np.nan)
    table = _frame(list(zip(labels, *four, strict=True)), ("intent", "precision", "recall", "f1", "n"))
    few = table.n < TOO_FEW
    rates = table[["precision", "recall", "f1"]].astype(float).round(4).astype(object)
    table[["precision", "recall", "f1"]] = rates.where(rates.notna() & ~few.to_numpy()[:, None], None)
    return _rows(table.sort_values("n", ascending=False, kind="stable"))


def _rows(table: "pd.DataFrame") -> Table:
    """As JSON holds them."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _confusions(read: "pd.DataFrame") -> Table:
    """The commonest mistakes."""
    wrong = read[read.said != read.truth]
    if wrong.empty:
        return []
    counted = wrong.value_counts(["truth", "said"]).head(CONFUSIONS).reset_index(name="times")
    totals = read.truth.value_counts()
    return [
        {"truth": row.truth, "said": row.said, "times": int(row.times), "of": int(totals[row.truth])}
        for row in counted.itertuples()
    ]


def _reliability(sure: "pd.DataFrame") -> Table:
    """How often the stated confidence is right, in equally wide bins."""
    if sure.empty:
        return []
    bins = np.minimum((sure.said.astype(float) * BINS).astype(int), BINS - 1)
    grouped = sure.astype(float).groupby(bins)
    return [
        {"bin": int(place), "stated": round(float(one.said.mean()), 4), **_rate([bool(right) for right in one.truth])}
        for place, one in grouped
    ]


def _timing(marks: "pd.DataFrame") -> Table:
    counts = marks.said.value_counts()
    return [{"timing": str(one), "conversations": int(counts.get(str(one), 0))} for one in Timing] if len(marks) else []


def _reasons(run: Run, marks: Iterable[Mark]) -> Table:
    """How many turns that need a human for a reason were escalated rightly."""
    right = {(mark.conversation, mark.turn): mark.value for mark in marks}
    rows = [
        (str(case.expect.reasons[0]), bool(value))
        for case in cases(run)
        if case.expect.reasons and (value := right.get((case.transcript.id, case.number))) is not None
    ]
    return _shares(_frame(rows, ("name", "right")), "reason")


def _verdicts(run: Run, found: Mapping[str, Sequence[Mark]]) -> Table:
    """Every labelled reply under one of four words."""
    answered = {(case.transcript.id, case.number) for case in cases(run) if case.answered}
    misleading = {(mark.conversation, mark.turn) for mark in found.get("not_misleading", ()) if mark.value == 0}
    said = [
        _verdict(mark, (mark.conversation, mark.turn) in misleading, (mark.conversation, mark.turn) in answered)
        for mark in found.get("reply_right", ())
        if mark.value is not None
    ]
    return [{"verdict": str(one), **_rate([each is one for each in said])} for one in Verdict] if said else []


def _verdict(mark: Mark, misleads: bool, answered: bool) -> Verdict:
    if mark.value == 1:
        return Verdict.RIGHT
    return Verdict.WRONG if misleads else Verdict.INCOMPLETE if answered else Verdict.DECLINED


def _tags(run: Run, marks: Iterable[Mark]) -> Table:
    """How many replies are right in conversations of a kind."""
    tags = {transcript.id: transcript.tags for transcript, _ in run.pairs}
    rows = [(tag, bool(mark.value)) for mark in marks if mark.value is not None for tag in tags[mark.conversation]]
    return _shares(_frame(rows, ("name", "right")), "tag")


def _shares(rows: "pd.DataFrame", name: str) -> Table:
    groups = [(str(key), [bool(one) for one in group.right]) for key, group in rows.groupby("name")]
    groups.sort(key=lambda pair: (-len(pair[1]), pair[0]))
    return [{name: key, **_rate(right)} for key, right in groups]


def _rate(right: list[bool]) -> dict[str, float | int | None]:
    found: Figure | None = share(right)
    if found is None or found.n < TOO_FEW:
        return {"n": len(right), "right": sum(right), "share": None, "low": None, "high": None}
    return {
        "n": found.n,
        "right": sum(right),
        "share": round(found.value, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
    }
