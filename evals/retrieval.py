"""`python -m evals retrieval`: how well the product's own search finds the documents that hold the answer."""

import argparse
import hashlib
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from evals.formats import CorpusRow, FileInvalid, QueryRow, read_rows
from evals.metrics import mean
from evals.ranking import Ranking, plain, rates, table, value
from knowledge.document import Document, DocumentId
from knowledge.embed import Embedder
from knowledge.index import build_index
from knowledge.progress import bars
from knowledge.read import read_documents
from knowledge.search import HybridSearch, Ranked

SUMMARY = "how well the search finds the documents that hold the answer"
DESCRIPTION = """\
Measure the search on a labelled corpus: the documents go through the product's own splitter, embedder and index, the
questions through its search, with what was said before. A document's rank is that of its best passage.

Files are JSON lines, plain or gzipped. Corpus: id, title, text. Queries: id, text, history (list of [speaker, text]),
gold (ids of documents), answerable (true, false or null). Rates are over the questions with gold documents, the AUROC of
the answerability over those labelled true or false. Intervals are 95%: Wilson for hits, bootstrap for the others.
"""
SHOWN = 10
"""Documents a question that the details keep."""
HYBRID, BM25, BM25_WITH_HISTORY, DENSE = SYSTEMS = ("hybrid", "bm25", "bm25_with_history", "dense")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: each system's ranking, and what the product's own took."""

    rankings: Mapping[str, Ranking]
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--corpus", type=Path, required=True, help="documents: .jsonl or .jsonl.gz, or a folder of articles")
    parser.add_argument("--queries", type=Path, required=True, help="questions: .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument("--details", type=Path, help="also write what was found for each question, as JSON lines")
    parser.add_argument(
        "--cache", type=Path, default=Path("data/evals"), help="folder for the indexes (default: data/evals)"
    )


def run(arguments: argparse.Namespace) -> str:
    """Measure, write the report, and give the table to show. Raises FileInvalid or KnowledgeError."""
    corpus, queries = read_corpus(arguments.corpus), read_rows(arguments.queries, QueryRow)
    _check_gold(arguments.queries, queries, corpus)
    for file in filter(None, (arguments.out, arguments.details)):
        _check_writable(file)
    asked = ask(corpus, queries, arguments.cache / cache_name(arguments.corpus, corpus))
    report = {
        "corpus": arguments.corpus.name,
        "queries": arguments.queries.name,
        "documents": len(corpus),
        **summarise(asked),
    }
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if arguments.details:
        arguments.details.write_text("".join(_detail(one) + "\n" for one in asked), encoding="utf-8")
    counts = (
        f"{len(corpus)} documents, {report['n']} questions with gold documents, {report['n_answerable']} labelled answerable"
    )
    return f"{counts}\n{table({system: rates(_of(asked, system)) for system in SYSTEMS})}"


def read_corpus(path: Path) -> list[CorpusRow]:
    """The documents of a labelled file, or the public articles of a folder. Raises FileInvalid or FolderUnreadable."""
    if not path.is_dir():
        return read_rows(path, CorpusRow)
    public = [document for document in read_documents(path).documents if not document.internal]
    if not public:
        raise FileInvalid(f"{path}: the folder has no public article that can be read")
    return [CorpusRow(id=document.id, title=document.title, text=document.text) for document in public]


def cache_name(path: Path, corpus: Sequence[CorpusRow]) -> str:
    """The folder of a corpus' index: by its name and by what is in it."""
    return f"{path.resolve().name.split('.')[0]}-{_hash(corpus)}"


def ask(corpus: Sequence[CorpusRow], queries: Sequence[QueryRow], root: Path) -> list[Asked]:
    """Index the corpus below `root`, unless it is there already, and ask every question. Raises KnowledgeError."""
    embedder = Embedder(threads=2)
    documents = [Document(id=DocumentId(row.id), title=row.title, text=row.text, source=row.id) for row in corpus]
    with bars() as stages:
        build_index(documents, root, embedder, stages)
    search = HybridSearch.open(root, embedder)
    try:
        return [_ask(search, row) for row in tqdm(queries, desc="ask", disable=None, leave=False)]
    finally:
        search.close()


def _ask(search: HybridSearch, row: QueryRow) -> Asked:
    history = [text for _, text in row.history]
    started = time.perf_counter()
    found = search.rank(row.text, history)
    seconds = time.perf_counter() - started
    alone = search.rank(row.text) if history else found
    joined = search.rank(" ".join([*history, row.text])) if history else found
    rankings = {
        HYBRID: Ranking(row=row, documents=_documents(found, found.candidates.score), answerability=found.answerability),
        BM25: _ranking(row, alone, alone.candidates.bm25),
        BM25_WITH_HISTORY: _ranking(row, joined, joined.candidates.bm25),
        DENSE: _ranking(row, alone, alone.candidates.cosine),
    }
    return Asked(rankings=rankings, seconds=seconds)


def _ranking(row: QueryRow, found: Ranked, scores: NDArray[np.float32]) -> Ranking:
    """A baseline: ordered by one score alone, and as sure as its best one is high."""
    return Ranking(row=row, documents=_documents(found, scores), answerability=float(scores.max(initial=0)))


def _documents(found: Ranked, scores: NDArray[np.float32]) -> list[str]:
    order = [place for place in np.argsort(-scores, kind="stable") if scores[place] > 0]
    return list(dict.fromkeys(str(passage.document) for passage in found.passages(found.candidates.rows[order].tolist())))


def summarise(asked: Sequence[Asked]) -> dict[str, object]:
    """The report: the product's rates at the top, `intervals` beside them, the same for each baseline."""
    pairs = [(one.rankings[HYBRID], one.rankings[BM25]) for one in asked if one.rankings[HYBRID].row.gold]
    above = {name: mean([value(ours, name) - value(theirs, name) for ours, theirs in pairs]) for name in ("hit@5", "mrr")}
    return {
        "n": len(pairs),
        "n_answerable": sum(one.rankings[HYBRID].row.answerable is not None for one in asked),
        **plain(rates(_of(asked, HYBRID))),
        "baselines": {system: plain(rates(_of(asked, system))) for system in SYSTEMS[1:]},
        "above_bm25": plain(above),
        "seconds_p50": round(statistics.median(one.seconds for one in asked), 5),
    }


def _of(asked: Sequence[Asked], system: str) -> list[Ranking]:
    return [one.rankings[system] for one in asked]


def _check_gold(file: Path, queries: Sequence[QueryRow], corpus: Sequence[CorpusRow]) -> None:
    known = {row.id for row in corpus}
    for query in queries:
        for gold in query.gold:
            if gold not in known:
                raise FileInvalid(f"{file}: query '{query.id}' names the document '{gold}', which the corpus does not have")


def _check_writable(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()
    except OSError as error:
        raise FileInvalid(f"{file}: cannot be written ({error.strerror})") from None


def _hash(corpus: Sequence[CorpusRow]) -> str:
    return hashlib.sha256("".join(row.model_dump_json() for row in corpus).encode()).hexdigest()[:12]


def _detail(one: Asked) -> str:
    ranked = {system: list(ranking.documents[:SHOWN]) for system, ranking in one.rankings.items()}
    ours = one.rankings[HYBRID]
    fields = {"id": ours.row.id, "gold": ours.row.gold, "answerability": round(ours.answerability, 4), "ranked": ranked}
    return json.dumps(fields, ensure_ascii=False)
