"""Transcripts: every mistake in a labelled file is named with its line, and what is not labelled is not guessed."""

import json
import re
from pathlib import Path

import pytest

from bot.domain import Reason
from evals.formats import FileInvalid
from evals.transcripts import Escalate, as_line, intent_names, labelled_window, read_texts, read_transcripts

FOLDER = Path(__file__).resolve().parents[2] / "evals" / "transcripts"
NONE = {"intent": "greeting", "escalate": "none"}
HAND_OVER = {"intent": "human", "escalate": "hand_over", "reasons": ["asked"]}
EITHER = {"intent": "complaint", "escalate": ["offer", "hand_over"], "reasons": ["frustrated"]}


def transcript(*expected, **fields):
    turns = [{"customer": f"message {number}", "expect": expect} for number, expect in enumerate(expected, start=1)]
    return {"id": "a", "turns": turns, **fields}


def write(tmp_path, *rows):
    file = tmp_path / "t.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_one_label_or_several_are_read_best_first(tmp_path):
    [read] = read_transcripts(write(tmp_path, transcript(NONE, EITHER, HAND_OVER, earliest=2, latest=3)))
    first, second, third = (turn.expect for turn in read.turns)
    assert first.intent == ("greeting",)
    assert second.escalate == (Escalate.OFFER, Escalate.HAND_OVER)
    assert third.reasons == (Reason.ASKED,)
    assert (read.earliest, read.latest, read.window_labelled) == (2, 3, True)


def test_a_window_of_null_is_a_label_and_a_missing_one_is_none(tmp_path):
    never, unknown = transcript(NONE, earliest=None, latest=None), transcript(NONE, id="b")
    first, second = read_transcripts(write(tmp_path, never, unknown))
    assert first.window_labelled
    assert not second.window_labelled


def test_a_handover_is_required_where_a_turn_takes_nothing_else(tmp_path):
    rows = [transcript(EITHER, id="allowed", earliest=1, latest=1), transcript(NONE, id="never", earliest=None, latest=None)]
    required = transcript(EITHER, HAND_OVER, id="required", earliest=1, latest=2)
    read = read_transcripts(write(tmp_path, required, *rows))
    assert [one.handover_required for one in read] == [True, False, False]


@pytest.mark.parametrize(
    ("expected", "window"),
    [
        ((NONE, NONE), (None, None)),
        ((NONE, EITHER, HAND_OVER, HAND_OVER), (2, 3)),
        ((EITHER, NONE, EITHER, NONE), (1, 3)),
        ((HAND_OVER, {}), (1, 1)),
        ((EITHER, NONE, HAND_OVER), (1, 3)),
    ],
)
def test_the_window_follows_from_the_labels_of_the_turns(tmp_path, expected, window):
    [read] = read_texts(write(tmp_path, transcript(*expected)))
    assert labelled_window(read.turns) == window
    read_texts(write(tmp_path, transcript(*expected, earliest=window[0], latest=window[1])))


def test_a_transcript_is_written_as_it_was_read(tmp_path):
    row = transcript(NONE, EITHER, id="b", earliest=2, latest=2, tags=["angry"])
    file = write(tmp_path, row)
    again = write(tmp_path, *map(as_line, read_transcripts(file)))
    assert read_transcripts(again) == read_transcripts(file)
    assert "cite" not in again.read_text(encoding="utf-8")
    assert (
        json.loads(as_line(read_texts(write(tmp_path, transcript(NONE, earliest=None, latest=None)))[0]))["latest"] is None
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (transcript({"intent": "biling"}), "'biling' is no intent; there are login_account, "),
        (transcript({"intent": ["greeting", "x"]}), "'x' is no intent"),
        (transcript({"intent": "greeting", "escalate": "maybe"}), "'none', 'offer' or 'hand_over'"),
        (transcript({"escalate": "offer"}), "needs its acceptable 'reasons'"),
        (transcript({"escalate": "none", "reasons": ["asked"]}), "'reasons' only go with"),
        (transcript({"escalate": "offer", "reasons": ["bored"]}), "'crisis', "),
        (transcript(HAND_OVER, earliest=1, latest=2), "'latest' 2 are not turns in order; there are turns 1 to 1"),
        (transcript(HAND_OVER, earliest=0, latest=1), "'earliest' 0"),
        (transcript(NONE, HAND_OVER, earliest=2, latest=1), "not turns in order"),
        (transcript(HAND_OVER, earliest=1), "give both"),
        (transcript(HAND_OVER, earliest=1, latest=None), "both null"),
        (transcript(HAND_OVER, earliest=None, latest=None), "turn 1 accepts hand_over but 'earliest' is null"),
        (transcript(EITHER, HAND_OVER, earliest=2, latest=2), "turn 1 accepts hand_over but 'earliest' is 2"),
        (transcript(NONE, HAND_OVER, earliest=1, latest=2), "'earliest' is 1 but that turn does not accept hand_over"),
        (transcript(EITHER, NONE, HAND_OVER, earliest=1, latest=2), "turn 3 takes nothing but hand_over but 'latest' is 2"),
        (transcript({}), "not labelled yet"),
        (transcript(), "turns"),
        (transcript(NONE, flags=["rich"]), "flags.0"),
        (transcript(NONE, window=3), "window: Extra inputs"),
        (transcript(NONE, id="good"), "the id 'good' was there before"),
        (json.dumps(transcript(NONE))[:40], "not one whole JSON object"),
    ],
)
def test_every_mistake_is_named_with_file_and_line(tmp_path, row, says):
    with pytest.raises(FileInvalid, match=r"t\.jsonl:2: .*" + re.escape(says)):
        read_transcripts(write(tmp_path, transcript(NONE, id="good"), row))


def test_a_file_in_another_encoding_is_refused_naming_the_line(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_bytes(json.dumps(transcript(NONE)).encode() + b'\n{"id": "caf\xe9"}\n')
    with pytest.raises(FileInvalid, match=r"t\.jsonl:2: not UTF-8 text \(byte 12\); save the file as UTF-8"):
        read_transcripts(file)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(FileInvalid, match="has no rows"):
        read_transcripts(write(tmp_path, ""))


def test_texts_without_labels_are_read_when_asked_for(tmp_path):
    [read] = read_texts(write(tmp_path, {"id": "a", "turns": [{"customer": "hi", "reply": "Hello."}]}))
    assert not read.turns[0].expect.is_labelled


def test_the_example_of_the_readme_is_valid(tmp_path):
    [example] = re.findall(r"```json\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    [read] = read_transcripts(write(tmp_path, json.dumps(json.loads(example))))
    assert len(read.turns) == 3


def test_every_file_in_the_folder_is_valid():
    files = sorted(FOLDER.glob("*.jsonl"))
    assert len(files) >= 3
    assert all(read_transcripts(file) for file in files)


def test_the_intents_are_those_the_bot_learns():
    assert {"human", "off_topic", "greeting"} < set(intent_names())
