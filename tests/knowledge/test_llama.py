from pathlib import Path

import chromadb
from chromadb.config import Settings
from llama_index.core import VectorStoreIndex
from llama_index.vector_stores.chroma import ChromaVectorStore

from knowledge.index import build_index
from knowledge.llama import HybridRetriever, LocalEmbedding
from knowledge.search import HybridSearch
from tests.knowledge.articles import ARTICLES, embedder


def test_llama_index_retrieves_with_our_search(tmp_path: Path) -> None:
    build_index(ARTICLES, tmp_path, embedder())
    search = HybridSearch.open(tmp_path, embedder())
    nodes = HybridRetriever(search, limit=2).retrieve("my router shows a red light")
    assert next(node.metadata["document"] for node in nodes) == "router-lights"
    assert 1 <= len(nodes) <= 2
    assert nodes[0].score == search.find("my router shows a red light").passages[0].score
    search.close()


def test_llama_index_reads_the_collection_as_it_was_written(tmp_path: Path) -> None:
    version = build_index(ARTICLES, tmp_path, embedder()).manifest.id
    folder = tmp_path / "versions" / version / "public" / "chroma"
    with chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False)) as client:
        store = ChromaVectorStore(chroma_collection=client.get_collection("public", embedding_function=None))
        index = VectorStoreIndex.from_vector_store(store, embed_model=LocalEmbedding(embedder()))
        nodes = index.as_retriever(similarity_top_k=1).retrieve("I have forgotten my password")
    assert nodes[0].metadata["title"] == "Reset your password"
