"""Fits how much the subject of a message says about the article found first, to labelled transcripts."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bot.answer import rank_articles
from bot.bearing import FEATURES, Bearing, BearingModel
from bot.domain import Outcome, Standing
from bot.reading import MessageReader
from bot.settings import Settings
from bot.wiring import open_message_reader, open_search
from evals.escalation import write_json
from evals.formats import FileInvalid
from evals.metrics import area
from evals.transcripts import Expected, Transcript, read_transcripts
from knowledge.embed import Embedder
from knowledge.search import HybridSearch

FOLDS = 5
BEFORE = 6
"""What was said before that a search is told of."""
PASSAGES = 12
SHIFT = 0.3
"""Added to the log odds, so that ANSWERABLE_ABOVE keeps its meaning; docs/decisions/0045-bearing.md."""
NEUTRAL = BearingModel(origin="nothing is weighed", bias=0.0, weights=(1.0, 0.0, 0.0, 0.0, 0.0))

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was found for a message: the features, and whether the article that leads is a labelled one."""

    conversation: str
    features: tuple[float, ...]
    label: bool


def fit_bearing(files: Sequence[Path], out: Path) -> str:
    """Fit, write the model to `out` and say what it buys by five folds of conversations. Raises FileInvalid."""
    transcripts = [one for file in files for one in read_transcripts(file)]
    with TemporaryDirectory(prefix="frontdesk-bearing-") as folder:
        rows = asyncio.run(_look(transcripts, Settings(data_dir=Path(folder), llm_providers="extractive")))
    labels = np.array([row.label for row in rows])
    if labels.all() or not labels.any():
        raise FileInvalid("nothing to fit: some messages must have an answer in the articles, and some none")
    values = np.array([row.features for row in rows])
    weights, bias = _fit(values, labels)
    model = BearingModel(
        origin=f"{', '.join(file.name for file in files)}: {len(rows)} messages of {len(transcripts)} conversations",
        bias=round(bias + SHIFT, 4),
        weights=_rounded(weights),
    )
    write_json(out, model.model_dump(mode="json"))
    held_out = _cross_validated(values, labels, [row.conversation for row in rows])
    alone, both = area(values[:, 0], labels), area(held_out, labels)
    told = ", ".join(f"{name} {weight:+.2f}" for name, weight in zip(FEATURES, weights, strict=True))
    return f"{out}: n = {len(rows)}, AUROC of the search alone {alone:.3f}, with the subject {both:.3f} (five folds)\n{told}"


async def _look(transcripts: Sequence[Transcript], settings: Settings) -> list[Row]:
    embedder = Embedder(threads=2)
    search, reader = open_search(settings, embedder), open_message_reader(settings, embedder)
    try:
        bearing = Bearing(reader, search, NEUTRAL)
        return [row for one in transcripts for row in await _rows(one, search, reader, bearing)]
    finally:
        reader.close()
        search.close()


async def _rows(transcript: Transcript, search: HybridSearch, reader: MessageReader, bearing: Bearing) -> list[Row]:
    """A row for each message whose label tells; each is read and searched as if those before had been answered rightly."""
    said: list[str] = []
    asked: list[str] = []
    rows, standing = [], Standing()
    for turn in transcript.turns:
        reading = reader.read_now(turn.customer, asked, standing).reading
        if (label := _label(turn.expect)) is not None:
            found = await search.search(turn.customer, said[-BEFORE:], limit=PASSAGES)
            if found.passages:
                features = await bearing.features(found, reading, await bearing.shelf(found.version))
                leads = rank_articles(found)[0].passage.document
                rows.append(Row(conversation=transcript.id, features=features, label=leads in label))
        standing = replace(standing, intent=reading.intent, topics=reading.topics)
        asked.append(turn.customer)
        said += [turn.customer, *(document.replace("-", " ") for document in turn.expect.cite[:1])]  # as a title
    return rows


def _label(expect: Expected) -> tuple[str, ...] | None:
    """The documents one of which answers, () where none does, None where the labels do not say."""
    if not expect.cite and (not expect.outcomes or Outcome.ANSWERED in expect.outcomes):
        return None
    return expect.cite


def _rounded(weights: Numbers) -> tuple[float, float, float, float, float]:
    odds, subject, confidence, scope, lead = (round(float(weight), 4) for weight in weights)
    return odds, subject, confidence, scope, lead


def _fit(values: Numbers, labels: NDArray[np.bool_]) -> tuple[Numbers, float]:
    spread = values.std(axis=0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=2000).fit(values / spread, labels)
    return model.coef_[0] / spread, float(model.intercept_[0])


def _cross_validated(values: Numbers, labels: NDArray[np.bool_], groups: Sequence[str]) -> Numbers:
    order = sorted(set(groups))
    random.Random(0).shuffle(order)  # noqa: S311  no secret
    fold = np.array([order.index(group) % FOLDS for group in groups])
    scores = np.zeros(len(labels))
    for held in range(FOLDS):
        weights, bias = _fit(values[fold != held], labels[fold != held])
        scores[fold == held] = values[fold == held] @ weights + bias
    return scores
