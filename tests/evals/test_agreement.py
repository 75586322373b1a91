"""Agreement of two labellings: known values of kappa, matched by text; what one left open is held against nobody."""

import json

import pytest

from evals.__main__ import main
from evals.agreement import compare, match
from evals.formats import FileInvalid
from evals.kappa import Pair, kappa
from evals.transcripts import read_texts

NONE = {"intent": "greeting", "escalate": "none"}
HAND_OVER = {"intent": "human", "escalate": "hand_over", "reasons": ["asked"]}
EITHER = {"intent": ["complaint", "human"], "escalate": ["offer", "hand_over"], "reasons": ["frustrated"]}


def pairs(table):
    """Pairs, each its own conversation, from how often the first said the row and the second the column."""
    cells = [(row, column) for row, counts in enumerate(table) for column, count in enumerate(counts) for _ in range(count)]
    return [Pair(conversation=place, first=str(row), second=str(column)) for place, (row, column) in enumerate(cells)]


def row(of, *expected, **fields):
    return {"id": of, "turns": [{"customer": f"{of} {n}", "expect": one} for n, one in enumerate(expected)], **fields}


def write(tmp_path, name, *rows):
    file = tmp_path / name
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ([[20, 5], [10, 15]], 0.4),  # a worked example that stands in many textbooks
        ([[45, 15], [25, 15]], 0.130434),
        ([[25, 35], [5, 35]], 0.259259),
        ([[5, 0], [0, 5]], 1.0),
        ([[0, 5], [5, 0]], -1.0),
    ],
)
def test_kappa_has_its_textbook_values(table, value):
    figure = kappa(pairs(table))
    assert figure.value == pytest.approx(value, abs=1e-6)
    assert figure.low <= figure.value <= figure.high
    assert figure.n == sum(map(sum, table))


def test_kappa_says_nothing_where_both_only_know_one_label():
    assert kappa(pairs([[9]])) is None
    assert kappa([]) is None


def test_messages_of_one_conversation_widen_the_interval():
    alone = pairs([[20, 5], [10, 15]])
    together = [Pair(conversation=place // 10, first=one.first, second=one.second) for place, one in enumerate(alone)]
    assert kappa(together).low < kappa(alone).low
    assert kappa(together).value == kappa(alone).value


def test_the_best_labels_are_compared_and_acceptable_ones_are_told_apart(tmp_path):
    first = write(tmp_path, "first.jsonl", row("a", NONE, EITHER), row("b", HAND_OVER))
    second = write(tmp_path, "second.jsonl", row("a", NONE, HAND_OVER), row("b", HAND_OVER))
    found = compare(match(first, second), "intent")
    assert (found.same.value, found.same.n, found.left_open) == (pytest.approx(2 / 3), 3, 0)
    [differs] = found.differing
    assert (differs.transcript, differs.turn, differs.first, differs.second) == ("a", 2, ("complaint", "human"), ("human",))
    both_accept = compare(match(first, write(tmp_path, "c.jsonl", row("b", EITHER))), "escalate")
    assert both_accept.accepted.value == 0.0


def test_what_one_left_open_is_counted_and_not_compared(tmp_path):
    first = write(tmp_path, "first.jsonl", row("a", NONE, NONE), row("b", NONE))
    second = write(tmp_path, "second.jsonl", row("a", NONE, {}))
    found = compare(match(first, second), "escalate")
    assert (found.same.n, found.left_open) == (1, 1)


def test_conversations_are_matched_by_their_texts_not_their_ids(tmp_path):
    first = write(tmp_path, "first.jsonl", row("a", NONE), row("b", HAND_OVER))
    blank = tmp_path / "blank.jsonl"
    assert main(["blank", "--of", str(first), "--out", str(blank)]) == 0
    assert {one.id for one in read_texts(blank)}.isdisjoint({"a", "b"})
    assert len(match(first, blank)) == 2


def test_the_same_id_with_another_text_is_refused(tmp_path):
    first = write(tmp_path, "first.jsonl", row("a", NONE))
    second = write(tmp_path, "second.jsonl", {"id": "a", "turns": [{"customer": "edited", "expect": NONE}]})
    with pytest.raises(FileInvalid, match=r"second\.jsonl: the texts of 'a' are not those of"):
        match(first, second)


def test_files_of_other_conversations_are_refused(tmp_path, capsys):
    first, second = write(tmp_path, "first.jsonl", row("a", NONE)), write(tmp_path, "second.jsonl", row("b", NONE))
    assert main(["agreement", "--first", str(first), "--second", str(second)]) == 2
    assert "holds no conversation of" in capsys.readouterr().err


def test_the_command_prints_and_writes_both_aspects(tmp_path, capsys):
    first = write(tmp_path, "first.jsonl", row("a", NONE, EITHER), row("b", HAND_OVER, NONE))
    second = write(tmp_path, "second.jsonl", row("a", NONE, HAND_OVER), row("b", HAND_OVER, NONE))
    out = tmp_path / "reports" / "agreement.json"
    assert main(["agreement", "--first", str(first), "--second", str(second), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "2 conversations" in shown
    assert "complaint / human" in shown
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["intent"]["same"] == 0.75
    assert report["intent"]["differing"][0]["id"] == "a"
    assert set(report["escalate"]["intervals"]) == {"kappa", "same", "accepted"}


def test_blank_texts_give_no_label_away_and_no_file_is_written_over(tmp_path, capsys):
    labelled = row("crisis-1", HAND_OVER, NONE, tags=["crisis"], note="danger", flags=["vip"], earliest=1, latest=1)
    first, blank = write(tmp_path, "first.jsonl", labelled, row("b", NONE)), tmp_path / "blank.jsonl"
    command = ["blank", "--of", str(first), "--out", str(blank)]
    assert main(command) == 0
    rows = [json.loads(line) for line in blank.read_text(encoding="utf-8").splitlines()]
    assert {key for one in rows for key in one} == {"id", "flags", "turns"}
    assert all(set(turn) == {"customer"} for one in rows for turn in one["turns"])
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["blank", "--of", str(first), "--out", str(tmp_path / "one.jsonl"), "--limit", "1"]) == 0
    assert len(read_texts(tmp_path / "one.jsonl")) == 1
