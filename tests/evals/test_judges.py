"""The judges are judged: a judge that people do not bear out measures nothing, and without a key nobody is asked."""

import json

import pytest

from bot.settings import Settings
from evals.__main__ import main
from evals.judges import agreement
from evals.pairs import PairRow
from evals.ragas_judge import JudgeMissing, judge_with_ragas


def rows(count):
    return [PairRow(id=str(n), source=(f"s{n}",), response="r", label=n % 2 == 0) for n in range(count)]


def test_a_judge_that_agrees_with_people_has_figures():
    judged = agreement(rows(200), [row.label if n % 10 else not row.label for n, row in enumerate(rows(200))])
    assert (judged["measured"], judged["n"], judged["unscored"], judged["agreement"]) == (True, 200, 0, 0.9)
    assert judged["intervals"]["kappa"][0] < judged["kappa"] < judged["intervals"]["kappa"][1]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([n % 3 == 0 for n in range(200)], "agrees too little"),
        ([True] * 200, "agrees too little"),
        ([None] * 150 + [True] * 50, "too few to tell"),
        ([None] * 200, "too few to tell"),
    ],
)
def test_a_judge_below_the_floor_measures_nothing(said, why):
    judged = agreement(rows(200), said)
    assert not judged["measured"]
    assert why in judged["why"]


def test_what_a_judge_gave_no_score_is_counted_and_is_not_wrong():
    labelled = rows(200)
    judged = agreement(labelled, [None if n < 20 else row.label for n, row in enumerate(labelled)])
    assert (judged["n"], judged["unscored"], judged["agreement"], judged["measured"]) == (180, 20, 1.0, True)


def test_without_a_key_ragas_is_not_asked_and_the_reader_is_told_what_to_do():
    with pytest.raises(JudgeMissing, match="OPENAI_API_KEY"):
        judge_with_ragas(rows(2), Settings(llm_providers=("extractive",)))


def test_the_command_prints_not_measured_instead_of_a_figure(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("evals.judges.read_settings", lambda: Settings(llm_providers=("extractive",)))
    file = tmp_path / "p.jsonl"
    lines = [{"id": str(n), "source": [f"Bills are due on day {n}."], "response": "Pay.", "label": n % 2} for n in range(70)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["judge", "--pairs", str(file), "--out", str(tmp_path / "r.json")]) == 0
    assert capsys.readouterr().out.count("not measured") == 3
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report["judges"]) == {"turn", "trained", "ragas"}
    assert report["floor"] == 0.6
