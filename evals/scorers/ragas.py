"""Faithfulness once more, by a judge that is not the bot's own check: ragas, where a language model was asked."""

from collections.abc import Iterator

from evals.marks import Kind, Mark, Measure
from evals.runs import Run
from evals.scorers.faithfulness import TOLD_BY_TOOL
from evals.scorers.turns import Case, cases

MEASURES = (
    Measure(
        name="claims_borne_ragas",
        title="Claims borne out, says another model",
        aspect="faithfulness",
        says="A language model cuts each answer into statements; of these, the share that it finds borne out by the "
        "passages cited, on average (ragas Faithfulness).",
        kind=Kind.MEAN,
    ),
)


def score(run: Run) -> Iterator[Mark]:
    """A mark for every answer, where ragas was asked at all; unscored where it gave no score."""
    if run.ragas:
        yield from (_mark(run, case) for case in cases(run) if case.answered)


def _mark(run: Run, case: Case) -> Mark:
    if case.by_tool:
        return case.mark("claims_borne_ragas", None, TOLD_BY_TOOL)
    if not case.played.data.get("citations"):
        return case.mark("claims_borne_ragas", 0.0, "no source is named")
    verdicts = run.ragas.get(case.transcript.id)
    said = verdicts.turns.get(case.number) if verdicts else None
    if said is None:
        return case.mark("claims_borne_ragas", None, "the answer claims nothing")
    why = f"by {verdicts.judge}" if verdicts and said.value is not None and said.value < 1 else said.why
    return case.mark("claims_borne_ragas", said.value, why)
