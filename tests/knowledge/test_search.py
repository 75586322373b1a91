import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.document import DocumentId, Search
from knowledge.index import build_index
from knowledge.search import HybridSearch
from tests.knowledge.articles import ARTICLES, BUSINESS, FRAUD, ROUTER, article, embedder

QUESTIONS = ("how do I cancel?", "zebra marker", "fraud flag security questions staff", "", "🦓", "qwxz " * 50, "a " * 5000)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    root = tmp_path_factory.mktemp("knowledge")
    build_index(ARTICLES, root, embedder())
    opened = HybridSearch.open(root, embedder())
    yield opened
    opened.close()


async def best(search: Search, question: str, *history: str) -> str:
    return (await search.search(question, history)).passages[0].document


async def test_the_best_passage_comes_first_with_scores_between_0_and_1(search: Search) -> None:
    found = await search.search("my router shows a red light")
    scores = [passage.score for passage in found.passages]
    assert found.passages[0].document == "router-lights"
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


async def test_a_limit_is_kept(search: Search) -> None:
    assert len((await search.search("broadband", limit=2)).passages) == 2


@pytest.mark.parametrize("question", QUESTIONS)
async def test_internal_documents_never_come_out(search: Search, question: str) -> None:
    found = await search.search(question, [FRAUD.title, FRAUD.text], limit=100)
    assert all("zebra" not in passage.text and passage.document != FRAUD.id for passage in found.passages)
    assert 0 <= found.answerability <= 1


async def test_an_internal_article_is_none(search: Search) -> None:
    assert await search.article(FRAUD.id) is None


async def test_internal_documents_do_not_sway_the_words_of_the_public_ones(tmp_path: Path) -> None:
    build_index(ARTICLES, tmp_path / "with", embedder())
    build_index([one for one in ARTICLES if not one.internal], tmp_path / "without", embedder())
    answers = []
    for name in ("with", "without"):
        opened = HybridSearch.open(tmp_path / name, embedder())
        answers.append((await opened.search("who sets the marker when a caller fails?")).passages)
        opened.close()
    assert answers[0] == answers[1]


async def test_an_article_comes_with_all_its_passages_in_order(search: Search) -> None:
    found = await search.article(ROUTER.id)
    assert found is not None
    assert found.document == ROUTER
    assert [passage.position for passage in found.passages] == list(range(len(found.passages)))
    assert "Amber" in found.passages[-1].text


async def test_an_article_that_is_not_there_is_none(search: Search) -> None:
    assert await search.article(DocumentId("no-such")) is None


async def test_a_follow_up_finds_what_the_conversation_is_about(search: Search) -> None:
    assert await best(search, "and for business customers?", "how much is home broadband") == "business-plans"
    assert await best(search, "how long is the notice period?", "I want to cancel my mobile plan") == "cancel-mobile"
    assert await best(search, "how long is the notice period?", "I want to cancel my broadband") == "cancel-broadband"


async def test_a_new_subject_is_not_dragged_back_to_the_old_one(search: Search) -> None:
    before = ("I want to cancel my mobile plan", "Cancel a mobile plan: Text STAC to 75075 to cancel your mobile plan.")
    assert await best(search, "I have forgotten my password", *before) == "reset-password"
    assert await best(search, "my router shows a red light", *before) == "router-lights"


async def test_answerable_questions_score_above_foreign_ones(search: Search) -> None:
    for ours in ("how do I cancel my broadband?", "what does a red light on the router mean", "I forgot my password"):
        for foreign in ("will it rain in leeds tomorrow", "how do I make a chicken pie", "qwxz vbnm"):
            assert (await search.search(ours)).answerability > 0.5 > (await search.search(foreign)).answerability


async def test_a_foreign_question_within_a_conversation_stays_foreign(search: Search) -> None:
    found = await search.search(
        "will it rain in leeds tomorrow", ["how do I cancel my broadband?", "Call us or use the app."]
    )
    assert found.answerability < 0.5


async def test_a_text_that_stands_in_two_articles_comes_once(tmp_path: Path) -> None:
    footer = "Call us on 150 from your Larkfield mobile."
    build_index([article(f"a{number}", f"Article {number}", footer) for number in range(30)], tmp_path, embedder())
    opened = HybridSearch.open(tmp_path, embedder())
    assert [passage.text for passage in (await opened.search("call")).passages] == [footer]
    opened.close()


async def test_many_questions_at_once_get_the_answers_they_get_alone(search: Search) -> None:
    questions = [f"{question} {number}" for number in range(10) for question in ("red light", "cancel", "password", "price")]
    together = await asyncio.gather(*(search.search(question) for question in questions))
    for question, found in zip(questions, together, strict=True):
        assert await search.search(question) == found


def reopened(before: set[int]) -> None:
    """Wait for the threads that open a new version."""
    for thread in threading.enumerate():
        if thread.name == "reopen-index" and thread.ident not in before:
            thread.join()


async def test_a_new_version_is_noticed_and_the_old_one_serves_until_it_is_open(tmp_path: Path) -> None:
    first = build_index(ARTICLES, tmp_path, embedder()).manifest.id
    opened = HybridSearch.open(tmp_path, embedder())
    second = build_index([replace(BUSINESS, text="Business broadband costs £99.")], tmp_path, embedder()).manifest.id
    assert (await opened.search("business broadband")).version == first
    reopened(set())
    found = await opened.search("business broadband")
    assert found.version == second
    assert "£99" in found.passages[0].text
    opened.close()


async def test_a_reader_of_the_old_version_finishes_undisturbed(tmp_path: Path) -> None:
    build_index(ARTICLES, tmp_path, embedder())
    opened = HybridSearch.open(tmp_path, embedder())
    ranked = opened.rank("how do I cancel my mobile plan?")
    for number in range(4):  # more than are kept: the files of the old version are gone
        build_index([replace(BUSINESS, text=f"Number {number}.")], tmp_path, embedder())
    opened.find("anything")
    reopened(set())
    assert ranked.best(1)[0].document == "cancel-mobile"
    opened.close()


async def test_a_new_version_that_cannot_be_opened_leaves_the_old_one_in_use(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = build_index(ARTICLES, tmp_path, embedder()).manifest.id
    opened = HybridSearch.open(tmp_path, embedder())
    (tmp_path / "current").write_text("20990101T000000000-broken")
    assert (await opened.search("cancel")).version == first
    reopened(set())
    assert (await opened.search("cancel")).version == first
    assert "cannot be opened" in caplog.text
    opened.close()


async def test_chroma_finds_what_comparing_with_every_vector_finds(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = ("how do I cancel?", "price of business broadband", "red light", "and the notice period?")
    exact = [await search.search(question) for question in questions]
    monkeypatch.setattr("knowledge.collection.EXACT_UP_TO", 0)
    assert [await search.search(question) for question in questions] == exact
