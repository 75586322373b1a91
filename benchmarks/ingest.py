"""Ingestion: the demo help centre from nothing and unchanged, and the embedding against sentence-transformers."""

import importlib
import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import Goal, Result, Row
from knowledge.collection import embedded_text
from knowledge.embed import Embedder
from knowledge.index import build_index
from knowledge.read import read_documents
from knowledge.split import split_document
from tests.server import ROOT

ARTICLES = ROOT / "knowledge" / "articles"
PEER = "sentence_transformers"
PEER_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def run(*, quick: bool = False) -> Result:
    """Ingest twice; `quick` changes nothing here."""
    with TemporaryDirectory(prefix="frontdesk-ingest-") as folder:
        cold, unchanged = _ingest(Path(folder), "cold"), _ingest(Path(folder), "unchanged")
    texts = [embedded_text(one) for document in read_documents(ARTICLES).documents for one in split_document(document)]
    rows = [cold, unchanged, _time_embedding("embedding alone", Embedder().embed_texts, texts)]
    remarks = []
    if importlib.util.find_spec(PEER):
        try:
            model: Any = importlib.import_module(PEER).SentenceTransformer(PEER_MODEL, local_files_only=True)
            rows.append(_time_embedding("sentence-transformers", model.encode, texts))
        except OSError:
            remarks.append(f"sentence-transformers has no copy of {PEER_MODEL} here: the comparison is left out")
    else:
        remarks.append("sentence-transformers is not installed: the comparison with it is left out")
    return Result(
        name="ingest",
        rows=rows,
        goals=[
            Goal(what="demo help centre from nothing, s", figure=cold["seconds"], limit=20),
            Goal(what="nothing changed, s", figure=unchanged["seconds"], limit=2),
        ],
        remarks=remarks,
    )


def _ingest(root: Path, what: str) -> Row:
    """Read, split, embed and index, as `python -m knowledge ingest` does; the model is loaded anew."""
    began = time.monotonic()
    built = build_index(read_documents(ARTICLES).documents, root)
    seconds = time.monotonic() - began
    passages = built.manifest.passages + built.manifest.internal_passages
    return {"what": what, "passages": passages, "seconds": round(seconds, 2), "passages/s": round(passages / seconds, 1)}


def _time_embedding(what: str, embed: Callable[[Sequence[str]], object], texts: Sequence[str]) -> Row:
    began = time.monotonic()
    embed(texts)
    seconds = time.monotonic() - began
    return {"what": what, "passages": len(texts), "seconds": round(seconds, 2), "passages/s": round(len(texts) / seconds, 1)}
