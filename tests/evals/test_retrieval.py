import json
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from evals.formats import QueryRow, read_rows
from evals.ranking import Ranking, value
from evals.retrieval import read_corpus
from tests.knowledge.articles import ARTICLES

ROOT = Path(__file__).resolve().parent.parent.parent
QUERIES: list[dict[str, Any]] = [
    {"id": "1", "text": "forgotten password", "gold": ["reset-password"], "answerable": True},
    {"id": "2", "text": "how long is the notice period?", "gold": ["cancel-mobile"], "answerable": True,
     "history": [["customer", "I want to cancel my mobile plan"], ["bot", "Cancel a mobile plan: text STAC."]]},
    {"id": "3", "text": "will it rain in leeds tomorrow", "answerable": False},
    {"id": "4", "text": "how do I make a pie", "gold": [], "answerable": False},
    {"id": "5", "text": "hello", "gold": [], "answerable": None},
]  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    corpus = [{"id": one.id, "title": one.title, "text": one.text} for one in ARTICLES]
    for name, rows in (("corpus", corpus), ("queries", QUERIES)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = {"corpus": "corpus.jsonl", "queries": "queries.jsonl", "out": "reports/r.json", "cache": "cache"}
    return [part for name, file in options.items() for part in (f"--{name}", str(tmp_path / file))]


def ranking(documents: list[str], gold: list[str]) -> Ranking:
    return Ranking(row=QueryRow(id="q", text="q", gold=tuple(gold)), documents=documents, answerability=0.5)


@pytest.mark.parametrize(
    ("rate", "expected"), [("hit@1", 0), ("hit@5", 1), ("recall@5", 0.5), ("recall@10", 1), ("mrr", 1 / 2)]
)
def test_a_rate_is_what_its_name_says(rate: str, expected: float) -> None:
    assert value(ranking(["x", "a", "y", "z", "v", "b"], ["a", "b"]), rate) == expected


def test_documents_that_were_not_found_add_nothing() -> None:
    assert [value(ranking([], ["a"]), rate) for rate in ("hit@1", "recall@5", "mrr")] == [0, 0, 0]


def test_the_report_has_plain_rates_intervals_and_baselines(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retrieval", *files, "--details", str(tmp_path / "details.jsonl")]) == 0
    report = json.loads((tmp_path / "reports" / "r.json").read_text())
    assert (report["n"], report["n_answerable"]) == (2, 4)
    for system in (report, *report["baselines"].values()):
        for rate in ("hit@1", "hit@5", "recall@5", "recall@10", "mrr", "answerable_auroc"):
            low, high = system["intervals"][rate]
            assert 0 <= low <= system[rate] <= high <= 1
    assert set(report["baselines"]) == {"bm25", "bm25_with_history", "dense"}
    assert report["hit@1"] == 1.0
    assert report["answerable_auroc"] == 1.0
    assert len((tmp_path / "details.jsonl").read_text().splitlines()) == len(QUERIES)
    assert "hybrid" in capsys.readouterr().out


def test_a_rerun_gives_the_same_report_from_the_same_index(files: list[str], tmp_path: Path) -> None:
    main(["retrieval", *files])
    first = json.loads((tmp_path / "reports" / "r.json").read_text())
    main(["retrieval", *files])
    again = json.loads((tmp_path / "reports" / "r.json").read_text())
    assert {**first, "seconds_p50": 0} == {**again, "seconds_p50": 0}
    assert len(list((tmp_path / "cache").glob("*/versions/*"))) == 1


def test_a_gold_document_that_the_corpus_does_not_have_is_named(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queries.jsonl").write_text('{"id": "q9", "text": "hi", "gold": ["no-such"]}\n')
    assert main(["retrieval", *files]) == 2
    assert "query 'q9' names the document 'no-such'" in capsys.readouterr().err


def test_a_malformed_line_ends_the_command_with_its_number(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"id": "a", "text": "x"}\n{"id": "b"}\n')
    assert main(["retrieval", *files]) == 2
    assert "corpus.jsonl:2: text: Field required" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_said_before_the_work(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports").write_text("a file")
    assert main(["retrieval", *files]) == 2
    assert "r.json: cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


def test_a_folder_of_articles_is_a_corpus_without_its_internal_ones(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "reset-password.md").write_text("# Reset your password\n\nFollow the link in the email.")
    (tmp_path / "articles" / "fraud.md").write_text("---\nid: fraud\naudience: internal\n---\n\nZebra.")
    (tmp_path / "queries.jsonl").write_text(json.dumps(QUERIES[0]) + "\n")
    files[files.index("--corpus") + 1] = str(tmp_path / "articles")
    assert main(["retrieval", *files]) == 0
    report = json.loads((tmp_path / "reports" / "r.json").read_text())
    assert (report["documents"], report["hit@1"]) == (1, 1.0)


def test_the_labelled_follow_ups_name_articles_that_are_there() -> None:
    corpus = {row.id for row in read_corpus(ROOT / "knowledge" / "articles")}
    for row in read_rows(ROOT / "evals" / "questions" / "larkfield-follow-ups.jsonl", QueryRow):
        assert row.history
        assert set(row.gold) <= corpus
