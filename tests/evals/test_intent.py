import gzip
import json
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.intent import few, split
from evals.intent_rates import IntentRow

THINGS = "red blue old new small large wooden broken favourite second".split()
SAID = {
    "order_pizza": "please bring me a {} pizza with cheese",
    "weather": "will it rain on my {} garden today",
    "music": "play a {} song on the radio",
}
KEYS = frozenset("n accuracy in_scope_accuracy oos_recall oos_precision mcc macro_f1 ece threshold intervals".split())


def rows(part: str, oos: int = 0) -> list[dict[str, str]]:
    words = THINGS[:8] if part == "train" else THINGS[8:]
    made = [{"text": said.format(word), "label": label} for label, said in SAID.items() for word in words]
    foreign = [{"text": f"translate {word} number {place} into Greek for me", "label": "oos"} for place in range(oos)
               for word in words[:1]]  # fmt: skip
    return [{"id": f"{part}-{place}"} | row for place, row in enumerate([*made, *foreign])]


def write(path: Path, content: list[dict[str, str]]) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in content)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        path.write_text(lines)
    return path


def measured(tmp_path: Path, *arguments: object) -> dict[str, object]:
    out = tmp_path / "report.json"
    assert main(["intent", *map(str, arguments), "--out", str(out)]) == 0
    return json.loads(out.read_text())


@pytest.mark.parametrize(("oos", "suffix"), [(0, "jsonl"), (25, "jsonl.gz")])
def test_the_report_holds_every_rate_with_its_interval(tmp_path: Path, oos: int, suffix: str):
    train, test = write(tmp_path / f"t.{suffix}", rows("train", oos)), write(tmp_path / f"u.{suffix}", rows("test", 3))
    report = measured(tmp_path, "--train", train, "--test", test)
    assert report.keys() >= KEYS
    assert (report["n"], report["n_oos"], report["protocol"]) == (9, 3, "open")
    for name, (low, high) in report["intervals"].items():
        assert low <= report[name] <= high or name == "ece"
    assert report["accuracy"] == 1


def test_without_foreign_messages_in_the_test_the_question_is_closed(tmp_path: Path):
    train, test = write(tmp_path / "t.jsonl", rows("train")), write(tmp_path / "u.jsonl", rows("test"))
    report = measured(tmp_path, "--train", train, "--test", test)
    assert report["protocol"] == "closed"
    assert report["oos_recall"] is None
    assert report["accuracy"] == 1
    assert report["in_scope_accuracy"] <= report["accuracy"]


def test_the_threshold_does_not_depend_on_the_test(tmp_path: Path):
    train = write(tmp_path / "t.jsonl", rows("train"))
    one = measured(tmp_path, "--train", train, "--test", write(tmp_path / "u.jsonl", rows("test")))
    other = measured(tmp_path, "--train", train, "--test", write(tmp_path / "v.jsonl", rows("test", 9)[-9:]))
    assert one["threshold"] == other["threshold"]


def test_a_part_of_the_test_file_can_be_learned_and_the_rest_is_the_test(tmp_path: Path, capsys):
    train, more = write(tmp_path / "t.jsonl", rows("train")), write(tmp_path / "u.jsonl", rows("test"))
    report = measured(tmp_path, "--train", train, "--part", 0.5, more, "--test", more)
    assert (report["n_train"], report["n"]) == (27, 3)
    assert "word for word" not in capsys.readouterr().err
    measured(tmp_path, "--train", more, "--test", more)
    assert "6 of 6 test messages stand word for word" in capsys.readouterr().err


def test_a_share_of_every_label_is_drawn_the_same_way_each_time():
    made = [IntentRow(**row) for row in rows("train")]
    taken, rest = split(made, 0.75, seed=3)
    assert (taken, rest) == split(made, 0.75, seed=3)
    assert taken != split(made, 0.75, seed=4)[0]
    assert {row.id for row in taken}.isdisjoint(row.id for row in rest)
    assert [sum(row.label == label for row in taken) for label in SAID] == [6, 6, 6]
    assert len(few([*made, IntentRow(id="x", text="y", label="oos")], 2, seed=0)) == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "no rows"),
        ([{"id": "1", "text": "hello", "label": "a"}], "at least two intents"),
        ([{"id": "1", "text": "hello"}], "label: Field required"),
        ([{"id": "1", "text": "", "label": "a"}], "text: String should have at least 1 character"),
    ],
)
def test_a_training_file_that_cannot_be_used_is_named(tmp_path: Path, content: list[dict[str, str]], said: str, capsys):
    train, test = write(tmp_path / "t.jsonl", content), write(tmp_path / "u.jsonl", rows("test"))
    assert main(["intent", "--train", str(train), "--test", str(test), "--out", str(tmp_path / "r.json")]) == 2
    assert said in capsys.readouterr().err


def test_a_test_must_come_from_somewhere(tmp_path: Path, capsys):
    train = write(tmp_path / "t.jsonl", rows("train"))
    assert main(["intent", "--train", str(train), "--out", str(tmp_path / "r.json")]) == 2
    assert "--hold-out" in capsys.readouterr().err


def test_a_share_that_is_none_is_refused(tmp_path: Path, capsys):
    train = write(tmp_path / "t.jsonl", rows("train"))
    assert main(["intent", "--train", str(train), "--test", str(train), "--part", "half", str(train), "--out", "r"]) == 2
    assert "between 0 and 1" in capsys.readouterr().err
