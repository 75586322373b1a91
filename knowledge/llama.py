"""The knowledge base for programs built on LlamaIndex: our embedder as its embedding, our search as its retriever.

The product itself does not import this: llama_index takes 2 s of processor time and 90 MB that a chat does not need.
"""

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from knowledge.embed import Embedder
from knowledge.search import HybridSearch


class LocalEmbedding(BaseEmbedding):
    """The local sentence embedder; fits the vectors in the Chroma collections of an index version."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name="all-MiniLM-L6-v2", embed_batch_size=256)
        self._embedder = embedder

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex files it under."""
        return "LocalEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(number) for number in self._embedder.embed_query(query)]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [[float(number) for number in vector] for vector in self._embedder.embed_texts(texts)]


class HybridRetriever(BaseRetriever):
    """Public passages as nodes, best first, with the fused score in [0, 1]."""

    def __init__(self, search: HybridSearch, limit: int = 8) -> None:
        super().__init__()
        self._search = search
        self._limit = limit

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._search.find(query_bundle.query_str, limit=self._limit)
        return [
            NodeWithScore(
                node=TextNode(
                    id_=passage.id,
                    text=passage.text,
                    metadata={"title": passage.title, "heading": passage.heading, "document": passage.document},
                ),
                score=passage.score,
            )
            for passage in found.passages
        ]
