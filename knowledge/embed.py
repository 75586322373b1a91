"""The local sentence embedder: all-MiniLM-L6-v2 on onnxruntime. Nothing is downloaded."""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from knowledge.errors import ModelDamaged

Vectors = NDArray[np.float32]
Progress = Callable[[int], object]

MODEL_DIR = Path(__file__).resolve().parent / "model"
MODEL_HASHES = {
    "model.onnx": "d0fcb516de0dbb7163e44d19e6cca3bbcf388900ad1538fd391ab3002e6ba1f4",
    "tokenizer.json": "5d9095310efa21a2414297c0654ffe64e3f8437330c55c914d9a0c8de5fa1cce",
    "config.json": "49c071ec578788431f692c2e1cc99ffafa39a43342b78644779abd52f0f0c642",
}
DIMENSIONS = 384
MAX_TOKENS = 256
BATCH_TOKENS = 1024
"""Most tokens of a batch, padding included: 512 to 1,024 measured fastest, and memory stays flat."""
CACHED_QUERIES = 4096
FINGERPRINT = f"{MODEL_HASHES['model.onnx'][:16]}-{MAX_TOKENS}"
"""Names the model and the way it is used: vectors with the same fingerprint can be compared and reused."""


class Embedder:
    """Unit vectors of 384 numbers; cosine is their dot product. Safe from several threads.

    A text's vector does not depend on what else is in its batch. Raises ModelDamaged when a model file is missing or is
    not the one whose hash stands above.
    """

    def __init__(self, folder: Path = MODEL_DIR, threads: int = 1) -> None:
        files = {name: _verified(folder / name, digest) for name, digest in MODEL_HASHES.items()}
        self._session = _open_session(files["model.onnx"], threads)
        self._tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self.embed_query: Callable[[str], Vectors] = lru_cache(CACHED_QUERIES)(self._embed_one)
        """One unit vector, shape (384,), read-only; the last few thousand texts are remembered."""

    def is_common(self, word: str) -> bool:
        """Whether the model's vocabulary has the word whole, in lower case: some 22,000 common English words are there."""
        return self._tokenizer.token_to_id(word) is not None

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Unit vectors, shape (len(texts), 384); `progress` hears how many texts each batch finished."""
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        encoded = self._tokenizer.encode_batch(list(texts)) if texts else []
        for batch in _batches([len(one.ids) for one in encoded]):
            vectors[batch] = self._run([encoded[row] for row in batch])
            if progress is not None:
                progress(len(batch))
        return vectors

    def _embed_one(self, text: str) -> Vectors:
        vector: Vectors = self._run([self._tokenizer.encode(text)])[0]
        vector.setflags(write=False)
        return vector

    def _run(self, encoded: Sequence[Encoding]) -> Vectors:
        longest = max(len(one.ids) for one in encoded)
        ids = np.zeros((len(encoded), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, one in enumerate(encoded):
            ids[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
        output = self._session.run(["sentence_embedding"], {"input_ids": ids, "attention_mask": mask})[0]
        return np.asarray(output, np.float32)


def _open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # spinning burns a whole core while idle
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _verified(file: Path, digest: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelDamaged(f"{file} cannot be read ({error.strerror}). Restore it from the repository.") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelDamaged(f"{file} is not the file it should be (its SHA-256 differs). Restore it from the repository.")
    return content


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Rows grouped by similar length, longest first, so that little is spent on padding."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(row)
    return batches
