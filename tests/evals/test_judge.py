"""The judge of replies: right only with a right document and every fact, and an honest decline is no mistake."""

from datetime import UTC, datetime

import pytest

from bot.domain import ConversationId, Entry, EntryId, Kind, Outcome, Speaker
from evals.formats import FileInvalid
from evals.judge import Verdict, judge
from evals.transcripts import Expected, read_transcripts

FEE = Expected(
    outcomes=(Outcome.ANSWERED,),
    cite=("late-fee", "fees"),
    must=(("£7.50", "7.50 pounds"), ("seven days",)),
    must_not=("£25",),
)
UNKNOWN = Expected(outcomes=(Outcome.ABSTAINED,))


def reply(text, outcome=Outcome.ANSWERED, cited=("late-fee",)):
    return Entry(
        conversation=ConversationId("c"),
        seq=2,
        id=EntryId("e"),
        speaker=Speaker.BOT,
        kind=Kind.MESSAGE,
        text=text,
        data={"outcome": str(outcome), "citations": [{"document": document} for document in cited]},
        at=datetime.now(UTC),
        answers=1,
    )


@pytest.mark.parametrize(
    ("expected", "given", "verdict"),
    [
        (FEE, reply("It is **£7.50** after\nSeven  days. [1]"), Verdict.CORRECT),
        (FEE, reply("It is 7.50 pounds after seven days.", cited=("other", "fees")), Verdict.CORRECT),
        (FEE, reply("It is £7.50."), Verdict.INCOMPLETE),
        (FEE, reply("It is £7.50 after seven days.", cited=("other",)), Verdict.WRONG),
        (FEE, reply("It is £7.50 after seven days, or £25."), Verdict.WRONG),
        (FEE, reply("I don't know.", Outcome.ABSTAINED, ()), Verdict.DECLINED),
        (FEE, reply("Which one?", Outcome.ASKED_BACK, ()), Verdict.DECLINED),
        (FEE, reply("I don't know, but £25.", Outcome.ABSTAINED, ()), Verdict.WRONG),
        (UNKNOWN, reply("I don't know.", Outcome.ABSTAINED, ()), Verdict.CORRECT),
        (UNKNOWN, reply("It is £7.50."), Verdict.WRONG),
    ],
)
def test_a_reply_is_judged_by_outcome_document_and_facts(expected, given, verdict):
    assert judge(expected, given)[0] is verdict


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "a", "turns": []}',
        '{"id": "a", "turns": [{"customer": "hi", "expect": {"outcomes": ["guessed"]}}]}',
        '{"id": "a", "turns": [{"customer": "hi", "expect": {"outcomes": ["answered"], "cites": []}}]}',
        '{"id": "a", "turns": [{"customer": "hi"}]}',
        "not json",
    ],
)
def test_a_transcript_with_a_mistake_is_refused_with_file_and_line(tmp_path, line):
    good = '{"id": "g", "turns": [{"customer": "hi", "expect": {"outcomes": ["greeted"]}}]}'
    file = tmp_path / "t.jsonl"
    file.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(FileInvalid, match=r"t\.jsonl:2"):
        read_transcripts(file)
