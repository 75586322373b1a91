import errno
import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.document import Document
from knowledge.embed import Embedder, Progress, Vectors
from knowledge.errors import (
    DuplicateDocument,
    IndexCorrupt,
    IndexMissing,
    IndexOutdated,
    IndexUnavailable,
    IngestBusy,
    IngestFailed,
)
from knowledge.index import Built, build_index, renew_index
from knowledge.search import HybridSearch
from knowledge.versions import KEPT_VERSIONS, Versions
from tests.knowledge.articles import ARTICLES, CANCEL_MOBILE, PASSWORD, ROUTER, age, embedder


def build(root: Path, documents: Sequence[Document] = ARTICLES) -> Built:
    return build_index(documents, root, embedder())


def found(root: Path, question: str) -> set[str]:
    search = HybridSearch.open(root, embedder())
    try:
        return {passage.document for passage in search.find(question).passages}
    finally:
        search.close()


class DiskFull(Embedder):
    """Fails where an ingestion spends most of its time."""

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_version_says_what_it_holds(tmp_path: Path) -> None:
    manifest = build(tmp_path).manifest
    assert (manifest.documents, manifest.internal_documents) == (6, 1)
    assert manifest.passages > 6
    assert manifest.internal_passages == 1
    assert Versions(tmp_path).current() == manifest.id


def test_the_same_documents_again_change_nothing(tmp_path: Path) -> None:
    first = build(tmp_path)
    again = build(tmp_path, list(reversed(ARTICLES)))
    assert first.changed
    assert not again.changed
    assert again.manifest == Versions(tmp_path).manifest(first.manifest.id)
    assert len(list((tmp_path / "versions").iterdir())) == 1


def test_only_the_passages_of_a_changed_document_are_embedded_again(tmp_path: Path) -> None:
    first = build(tmp_path).manifest
    changed = [
        replace(PASSWORD, text="Ask for a new password in the app."),
        *(one for one in ARTICLES if one is not PASSWORD),
    ]
    second = build(tmp_path, changed).manifest
    assert second.reused_passages == first.passages + first.internal_passages - 1


def test_a_changed_url_makes_a_new_version_without_embedding(tmp_path: Path) -> None:
    first = build(tmp_path).manifest
    second = build(tmp_path, [replace(one, url=f"https://example.com/{one.id}") for one in ARTICLES])
    assert second.changed
    assert second.manifest.reused_passages == first.passages + first.internal_passages


def test_a_removed_document_disappears(tmp_path: Path) -> None:
    build(tmp_path)
    assert "cancel-mobile" in found(tmp_path, "cancel my mobile plan")
    build(tmp_path, [one for one in ARTICLES if one is not CANCEL_MOBILE])
    assert "cancel-mobile" not in found(tmp_path, "cancel my mobile plan")


def test_two_documents_with_one_id_are_refused_by_name(tmp_path: Path) -> None:
    build(tmp_path)
    before = Versions(tmp_path).current()
    with pytest.raises(DuplicateDocument, match=r"router-lights.*other.md"):
        build(tmp_path, [*ARTICLES, replace(ROUTER, source="other.md")])
    assert Versions(tmp_path).current() == before


def test_a_failed_build_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    before = build(tmp_path).manifest.id
    with pytest.raises(IngestFailed, match=r"No space left on device.*stays in use"):
        build_index([replace(ROUTER, text="New words.")], tmp_path, DiskFull())
    assert Versions(tmp_path).current() == before
    assert [folder.name for folder in (tmp_path / "versions").iterdir()] == [before]
    assert "cancel-mobile" in found(tmp_path, "cancel my mobile plan")


def _die_at(root: str, stage: str) -> None:
    def stages(name: str, total: int) -> Callable[[int], object]:
        if name == stage:
            os._exit(9)
        return lambda done: None

    build_index([replace(ROUTER, text="Quite other words.")], Path(root), Embedder(), stages)


@pytest.mark.parametrize("stage", ["embed public", "index public"])
def test_a_killed_build_changes_nothing_and_the_next_one_cleans_up(tmp_path: Path, stage: str) -> None:
    before = build(tmp_path).manifest.id
    child = multiprocessing.get_context("spawn").Process(target=_die_at, args=(str(tmp_path), stage))
    child.start()
    child.join()
    assert child.exitcode == 9
    assert Versions(tmp_path).current() == before
    after = build(tmp_path, [ROUTER]).manifest.id
    assert {folder.name for folder in (tmp_path / "versions").iterdir()} == {before, after}


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    with Versions(tmp_path).writing(), pytest.raises(IngestBusy, match=str(tmp_path)):
        build(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(IngestFailed, match=str(tmp_path / "file")):
        build(tmp_path / "file" / "knowledge")


def test_only_the_last_versions_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT_VERSIONS + 2):
        last = build(tmp_path, [replace(ROUTER, text=f"Version {number}.")]).manifest.id
    kept = sorted(folder.name for folder in (tmp_path / "versions").iterdir())
    assert len(kept) == KEPT_VERSIONS
    assert kept[-1] == last


def test_an_index_of_no_documents_finds_nothing(tmp_path: Path) -> None:
    build(tmp_path, [])
    assert found(tmp_path, "anything") == set()


def test_internal_documents_alone_are_an_index_that_finds_nothing(tmp_path: Path) -> None:
    build(tmp_path, [one for one in ARTICLES if one.internal])
    assert found(tmp_path, "zebra marker") == set()


def test_without_an_index_the_folder_and_the_remedy_are_named(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match=f"{tmp_path}.*python -m knowledge ingest"):
        HybridSearch.open(tmp_path, embedder())


def test_a_read_only_index_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere, so permissions prove nothing here
    with pytest.raises(IndexUnavailable, match=r"read-only.*Make it writable") as refused:
        HybridSearch.open(tmp_path, embedder())
    assert not isinstance(refused.value, IndexCorrupt)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "pointer": lambda version: (version.parent.parent / "current").write_text("../../etc"),
    "pointer to nothing": lambda version: (version.parent.parent / "current").write_text("20200101T000000000-abc"),
    "manifest": lambda version: (version / "manifest.json").unlink(),
    "answerability": lambda version: (version / "answerability.json").write_text("{}"),
    "vectors": lambda version: (version / "public" / "vectors.npy").write_bytes(b"\x93NUMPY"),
    "texts": lambda version: (version / "public" / "texts.sqlite").write_bytes(b"garbage" * 1000),
    "words": lambda version: (version / "public" / "bm25" / "words.json").write_text("[]"),
    "chroma gone": lambda version: shutil.rmtree(version / "public" / "chroma"),
    "chroma garbage": lambda version: (version / "public" / "chroma" / "chroma.sqlite3").write_bytes(b"garbage" * 1000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_says_so_and_a_rebuild_repairs_it(tmp_path: Path, damage: str) -> None:
    manifest = build(tmp_path).manifest
    DAMAGES[damage](tmp_path / "versions" / manifest.id)
    with pytest.raises(IndexCorrupt, match=f"{tmp_path}.*ingest"):
        HybridSearch.open(tmp_path, embedder())
    build_index(ARTICLES, tmp_path, embedder(), rebuild=True)
    assert "cancel-mobile" in found(tmp_path, "cancel my mobile plan")


def test_an_index_that_lost_a_file_is_built_anew_without_being_asked(tmp_path: Path) -> None:
    manifest = build(tmp_path).manifest
    (tmp_path / "versions" / manifest.id / "public" / "bm25" / "rows.npy").unlink()
    assert build(tmp_path).changed


def test_an_index_of_an_older_format_is_not_misread_and_is_renewed_from_its_own_articles(tmp_path: Path) -> None:
    manifest = build(tmp_path).manifest
    age(tmp_path)
    with pytest.raises(IndexOutdated, match=f"{tmp_path}.*ingest"):
        HybridSearch.open(tmp_path, embedder())
    renewed = renew_index(tmp_path, embedder()).manifest
    assert (renewed.documents, renewed.internal_documents) == (manifest.documents, manifest.internal_documents)
    assert "cancel-mobile" in found(tmp_path, "cancel my mobile plan")


def test_an_ingestion_does_not_take_an_older_format_for_unchanged(tmp_path: Path) -> None:
    build(tmp_path)
    age(tmp_path)
    assert build(tmp_path).changed


def test_an_index_whose_articles_are_gone_too_cannot_be_renewed(tmp_path: Path) -> None:
    manifest = build(tmp_path).manifest
    age(tmp_path)
    (tmp_path / "versions" / manifest.id / "internal" / "texts.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(IndexCorrupt, match=f"{tmp_path}.*ingest"):
        renew_index(tmp_path, embedder())
    assert Versions(tmp_path).current() == manifest.id
