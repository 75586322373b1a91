"""What a search ranked for labelled questions, and the rates that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.formats import QueryRow
from evals.metrics import Figure, auroc, mean, share

RATES = ("hit@1", "hit@5", "recall@5", "recall@10", "mrr")
AUROC = "answerable_auroc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """One question, the documents that one system ranked for it, and how sure the system is that they hold the answer."""

    row: QueryRow
    documents: Sequence[str]
    answerability: float


def rates(rankings: Sequence[Ranking]) -> dict[str, Figure | None]:
    """Every rate over the questions with gold documents; the AUROC over those labelled answerable or not."""
    figures: dict[str, Figure | None] = {}
    with_gold = [one for one in rankings if one.row.gold]
    for name in RATES:
        values = [value(one, name) for one in with_gold]
        figures[name] = share([one > 0 for one in values]) if name.startswith("hit") else mean(values)
    labelled = [one for one in rankings if one.row.answerable is not None]
    figures[AUROC] = auroc([one.answerability for one in labelled], [bool(one.row.answerable) for one in labelled])
    return figures


def value(ranking: Ranking, name: str) -> float:
    """What one question adds to a rate: 1 or 0 for a hit, a share for recall, 1 / rank of the first right one for `mrr`."""
    gold = set(ranking.row.gold)
    if name == "mrr":
        return next((1 / (place + 1) for place, document in enumerate(ranking.documents) if document in gold), 0.0)
    kind, depth = name.split("@")
    found = len(gold.intersection(ranking.documents[: int(depth)]))
    return float(found > 0) if kind == "hit" else found / len(gold)


def plain(figures: Mapping[str, Figure | None]) -> dict[str, object]:
    """Figures as the report holds them: plain numbers, null where nothing was labelled, and `intervals` beside them."""
    values: dict[str, object] = {name: None if one is None else round(one.value, 4) for name, one in figures.items()}
    return {**values, "intervals": {name: [round(one.low, 4), round(one.high, 4)] for name, one in figures.items() if one}}


def table(rows: Mapping[str, Mapping[str, Figure | None]]) -> str:
    """Systems by rates, each with its interval."""
    names = (*RATES, AUROC)
    lines = [f"{'':20}" + "".join(f"{name:>22}" for name in names)]
    lines += [f"{system:20}" + "".join(f"{_cell(figures[name]):>22}" for name in names) for system, figures in rows.items()]
    return "\n".join(lines)


def _cell(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
