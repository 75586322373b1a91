"""Spend: what a reply takes, in tokens, dollars and waiting. The waiting depends on the machine and on what else it does."""

from collections.abc import Iterator

import numpy as np

from evals.marks import Better, Column, Kind, Mark, Measure, Statistic
from evals.runs import Run
from evals.scorers.turns import Case, cases


def _percentile(share: float) -> Statistic:
    def compute(values: Column, _: Column) -> float:
        return float(np.percentile(values.astype(float), share))

    return compute


MEASURES = (
    Measure(
        name="tokens",
        title="Tokens a turn",
        aspect="spend",
        says="Tokens of prompts and completions that a turn takes, on average; none where the articles are quoted.",
        kind=Kind.MEAN,
        better=Better.LOWER,
        unit="tokens",
    ),
    Measure(
        name="cost",
        title="Cost of a turn",
        aspect="spend",
        says="US dollars that a turn costs, on average, by the price table; unscored where a price is unknown.",
        kind=Kind.MEAN,
        better=Better.LOWER,
        unit="dollars",
    ),
    Measure(
        name="first_sentence_p50",
        title="First sentence, typical wait",
        aspect="spend",
        says="Half of the turns show their first sentence within this time, while several conversations run at once.",
        kind=Kind.POOLED,
        better=Better.LOWER,
        unit="ms",
        statistic=_percentile(50),
    ),
    Measure(
        name="first_sentence_p95",
        title="First sentence, long wait",
        aspect="spend",
        says="Nineteen of twenty turns show their first sentence within this time.",
        kind=Kind.POOLED,
        better=Better.LOWER,
        unit="ms",
        statistic=_percentile(95),
    ),
)


def score(run: Run) -> Iterator[Mark]:
    """Marks for every turn that the bot replied to."""
    for case in cases(run):
        if case.played.reply is None:
            continue
        first = run.times[case.transcript.id].turns[case.number - 1].first_ms if case.transcript.id in run.times else None
        yield case.mark("tokens", _tokens(case))
        yield case.mark("cost", _cost(case))
        yield case.mark("first_sentence_p50", first)
        yield case.mark("first_sentence_p95", first)


def _usage(case: Case) -> list[dict[str, float | None]]:
    return list((case.played.trace.get("writing") or {}).get("usage", ()))


def _tokens(case: Case) -> float:
    return float(sum((one.get("prompt_tokens") or 0) + (one.get("completion_tokens") or 0) for one in _usage(case)))


def _cost(case: Case) -> float | None:
    costs = [one.get("cost") for one in _usage(case)]
    known = [cost for cost in costs if cost is not None]
    return float(sum(known)) if len(known) == len(costs) else None
