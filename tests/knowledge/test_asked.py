"""How customers ask for an article: read, found by, never quoted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge.asked import Asked, learn_asked
from knowledge.document import Document
from knowledge.embed import Progress
from knowledge.index import build_index
from knowledge.read import read_documents
from knowledge.search import HybridSearch
from tests.knowledge.articles import ARTICLES, FRAUD, PASSWORD, ROUTER, embedder

ASKED = "the box in the hallway is glowing crimson"
FRONT_MATTER = "---\nid: router\ntitle: Lights\naudience: public\n{}---\n\nA red light means no connection.\n"


def read(folder: Path, front_matter: str) -> tuple[Document | None, list[str]]:
    (folder / "router.md").write_text(FRONT_MATTER.format(front_matter), encoding="utf-8")
    reading = read_documents(folder)
    notes = [one.reason for one in reading.skipped] + [one.text for one in reading.remarks]
    return (reading.documents[0] if reading.documents else None), notes


def test_the_questions_of_an_article_are_a_list_in_its_front_matter(tmp_path: Path) -> None:
    document, notes = read(tmp_path, 'questions:\n  - what does red mean\n  - "is it broken: yes or no?"\n')
    assert document
    assert document.questions == ("what does red mean", "is it broken: yes or no?")
    assert not notes


def test_a_single_question_needs_no_list(tmp_path: Path) -> None:
    document, _ = read(tmp_path, "questions: what does red mean\n")
    assert document
    assert document.questions == ("what does red mean",)


def test_nested_questions_are_refused_with_what_to_write(tmp_path: Path) -> None:
    document, notes = read(tmp_path, "questions:\n  - is it: broken\n")
    assert document is None
    assert "one question per line, in quotes" in notes[0]


def test_repeated_and_overlong_questions_are_left_out_and_said_so(tmp_path: Path) -> None:
    document, notes = read(tmp_path, f"questions:\n  - what is red\n  - what is red\n  - {'long ' * 100}\n")
    assert document
    assert document.questions == ("what is red",)
    assert "2 of its questions were left out" in notes[0]


def test_json_lines_hold_questions_too(tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_text('{"id": "a", "text": "Some text.", "questions": ["one way", "another\\nway"]}\n')
    assert read_documents(tmp_path).documents[0].questions == ("one way", "another way")


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> HybridSearch:
    root = tmp_path_factory.mktemp("asked")
    router = replace(ROUTER, questions=(ASKED, "what do the colours on the hub mean"))
    build_index([router, *(one for one in ARTICLES if one is not ROUTER)], root, embedder())
    return HybridSearch.open(root, embedder())


def test_an_article_is_found_by_how_customers_ask_for_it_and_the_question_is_not_quoted(search: HybridSearch) -> None:
    found = search.find("hallway box glows crimson")
    assert found.passages[0].document == ROUTER.id
    assert not any("crimson" in passage.text for passage in found.passages)


def test_articles_without_questions_are_found_beside_those_that_have_some(search: HybridSearch) -> None:
    assert search.find("I forgot my password").passages[0].document == PASSWORD.id


def test_an_internal_articles_questions_find_nothing(tmp_path: Path) -> None:
    build_index([replace(FRAUD, questions=("zebra marker please",)), PASSWORD], tmp_path, embedder())
    search = HybridSearch.open(tmp_path, embedder())
    assert {passage.document for passage in search.find("zebra marker please").passages} <= {PASSWORD.id}
    search.close()


def test_a_changed_question_makes_a_new_version_and_embeds_only_what_is_new(tmp_path: Path) -> None:
    first = build_index([replace(ROUTER, questions=("one",))], tmp_path, embedder())
    assert not build_index([replace(ROUTER, questions=("one",))], tmp_path, embedder()).changed
    embedded: list[tuple[str, int]] = []

    def listen(stage: str, total: int) -> Progress:
        embedded.append((stage, total))
        return lambda done: None

    second = build_index([replace(ROUTER, questions=("one", "two"))], tmp_path, embedder(), listen)
    assert second.changed
    assert second.manifest.content != first.manifest.content
    assert [one for one in embedded if one[0].startswith("embed")] == [("embed public questions", 1)]


def test_the_reader_gives_a_question_to_the_document_it_was_taught_for() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 384)).astype(np.float32)
    owners = np.repeat(np.arange(3), 8)
    vectors = (centres[owners] + 0.3 * rng.normal(size=(24, 384))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = learn_asked(vectors, owners, np.zeros((24, 16), np.uint8), vectors[:3], np.array([0, 0, 0]))
    fresh = centres[2] / np.linalg.norm(centres[2])
    assert asked.read(fresh).argmax() == 2
    assert asked.closest(fresh).argmax() == 2


def test_saved_questions_are_the_questions_loaded(tmp_path: Path) -> None:
    vectors = np.eye(4, 384, dtype=np.float32)
    asked = learn_asked(vectors, np.array([0, 0, 1, 1]), np.zeros((4, 16), np.uint8), vectors[:2], np.array([0, 1]))
    asked.save(tmp_path / "asked")
    loaded = Asked.load(tmp_path / "asked")
    assert loaded
    assert np.array_equal(loaded.reader, asked.reader)
    assert np.array_equal(loaded.owners, asked.owners)
    assert Asked.load(tmp_path / "none") is None
