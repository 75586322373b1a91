"""Retrieval: how long a search takes in small and large help centres, and how many true neighbours it finds."""

import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np

from benchmarks.corpus import MadeUp, Sentences
from benchmarks.questions import different_questions
from benchmarks.report import Goal, Result, Row, spread
from knowledge.collection import Collection
from knowledge.embed import Embedder
from knowledge.index import build_index
from knowledge.search import HybridSearch
from tests.server import ROOT

SIZES = (1_000, 20_000, 100_000)
QUICK_SIZES = (1_000, 5_000)
QUERIES = 400
NEIGHBOURS = 10
SEED = 384


def run(*, quick: bool = False) -> Result:
    """Build an index of each size and search it, one question after another."""
    embedder = Embedder()
    sentences = Sentences(ROOT / "knowledge" / "articles", embedder)
    sizes, queries = (QUICK_SIZES, 100) if quick else (SIZES, QUERIES)
    rows = [_measure(size, sentences, embedder, queries) for size in sizes]
    largest = rows[-1]
    return Result(
        name="retrieval",
        rows=rows,
        goals=[
            Goal(what=f"search of {largest['passages']:,} passages, p50 ms", figure=largest["p50 ms"], limit=10),
            Goal(
                what=f"recall@10 of the vector index at {largest['passages']:,}",
                figure=largest["recall@10"],
                limit=0.95,
                at_most=False,
            ),
        ],
        remarks=(
            f"{2 * queries} different questions, one at a time, question's embedding included",
            "p50 to p99: question, embedding, dense + BM25, fusion, passages read; recall@10 against exact search",
            f"texts recombine {len(sentences.texts)} sentences; a passage's vector is made from theirs, not embedded",
        ),
    )


def _measure(size: int, sentences: Sentences, embedder: Embedder, queries: int) -> Row:
    questions = list(islice(different_questions(size), 2 * queries))
    with TemporaryDirectory(prefix="frontdesk-retrieval-") as folder:
        made_up = MadeUp(sentences, size, embedder, SEED)
        began = time.monotonic()
        build_index(made_up.documents, Path(folder), cast(Any, made_up))
        build_seconds = time.monotonic() - began
        began = time.monotonic()
        search = HybridSearch.open(Path(folder), embedder)
        open_seconds = time.monotonic() - began
        try:
            first, then = (_time(search, part) for part in (questions[:queries], questions[queries:]))
            collection = search.rank(questions[0]).version.collection
            return {
                "passages": collection.size,
                **spread(first + then),
                "embedding p50 ms": _time_embedding(embedder, questions[:queries]),
                "recall@10": _recall(collection, embedder, questions[:queries]),
                "build s": round(build_seconds, 1),
                "open s": round(open_seconds, 2),
                "disk MiB": round(sum(file.stat().st_size for file in Path(folder).rglob("*")) / 2**20, 1),
            }
        finally:
            search.close()


def _time(search: HybridSearch, questions: Sequence[str]) -> list[float]:
    took = []
    for question in questions:
        began = time.perf_counter()
        search.find(question, limit=20)
        took.append(1000 * (time.perf_counter() - began))
    return took


def _time_embedding(embedder: Embedder, questions: Sequence[str]) -> float:
    took = []
    for question in questions:
        began = time.perf_counter()
        embedder.embed_query(f"Well, {question}")  # the question itself is remembered from the search
        took.append(1000 * (time.perf_counter() - began))
    return round(float(np.median(took)), 1)


def _recall(collection: Collection, embedder: Embedder, questions: Sequence[str]) -> float:
    """The share of the true ten nearest passages that the vector index finds."""
    vectors = np.asarray(collection.vectors)
    found = 0
    for question in questions:
        vector = embedder.embed_query(question)
        exact = np.argpartition(-(vectors @ vector), NEIGHBOURS)[:NEIGHBOURS]
        found += len(np.intersect1d(exact, collection.nearest(vector, NEIGHBOURS)))
    return round(found / (NEIGHBOURS * len(questions)), 4)
