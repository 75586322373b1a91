import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge.embed import DIMENSIONS, MODEL_DIR, MODEL_HASHES, Embedder
from knowledge.errors import ModelDamaged
from tests.knowledge.articles import embedder

TEXTS = ["how do I pay my bill", "router", "", "Ünïcode ☎ 日本語", "a long one " * 60, "what does it cost to leave early?"]


def test_vectors_have_unit_length() -> None:
    vectors = embedder().embed_texts(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_a_vector_does_not_depend_on_the_rest_of_its_batch() -> None:
    together = embedder().embed_texts(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert float(embedder().embed_query(text) @ vector) > 0.9999


def test_what_means_the_same_is_nearer_than_what_does_not() -> None:
    asked, same, other = embedder().embed_texts(["I can't log in", "forgotten password", "the engineer comes on Monday"])
    assert asked @ same > asked @ other + 0.2


def test_text_beyond_the_last_token_does_not_count() -> None:
    long = "word " * 300
    assert np.allclose(embedder().embed_query(long), embedder().embed_query(long + "zebra " * 1000), atol=1e-5)


def test_no_texts_give_no_vectors() -> None:
    assert embedder().embed_texts([]).shape == (0, DIMENSIONS)


def test_progress_hears_of_every_text() -> None:
    done: list[int] = []
    embedder().embed_texts(["one", "two two", "three " * 200], done.append)
    assert sum(done) == 3


def test_a_repeated_question_is_remembered_and_cannot_be_changed() -> None:
    first = embedder().embed_query("where is my order")
    assert embedder().embed_query("where is my order") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1.0


def test_many_threads_get_the_vectors_that_one_gets() -> None:
    questions = [f"question number {number}" for number in range(40)]
    alone = Embedder().embed_texts(questions)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(Embedder().embed_query, questions))
    assert np.allclose(alone, np.stack(together), atol=1e-4)


def test_the_readme_states_the_hashes_that_are_checked() -> None:
    readme = (MODEL_DIR / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name} | {digest} |" in readme for name, digest in MODEL_HASHES.items())


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match=r"model\.onnx cannot be read"):
        Embedder(tmp_path)


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    for name in MODEL_HASHES:
        (tmp_path / name).write_bytes((MODEL_DIR / name).read_bytes() if name != "tokenizer.json" else b"{}")
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json is not the file it should be"):
        Embedder(tmp_path)


def test_the_runtimes_are_told_to_call_nobody() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert os.environ["ANONYMIZED_TELEMETRY"] == "False"
