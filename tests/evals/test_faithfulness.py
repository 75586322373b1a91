"""Faithfulness over labelled pairs: figures are what their names say, and never come from weights that saw the pairs."""

import json

import pytest

from bot.support import SUPPORTED, support
from evals.__main__ import main
from evals.faithfulness import trained_scores
from evals.fit_support import LabelledSet, fit_support
from evals.folds import Folds, hash_source, read_folds
from evals.formats import FileInvalid, read_rows
from evals.made_pairs import make_pairs
from evals.pairs import PairRow, by_system, pair_figures
from evals.support_features import NAMES, read_features, read_sources, read_text
from evals.verifier import Verifier, read_verifier
from knowledge.document import Document, DocumentId

FEE = "We charge a late payment fee of £7.50 if a bill is unpaid 7 days after it was due. You can pay by card."
SAID = (
    ("A late payment fee of £7.50 is charged.", 1),
    ("You can pay by card.", 1),
    ("If a bill is unpaid 7 days after it was due, we charge a fee.", 1),
    ("The late payment fee is £25.", 0),
    ("You cannot pay by card.", 0),
    ("Our engineers visit you on Sundays with a new router.", 0),
)


def pair(response, label, n=0, source=FEE, system=None):
    return PairRow(id=f"{n}-{response[:20]}", source=(source,), response=response, label=bool(label), system=system)


def features(response, *sources):
    return read_features(read_text(response), read_sources(sources or (FEE,)))


@pytest.fixture
def pairs(tmp_path):
    file = tmp_path / "bills-dev.jsonl"
    rows = [
        {"id": f"{n}", "source": [FEE], "response": text, "label": label, "system": "ab"[n % 2]}
        for n, (text, label) in enumerate(SAID)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_the_report_has_each_figure_with_its_interval_for_the_verifier_and_for_the_turn(pairs, tmp_path, capsys):
    out = tmp_path / "reports" / "r.json"
    assert main(["faithfulness", "--pairs", str(pairs), "--out", str(out), "--details", str(tmp_path / "d.jsonl")]) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["n_supported"], report["n_left_out"]) == (6, 3, 0)
    for one in (report, report["turn"]):
        for name in ("auroc", "auroc_within_system", "balanced_accuracy"):
            low, high = one["intervals"][name]
            assert 0 <= low <= one[name] <= high <= 1
    assert report["auroc"] > 0.8
    assert set(report["systems"]) == {"a", "b"}
    assert "the turn's check" in capsys.readouterr().out
    details = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert [one["turn"] for one in details] == [round(support(text, [FEE]), 4) for text, _ in SAID]


def test_a_file_that_is_missing_or_has_no_rows_is_named(tmp_path, capsys):
    (tmp_path / "empty.jsonl").write_text("")
    for name in ("none.jsonl", "empty.jsonl"):
        assert main(["faithfulness", "--pairs", str(tmp_path / name), "--out", str(tmp_path / "r.json")]) == 2
        assert name in capsys.readouterr().err


def test_within_a_system_only_its_own_pairs_are_compared():
    rows = [pair(f"r{n}", n % 2, n, source=f"s{n}", system="copies" if n < 4 else "invents") for n in range(8)]
    scores = [0.9 if row.system == "copies" else 0.1 for row in rows]
    figures = pair_figures(rows, scores, 0.5)
    assert figures["auroc_within_system"].value == 0.5
    assert [figure.value for figure in by_system(rows, scores).values()] == [0.5, 0.5]
    right = pair_figures(rows, [score + 0.05 * row.label for row, score in zip(rows, scores, strict=True)], 0.5)
    assert right["auroc_within_system"].value == 1.0
    assert right["auroc"].value < 1.0


def test_without_systems_or_with_one_label_there_is_no_figure():
    rows = [pair(f"r{n}", n % 2, n, source=f"s{n}") for n in range(8)]
    assert pair_figures(rows, [0.5] * 8, 0.5)["auroc_within_system"] is None
    alike = [pair(f"r{n}", 1, n) for n in range(4)]
    assert set(pair_figures(alike, [0.5] * 4, 0.5).values()) == {None}


def test_answers_to_one_source_widen_the_interval_for_they_hang_together():
    scores = [0.1 * (n % 5) + 0.2 * (n % 2) for n in range(40)]
    apart = pair_figures([pair(f"r{n}", n % 2, n, source=f"s{n}") for n in range(40)], scores, 0.5)["auroc"]
    together = pair_figures([pair(f"r{n}", n % 2, n, source=f"s{n // 20}") for n in range(40)], scores, 0.5)["auroc"]
    assert apart.value == together.value
    assert (apart.low, apart.high) != (together.low, together.high)


def test_a_pair_whose_source_was_used_for_fitting_is_judged_by_weights_without_its_set(monkeypatch):
    shipped = read_verifier()
    without = shipped.model_copy(update={"bias": -100.0})
    folds = Folds(verifiers={"bills-dev": without}, sources={"bills-dev": [hash_source(FEE)]})
    monkeypatch.setattr("evals.faithfulness.read_folds", lambda: folds)
    scores, left_out = trained_scores([pair(SAID[0][0], 1), pair(SAID[0][0], 1, 1, source="Penguins swim south.")])
    assert left_out == 1
    assert scores[0] < 1e-9 < scores[1]


def test_the_weights_in_the_repository_leave_out_what_they_say():
    folds = read_folds()
    assert set(folds.verifiers) == set(folds.sources)
    for name, verifier in folds.verifiers.items():
        assert f"{name} (" not in verifier.origin
        assert f"{name} (" in read_verifier().origin


@pytest.mark.parametrize("written", ['{"origin": "x"}', '{"origin": "x", "bias": 0, "weights": {"held": 1}}', "nonsense"])
def test_weights_that_cannot_be_used_are_named_with_what_to_do(tmp_path, written):
    (tmp_path / "support.json").write_text(written)
    with pytest.raises(FileInvalid, match=r"(?s)support\.json.*evals fit support"):
        read_verifier(tmp_path / "support.json")


def test_no_weight_makes_what_is_missing_or_turned_round_a_merit():
    weights = read_verifier().weights
    assert all(weights[name] <= 0 for name in ("number", "name", "negation", "turned", "quantifier"))
    assert all(weights[name] >= 0 for name in ("held", "order", "best_sentence", "all_words", "nearest", "near"))


def test_the_features_see_numbers_names_negations_order_and_repetition():
    said = features("A late payment fee of £7.50 is charged.")
    assert (said["number"], said["name"], said["turned"]) == (0, 0, 0)
    assert features("The late payment fee is £25.")["number"] == 1
    assert features("We charge it through Barclays.")["name"] == 1
    assert features("You cannot pay by card.")["turned"] > 0
    assert features("Only bills are unpaid.")["quantifier"] > 0
    assert features("Card by pay.")["order"] < features("Pay by card.")["order"]
    assert features("A fee is a fee.")["repetition"] == 0.5


def test_spaces_before_an_apostrophe_or_a_stop_and_a_sentence_that_begins_with_a_space_make_no_difference():
    assert features("You ca n't pay by card .") == features("You can't pay by card.")
    assert features("  Pay by card.")["name"] == 0


def test_an_empty_response_and_an_empty_source_have_features_too():
    assert set(features("")) | {"nearest", "near"} == set(NAMES)
    assert features("Pay by card.", "")["best_sentence"] == 0


def test_made_pairs_are_the_same_each_time_balanced_and_false_where_they_say_so():
    document = Document(
        id=DocumentId("fees"), title="Fees", text=f"## Late\n\n{FEE}\n\n## Other\n\nYou can leave us at any time."
    )
    made = make_pairs([document])
    assert made == make_pairs([document])
    assert sum(row.label for row in made) * 2 == len(made) > 0
    assert all(row.response not in row.source[0] for row in made if not row.label)


def test_fitting_writes_weights_and_those_without_each_set(tmp_path):
    cases = list(enumerate(SAID))
    sets = [
        LabelledSet(name=f"{one}-dev", rows=[pair(f"{text} {one}", label, n, f"{FEE} {one}") for n, (text, label) in cases])
        for one in ("one", "two")
    ]
    fit_support(sets, tmp_path / "s.json", tmp_path / "f.json")
    verifier, folds = read_verifier(tmp_path / "s.json"), read_folds(tmp_path / "f.json")
    assert isinstance(verifier, Verifier)
    assert verifier.origin == "one-dev (6), two-dev (6)"
    assert folds.verifiers["one-dev"].origin == "two-dev (6)"
    assert folds.set_of([f"{FEE} one".upper()]) == "one-dev"
    assert folds.set_of(["another text"]) is None


def test_weights_without_a_set_leave_out_what_other_sets_share_with_it(tmp_path):
    rows = [pair(text, label, n) for n, (text, label) in enumerate(SAID)]
    with pytest.raises(FileInvalid, match="all texts of it are left out"):
        fit_support([LabelledSet(name=name, rows=rows) for name in ("a-dev", "b-dev")], tmp_path / "s", tmp_path / "f")


def test_a_set_with_one_label_cannot_be_fitted_and_two_files_of_one_name_are_refused(pairs, tmp_path, capsys):
    with pytest.raises(FileInvalid, match="one-dev: nothing to fit"):
        fit_support([LabelledSet(name="one-dev", rows=[pair("x", 1)])], tmp_path / "s.json", tmp_path / "f.json")
    assert main(["fit", "support", "--data", str(pairs), str(pairs), "--out", str(tmp_path / "s.json")]) == 2
    assert "same name" in capsys.readouterr().err


def test_the_turns_own_check_is_what_the_evaluation_reports_on(pairs):
    rows = read_rows(pairs, PairRow)
    assert [support(row.response, row.source) >= SUPPORTED for row in rows][:2] == [True, True]
