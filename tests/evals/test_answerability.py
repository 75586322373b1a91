"""Answerability: the report says how far the search knows that its documents do not hold the answer."""

import json

import pytest

from evals.__main__ import main
from evals.answerability import summarise
from evals.formats import QueryRow
from tests.knowledge.articles import ARTICLES

QUERIES = [
    {"id": "1", "text": "forgotten password", "answerable": True},
    {"id": "2", "text": "how do I cancel my mobile plan", "answerable": True},
    {"id": "3", "text": "will it rain in leeds tomorrow", "answerable": False},
    {"id": "4", "text": "how do I bake an apple pie", "answerable": False},
    {"id": "5", "text": "hello", "answerable": None},
]


@pytest.fixture
def queries(tmp_path):
    corpus = [{"id": one.id, "title": one.title, "text": one.text} for one in ARTICLES]
    for name, rows in (("help-corpus", corpus), ("help-queries", QUERIES)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path / "help-queries.jsonl"


def test_the_documents_are_found_beside_the_questions_and_unlabelled_questions_left_out(queries, tmp_path, capsys):
    out = tmp_path / "r.json"
    assert main(["answerability", "--data", str(queries), "--out", str(out), "--cache", str(tmp_path / "cache")]) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["n_answerable"], report["auroc"]) == (4, 2, 1.0)
    for name in ("auroc", "balanced_accuracy", "answerable_accepted", "unanswerable_declined"):
        low, high = report["intervals"][name]
        assert 0 <= low <= report[name] <= high <= 1
    assert f"{len(ARTICLES)} documents" in capsys.readouterr().out


def test_questions_without_labels_or_without_documents_are_refused_with_what_to_do(queries, tmp_path, capsys):
    (tmp_path / "other.jsonl").write_text('{"id": "1", "text": "hi", "answerable": true}\n')
    assert main(["answerability", "--data", str(tmp_path / "other.jsonl"), "--out", str(tmp_path / "r.json")]) == 2
    assert "--corpus" in capsys.readouterr().err
    queries.write_text('{"id": "1", "text": "hi"}\n')
    assert main(["answerability", "--data", str(queries), "--out", str(tmp_path / "r.json")]) == 2
    assert "answerable" in capsys.readouterr().err


def test_the_threshold_is_the_bots_own_and_a_missing_label_gives_no_figure():
    rows = [QueryRow(id=str(n), text="q", answerable=True) for n in range(4)]
    report = summarise(rows, [0.9, 0.8, 0.75, 0.1], 0.75)
    assert report["answerable_accepted"] == 0.5
    assert report["auroc"] is report["unanswerable_declined"] is report["balanced_accuracy"] is None
