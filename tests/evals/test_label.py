"""Labelling in the terminal: one question at a time, each answer on disk at once, stopped and taken up again."""

import json
from contextlib import suppress
from io import StringIO

import pytest

from evals.__main__ import main
from evals.formats import FileInvalid
from evals.label import Session, show
from evals.labelling import AnswerUnclear, LabelFile, fill, open_labels, read_choice
from evals.transcripts import Transcript, as_line, read_texts, read_transcripts

NAMES = ("billing_question", "billing_dispute", "human")


def transcript(of, *texts, **fields):
    return Transcript(id=of, turns=[{"customer": text} for text in texts], **fields)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "new.jsonl"
    rows = [transcript("a", "hi", "get me a person", "hello?"), transcript("b", "why 6 pounds")]
    path.write_text("".join(f"{as_line(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def label(monkeypatch, capsys):
    """Run the command with answers on its standard input; its exit code, what it prints and what it complains of."""

    def run(file, *answers):
        monkeypatch.setattr("sys.stdin", StringIO("".join(f"{answer}\n" for answer in answers)))
        code = main(["label", str(file)])
        return code, *capsys.readouterr()

    return run


def session(file, *answers):
    """A session that is given the answers, and what it says."""
    said, left = [], iter(answers)

    def ask(prompt):
        said.append(prompt)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return Session(LabelFile(file, read_texts(file)), ask=ask, tell=said.append), said


def run_through(labelling):
    """Until nothing is missing or the answers are used up."""
    with suppress(EOFError):
        while labelling.step():
            pass


def test_the_command_asks_message_by_message_saves_each_answer_and_goes_on_later(file, label):
    code, shown, _ = label(file, "greeting", "none", "human", "hand_over")
    assert code == 0
    assert "> customer: get me a person" in shown
    assert "3 of 4 messages still lack a label" in shown
    assert read_texts(file)[0].turns[0].expect.intent == ("greeting",)

    answers = "3", "asked", "human", "billing_question, billing_dispute", "offer, hand", "unanswered sensitive"
    code, shown, _ = label(file, *answers)
    assert code == 0
    assert "> customer: hi" not in shown
    assert "all 4 messages are labelled" in shown
    a, b = read_transcripts(file)
    assert (a.earliest, a.latest) == (2, 2)
    assert a.turns[2].expect.escalate == ()
    assert b.turns[0].expect.intent == ("billing_question", "billing_dispute")
    assert [str(one) for one in b.turns[0].expect.reasons] == ["unanswered", "sensitive"]


def test_stopping_is_no_error_and_loses_nothing(file, label):
    code, shown, _ = label(file, "greeting", "q")
    assert code == 0
    assert "4 of 4 messages still lack a label" in shown
    assert read_texts(file)[0].turns[0].expect.intent == ("greeting",)


def test_a_file_without_gaps_asks_nothing(tmp_path):
    file = tmp_path / "done.jsonl"
    labelled = {"customer": "hi", "expect": {"intent": "greeting", "escalate": "none"}}
    file.write_text(json.dumps({"id": "a", "turns": [labelled]}), encoding="utf-8")
    labelling, said = session(file)
    assert not labelling.step()
    assert said == []


def test_an_answer_that_is_no_label_is_asked_again(file):
    labelling, said = session(file, "", "billing", "99", "greeting")
    labelling.step()
    assert "the best first" in said[2]
    assert "billing_question, billing_dispute" in said[4]
    assert "'99' is not clear" in said[6]
    assert read_texts(file)[0].turns[0].expect.intent == ("greeting",)


def test_the_list_of_names_is_shown_when_asked_for(file):
    labelling, said = session(file, "?", "1")
    labelling.step()
    assert " 1 login_account" in said[2]


def test_an_answer_can_be_taken_back(file):
    labelling, _ = session(file, "cancel", "b", "greeting")
    run_through(labelling)
    assert read_texts(file)[0].turns[0].expect.intent == ("greeting",)


def test_taking_back_before_the_first_answer_changes_nothing(file):
    labelling, said = session(file, "b")
    before = file.read_bytes()
    run_through(labelling)
    assert "There is nothing to take back." in said
    assert file.read_bytes() == before


def test_a_conversation_can_be_left_for_later(file):
    labelling, said = session(file, "s", "billing_question")
    run_through(labelling)
    assert "why 6 pounds" in said[2]
    assert [one.turns[0].expect.intent for one in read_texts(file)] == [(), ("billing_question",)]


def test_stopping_between_escalation_and_reasons_keeps_neither(file):
    labelling, _ = session(file, "greeting", "offer")
    run_through(labelling)
    assert read_texts(file)[0].turns[0].expect.escalate == ()


def test_a_file_that_was_changed_meanwhile_is_not_written_over(file):
    labelling, _ = session(file, "greeting")
    edited = file.read_text(encoding="utf-8").replace("why 6 pounds", "why 7 pounds and more")
    file.write_text(edited, encoding="utf-8")
    with pytest.raises(FileInvalid, match="was changed meanwhile"):
        labelling.step()
    assert file.read_text(encoding="utf-8") == edited


def test_labels_that_contradict_a_given_window_are_told_and_not_kept(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_text(as_line(transcript("a", "hi", earliest=None, latest=None)), encoding="utf-8")
    labelling, said = session(file, "human", "hand_over", "asked", "none")
    while labelling.step():
        pass
    assert any("contradicts the other labels: turn 1 accepts hand_over" in line for line in said)
    assert str(read_transcripts(file)[0].turns[0].expect.escalate[0]) == "none"


def test_a_packed_file_and_a_missing_one_are_refused(tmp_path, label):
    assert label(tmp_path / "t.jsonl.gz")[0] == 2
    code, _, complaint = label(tmp_path / "t.jsonl")
    assert code == 2
    assert "there is no such file" in complaint


def test_stored_text_cannot_take_over_the_terminal():
    shown = show(transcript("a", "red\x1b[31m\x9b2J\nsecond line"), 1)
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "second line" in shown


def test_earlier_replies_are_shown_and_the_profile():
    row = {
        "id": "a",
        "flags": ["vip"],
        "turns": [{"customer": "hi", "reply": "Hello."}, {"customer": "and?", "reply": "No."}],
    }
    shown = show(Transcript.model_validate(row), 2)
    assert "Hello." in shown
    assert "No." not in shown
    assert "(vip)" in shown


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("1", ("billing_question",)),
        ("human", ("human",)),
        ("3, 2", ("human", "billing_dispute")),
        ("HUMAN 3", ("human",)),
        ("billing_d", ("billing_dispute",)),
    ],
)
def test_a_number_a_name_or_its_beginning_will_do(answer, names):
    assert read_choice(answer, NAMES) == names


@pytest.mark.parametrize("answer", ["", " , ", "0", "4", "billing", "nothing", "1 x", "²"])
def test_anything_else_is_unclear(answer):
    with pytest.raises(AnswerUnclear):
        read_choice(answer, NAMES)


def test_after_a_handover_only_the_intent_is_asked():
    row = transcript("a", "danger", "hello")
    row = fill(row, 1, {"escalate": ["hand_over"], "reasons": ["crisis"]})
    assert list(open_labels(row)) == [(1, "intent"), (2, "intent")]


def test_the_rest_of_a_file_is_kept_as_it_was(file):
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows[1] |= {"tags": ["x"], "note": "from Monday"}
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    labelling, _ = session(file, "greeting")
    run_through(labelling)
    assert json.loads(file.read_text(encoding="utf-8").splitlines()[1]) == rows[1]
    assert [path.name for path in file.parent.iterdir()] == [file.name]
