"""`python -m evals.fit_answerability`: fits what the answerability starts from (`knowledge/priors.py`) and says how well.

Questions about the demo company come from labelled transcripts and follow-ups, where a question counts as answerable when
one of the first two documents is a labelled one; public sets (CORPUS=QUERIES) count by their label. Foreign questions, and
statements that ask nothing, are put to every set, half of them within its conversations. Each set weighs the same.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bot.domain import Outcome
from evals.formats import QueryRow, Row, read_rows
from evals.metrics import auroc
from evals.retrieval import cache_name, read_corpus
from evals.transcripts import read_transcripts
from knowledge.answerability import FEATURES, features
from knowledge.document import Document, DocumentId
from knowledge.embed import Embedder
from knowledge.index import build_index
from knowledge.read import read_documents
from knowledge.search import HybridSearch

FOLDS = 5
FOREIGN = 150
FOREIGN_WEIGHT = 0.3
SHOWN = 400
"""Characters of a reply that the search is told of, as a title would be."""
TURNS = 6
STATEMENTS = (
    "thanks that worked", "ok great thank you", "no that's all", "it's a samsung", "yes i did that", "my name is dave",
    "ok i'll try that", "about ten minutes ago", "brilliant cheers", "hmm ok", "never mind found it", "i see", "right ok",
    "yes please", "no thanks", "i'm in leeds", "wow that's quick", "that's rubbish", "it's the blue one", "ok done",
)  # fmt: skip

Numbers = NDArray[np.float64]


class Foreign(Row):
    """A question that no help centre answers."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A question of one conversation; `label` is None where the labels do not say whether there is an answer."""

    group: str
    text: str
    before: tuple[str, ...]
    gold: tuple[str, ...] = ()
    label: bool | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the samples of one set look like to the model."""

    name: str
    rows: Numbers
    labels: NDArray[np.bool_]
    weights: Numbers
    groups: Sequence[str]
    follows: NDArray[np.bool_]


def transcript_samples(files: Sequence[Path], titles: Mapping[str, str]) -> Iterator[Sample]:
    """Every labelled message; what was said before it is as if each had been answered from its first labelled article."""
    for transcript in (one for file in files for one in read_transcripts(file)):
        said: list[str] = []
        for turn in transcript.turns:
            outcomes, gold = turn.expect.outcomes, turn.expect.cite
            if gold or (outcomes and Outcome.ANSWERED not in outcomes):
                label = None if gold else False
                before = tuple(said[-TURNS:])
                yield Sample(group=transcript.id, text=turn.customer, before=before, gold=gold, label=label)
            said += [turn.customer, *(titles[one] for one in gold[:1])]


def query_samples(file: Path, titles: Mapping[str, str] | None = None) -> Iterator[Sample]:
    """The rows of a labelled file; with titles, replies that begin with one are cut to it, and gold documents decide."""
    for row in read_rows(file, QueryRow):
        before = tuple(_shown(text, titles or {}) for _, text in row.history)[-TURNS:]
        label = None if titles else row.answerable if row.answerable is not None else bool(row.gold)
        yield Sample(group=row.id, text=row.text, before=before, gold=row.gold, label=label)


def with_foreign(samples: Sequence[Sample], foreign: Sequence[str]) -> list[Sample]:
    """The samples, and questions and statements that have no answer, half of the questions within the conversations."""
    chance = random.Random(1)  # noqa: S311  no secret
    conversations = [one.before for one in samples if one.before] or [()]
    placed = [(text, chance.choice(conversations) if n % 2 else ()) for n, text in enumerate(foreign[:FOREIGN])]
    placed += [(text, chance.choice(conversations)) for text in STATEMENTS]
    added = [
        Sample(group=f"foreign-{n}", text=text, before=before, label=False, weight=FOREIGN_WEIGHT)
        for n, (text, before) in enumerate(placed)
    ]
    return [*samples, *added]


def look(name: str, search: HybridSearch, ids: Sequence[str], samples: Sequence[Sample]) -> Table:
    """Ask every question."""
    rows, labels = [], []
    for sample in samples:
        ranked = search.rank(sample.text, sample.before)
        leading = {ids[place] for place, _ in ranked.candidates.documents[:2]}
        rows.append(features(ranked.version.collection, ranked.query, ranked.candidates))
        labels.append(bool(leading & set(sample.gold)) if sample.label is None else sample.label)
    weights = np.array([sample.weight for sample in samples])
    return Table(
        name=name,
        rows=np.array(rows),
        labels=np.array(labels),
        weights=weights / weights.sum(),
        groups=[sample.group for sample in samples],
        follows=np.array([bool(sample.before) for sample in samples]),
    )


def fit(tables: Sequence[Table]) -> tuple[Numbers, float]:
    """The features' weights and the bias; each table weighs as much as 150 questions."""
    rows, labels = np.concatenate([one.rows for one in tables]), np.concatenate([one.labels for one in tables])
    spreads = np.maximum(rows.std(axis=0), 1e-9)
    weights = 150 * np.concatenate([one.weights for one in tables])
    model = LogisticRegression(C=1.0, max_iter=5000).fit(rows / spreads, labels, sample_weight=weights)
    return model.coef_[0] / spreads, float(model.intercept_[0])


def cross_validated(table: Table, others: Sequence[Table]) -> Numbers:
    """Each row's probability: by the other tables where there are any, else by the table's other conversations."""
    if others:
        return _probability(table.rows, *fit(others))
    order = sorted(set(table.groups))
    random.Random(0).shuffle(order)  # noqa: S311  no secret
    fold = np.array([order.index(group) % FOLDS for group in table.groups])
    predicted = np.zeros(len(table.labels))
    for held in range(FOLDS):
        kept = replace(
            table, rows=table.rows[fold != held], labels=table.labels[fold != held], weights=table.weights[fold != held]
        )
        predicted[fold == held] = _probability(table.rows[fold == held], *fit([kept]))
    return predicted


def main() -> None:
    """Fit with the articles' questions and without, and print weights and what they are worth."""
    options = _options()
    embedder = Embedder(threads=2)
    foreign = [row.text for row in read_rows(options.foreign, Foreign)]
    public = [one for one in read_documents(options.articles).documents if not one.internal]
    titles = {str(one.id): one.title for one in public}
    own = [*transcript_samples(options.transcripts, titles)]
    own += [one for file in options.follow_ups for one in query_samples(file, titles)]
    plain = [replace(one, questions=()) for one in public]
    asked = _look(options.cache, "articles with questions", public, embedder, with_foreign(own, foreign))
    tables = [_look(options.cache, "articles", plain, embedder, with_foreign(own, foreign))]
    for corpus, queries in (one.split("=") for one in options.sets):
        rows = read_corpus(Path(corpus))
        documents = [Document(id=DocumentId(row.id), title=row.title, text=row.text, source=row.id) for row in rows]
        samples = with_foreign([*query_samples(Path(queries))], foreign)
        tables.append(_look(options.cache, cache_name(Path(corpus), rows), documents, embedder, samples))
    told = [
        *_tell([asked], "PRIOR_ASKED, each conversation predicted by the others"),
        *_tell(tables, "PRIOR, each set predicted by the others"),
    ]
    sys.stdout.write("".join(f"{line}\n" for line in told))


def _look(cache: Path, name: str, documents: Sequence[Document], embedder: Embedder, samples: Sequence[Sample]) -> Table:
    build_index(documents, cache / name.replace(" ", "-"), embedder)
    search = HybridSearch.open(cache / name.replace(" ", "-"), embedder)
    try:
        return look(name, search, sorted(str(one.id) for one in documents), samples)
    finally:
        search.close()


def _tell(tables: Sequence[Table], title: str) -> Iterator[str]:
    weights, bias = fit(tables)
    yield f"{title}\nbias {bias:.2f}"
    yield from (f"{weight:8.2f}  {name}" for name, weight in zip(FEATURES, weights, strict=True))
    for table in tables:
        predicted = cross_validated(table, [one for one in tables if one is not table])
        for part, rows in (("first messages", ~table.follows), ("follow-ups", table.follows)):
            figure = auroc(predicted[rows].tolist(), table.labels[rows].tolist())
            said = f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]" if figure else "-"
            yield (f"{table.name}, {part}: n = {rows.sum()}, AUROC {said}, mean error {_off(predicted, table, rows):.3f}")


def _off(predicted: Numbers, table: Table, rows: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width."""
    places = np.minimum((predicted * 10).astype(int), 9)
    bins = [rows & (places == place) for place in range(10)]
    gaps = [abs(float(predicted[one].mean() - table.labels[one].mean())) * one.sum() for one in bins if one.any()]
    return float(sum(gaps) / max(rows.sum(), 1))


def _probability(rows: Numbers, weights: Numbers, bias: float) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-(rows @ weights + bias))), np.float64)


def _shown(text: str, titles: Mapping[str, str]) -> str:
    return next((title for title in titles.values() if text.startswith(f"{title}:")), text[:SHOWN])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals.fit_answerability", description=__doc__)
    parser.add_argument("--articles", type=Path, required=True, help="help articles with questions in their front matter")
    parser.add_argument("--transcripts", type=Path, nargs="+", required=True, help="labelled development conversations")
    parser.add_argument("--follow-ups", type=Path, nargs="*", default=[], help="labelled questions about the articles")
    parser.add_argument("--sets", nargs="*", default=[], metavar="CORPUS=QUERIES", help="other labelled sets: JSON lines")
    parser.add_argument("--foreign", type=Path, required=True, help="foreign questions: JSON lines with id and text")
    parser.add_argument("--cache", type=Path, default=Path("data/evals/answerability"), help="where indexes are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
