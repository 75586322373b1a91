"""`python -m evals escalation`, `frustration` and `tune`: the figures are right, and a file that cannot be used is named."""

import gzip
import json

import pytest

from evals.__main__ import main
from evals.detection import LabelledRow, half, rates
from evals.frustration import best_threshold, fitted_half, is_reply
from tests.cases import HERE

ROWS = [
    {"id": "1", "text": "let me talk to a person", "history": [], "label": 1},
    {"id": "2", "text": "agent please", "history": [], "label": 1},
    {"id": "3", "text": "what about my bill", "history": [], "label": 0},
    {"id": "4", "text": "a real human", "history": [], "label": 0},
    {"id": "5", "text": "I would rather write to somebody's letterbox", "history": [], "label": 1},
]


def written(path, rows):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_precision_recall_and_f1_come_with_intervals_and_halves(tmp_path, name, capsys):
    out = tmp_path / "r.json"
    assert main(["escalation", "--data", written(tmp_path / name, ROWS), "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    assert report["n"] == 5
    assert report["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert set(report["intervals"]) == {"precision", "recall", "f1"}
    assert sum(one["n"] for one in report["halves"].values()) == 5
    assert "0.667" in capsys.readouterr().out


def test_details_say_what_was_heard(tmp_path):
    details = tmp_path / "d.jsonl"
    data = written(tmp_path / "rows.jsonl", ROWS)
    assert main(["escalation", "--data", data, "--out", str(tmp_path / "r.json"), "--details", str(details)]) == 0
    first = json.loads(details.read_text().splitlines()[0])
    assert first["said"] == 1
    assert first["words"] == "let me talk to a person"


def test_a_set_without_any_request_has_no_recall(tmp_path):
    out = tmp_path / "r.json"
    assert main(["escalation", "--data", written(tmp_path / "rows.jsonl", ROWS[2:4]), "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    assert (report["recall"], report["f1"]) == (None, None)


def test_scenarios_are_reported_by_cause(tmp_path):
    scenarios = [
        {"id": "a", "text": 'You are Ann. Say: "I want to speak to a human agent."', "history": [], "label": 1},
        {"id": "b", "text": "You are Bob. You want a blue plan.", "history": [], "label": 1},
        {"id": "c", "text": "You want the agent to change your plan.", "history": [], "label": 0},
    ]
    causes = [{"id": "a", "cause": "asked"}, {"id": "b", "cause": "cannot_answer"}]
    out = tmp_path / "r.json"
    data, named = written(tmp_path / "s.jsonl", scenarios), written(tmp_path / "c.jsonl", causes)
    assert main(["escalation", "--data", data, "--causes", named, "--out", str(out)]) == 0
    report = json.loads(out.read_text())["causes"]
    assert report["asked"]["recall"] == 1
    assert report["cannot_answer"]["recall"] == 0
    assert report["policy"]["n"] == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "1", "text": "x"}], "label"),
        ([{"id": "1", "text": "x", "label": 2}], "label"),
        ([{"id": "1", "text": "x", "label": 1}] * 2, "the id '1' was there before"),
        ([], "no rows"),
    ],
)
@pytest.mark.parametrize("command", ["escalation", "frustration"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, capsys, command, rows, message):
    data = written(tmp_path / "bad.jsonl", rows)
    assert main([command, "--data", data, "--out", str(tmp_path / "r.json")]) == 2
    said = capsys.readouterr().err
    assert "bad.jsonl" in said
    assert message in said


def test_an_unknown_cause_and_an_unwritable_report_are_named(tmp_path, capsys):
    data = written(tmp_path / "rows.jsonl", ROWS)
    causes = written(tmp_path / "c.jsonl", [{"id": "1", "cause": "mood"}])
    assert main(["escalation", "--data", data, "--causes", causes, "--out", str(tmp_path / "r.json")]) == 2
    assert main(["escalation", "--data", data, "--out", str(tmp_path)]) == 2
    assert "unknown cause 'mood'" in capsys.readouterr().err


def test_frustration_has_an_auroc_above_textblobs_on_our_own_list(tmp_path):
    out = tmp_path / "r.json"
    assert main(["frustration", "--data", str(HERE / "frustration.jsonl"), "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    assert report["auroc"] > 0.9 > report["textblob_auroc"]
    assert report["f1"] > report["always_f1"]
    assert set(report["halves"]) == {"development", "test"}


def test_a_reply_to_the_customer_is_told_from_a_customers_message():
    row = LabelledRow(id="x-3", text="No.", history=(("S", "Hello"), ("U", "Hi")), label=True)
    assert is_reply(row)
    assert not is_reply(row.model_copy(update={"history": ()}))
    assert not is_reply(row.model_copy(update={"history": (("U", "Hi"), ("S", "Hello"))}))


def test_equal_texts_and_replies_of_one_dialogue_are_in_the_same_half():
    rows = [LabelledRow(id=f"d{number}", text=text, label=True) for number, text in enumerate(["Hello ", "hello", "HELLO"])]
    assert len({half(row) for row in rows}) == 1
    replies = [LabelledRow(id=f"talk-{n}", text=str(n), history=(("U", "a"),), label=True) for n in range(20)]
    assert len({fitted_half(row) for row in replies}) == 1


def test_the_best_threshold_separates_what_can_be_separated():
    threshold = best_threshold([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert 0.2 < threshold < 0.8
    assert rates([], [])["precision"] is None


def test_tune_proposes_a_threshold_with_what_it_buys(tmp_path, capsys):
    out = tmp_path / "t.json"
    data = str(HERE / "frustration.jsonl")
    assert main(["tune", "escalation", "--data", data, "--precision", "0.8", "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    bought = report["thresholds"][str(report["proposed"])]
    assert bought["precision"] >= 0.8
    assert "proposed: FRUSTRATION_ABOVE=" in capsys.readouterr().out


def test_tune_fits_models_and_says_from_what(tmp_path):
    replies = [
        {
            "id": f"t{n}-1",
            "text": "yes" if n % 2 else "the red light means the line is down",
            "history": [["U", "what is the red light?"]],
            "label": n % 2,
        }
        for n in range(40)
    ]
    out = tmp_path / "b.json"
    assert main(["tune", "breakdown", "--data", written(tmp_path / "replies.jsonl", replies), "--out", str(out)]) == 0
    assert "replies.jsonl" in json.loads(out.read_text())["origin"]
    words = [
        {"id": str(n), "text": ["lovely service thank you", "awful rude service"][n % 2], "history": [], "label": n % 2}
        for n in range(60)
    ]
    mood = tmp_path / "m.json"
    assert main(["tune", "frustration", "--data", written(tmp_path / "words.jsonl", words), "--out", str(mood)]) == 0
    assert json.loads(mood.read_text())["lexicon"]["awful"] > 0


@pytest.mark.parametrize("what", ["breakdown", "escalation", "frustration"])
def test_tune_without_data_says_what_is_missing(what, capsys):
    assert main(["tune", what]) == 2
    assert "--data" in capsys.readouterr().err
