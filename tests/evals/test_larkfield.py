"""The labelled Larkfield conversations: enough of each kind in both files, true to the articles, none of them twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bot.intents import read_intents
from evals.transcripts import Escalate, Transcript, read_transcripts
from knowledge.read import read_documents

ROOT = Path(__file__).resolve().parents[2]
DEVELOPING, TESTING = ("dev", "fresh-dev", "late-dev"), ("test", "fresh-test")
FILES = {name: read_transcripts(ROOT / "evals" / "transcripts" / f"larkfield-{name}.jsonl") for name in DEVELOPING + TESTING}
ALIKE = [FILES["dev"], FILES["test"]]
"""Written together and split, so that one is like the other."""
ALL = [transcript for transcripts in FILES.values() for transcript in transcripts]
KINDS = """angry vague wrong-assumption several-questions typos injection crisis crisis-look-alike asks-for-human
    human-look-alike out-of-scope follow-up policy-trap personal-data abuse repeated-failure vip vulnerable press legal
    other-language courtesy fraud bereavement complaint data-breach""".split()


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def folded(text: str) -> str:
    return " ".join(text.replace("**", "").replace("’", "'").split()).casefold()


def test_there_are_enough_conversations_and_most_have_several_turns():
    assert len(ALL) >= 120
    assert sum(len(one.turns) for one in ALL) >= 400
    assert sum(len(one.turns) > 1 for one in ALL) >= 0.4 * len(ALL)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_conversation_is_in_both_halves_and_about_as_often(kind):
    often = [sum(kind in one.tags for one in transcripts) for transcripts in ALIKE]
    assert min(often) >= 1
    assert max(often) - min(often) <= 2


def test_both_halves_hand_over_about_as_often():
    required = [sum(one.handover_required for one in transcripts) for transcripts in ALIKE]
    assert max(required) - min(required) <= 3


@pytest.mark.parametrize("name", FILES)
def test_the_readme_counts_them_right(name: str):
    transcripts = FILES[name]
    windows, required = (
        sum(one.earliest is not None for one in transcripts),
        sum(one.handover_required for one in transcripts),
    )
    counts = len(transcripts), sum(len(one.turns) for one in transcripts), required, windows - required
    readme = (ROOT / "evals" / "transcripts" / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| `larkfield-{name}.jsonl`"))
    assert tuple(int(cell) for cell in row.strip("|").split("|")[2:]) == counts


def test_the_guide_names_every_reason_that_a_label_gives():
    guide = (ROOT / "evals" / "transcripts" / "GUIDE.md").read_text(encoding="utf-8")
    given = {reason for one in ALL for turn in one.turns for reason in turn.expect.reasons}
    assert {str(reason) for reason in given} - {"declining"} <= set(re.findall(r"`(\w+)`", guide))


def test_ids_are_unique_in_all_files_together():
    assert max(Counter(one.id for one in ALL).values()) == 1


def test_no_message_to_develop_on_is_nearly_one_to_test_on():
    dev, test = (
        {words(turn.customer) for name in names for one in FILES[name] for turn in one.turns}
        for names in (DEVELOPING, TESTING)
    )
    near = [(a, b) for a in dev for b in test if len(a) >= 4 and len(a & b) > 0.6 * len(a | b)]
    assert near == []


def test_no_example_of_an_intent_is_nearly_a_message_to_test_on():
    tested = [turn for name in TESTING for one in FILES[name] for turn in one.turns]
    messages = [message for turn in tested if len(message := words(turn.customer)) >= 4]
    examples = {
        example: words(example)
        for intent in read_intents(ROOT / "knowledge" / "intents.yaml").intents
        for example in intent.examples
    }
    near = [text for text, a in examples.items() if any(len(a & b) > 0.6 * len(a | b) for b in messages)]
    assert near == []


@pytest.fixture(scope="module")
def public() -> dict[str, str]:
    """The articles that customers may read, by id."""
    read = read_documents(ROOT / "knowledge" / "articles")
    return {one.id: folded(one.text) for one in read.documents if not one.internal}


@pytest.mark.parametrize("transcript", ALL, ids=lambda one: one.id)
def test_what_must_be_said_stands_in_a_cited_public_article(transcript: Transcript, public: dict[str, str]):
    for turn in transcript.turns:
        assert set(turn.expect.cite) <= set(public)
        cited = " ".join(public[document] for document in turn.expect.cite)
        missing = [fact for fact in turn.expect.must if not any(folded(spelling) in cited for spelling in fact)]
        assert missing == []


def test_every_turn_up_to_the_handover_says_whether_to_escalate():
    for one in ALL:
        assert one.window_labelled
        required = one.latest if one.handover_required else len(one.turns)
        assert all(turn.expect.escalate for turn in one.turns[:required]), one.id


def test_danger_is_always_handed_over_at_once():
    crises = [one for one in ALL if "crisis" in one.tags]
    assert len(crises) >= 10
    for one in crises:
        assert one.latest is not None
        assert one.turns[one.latest - 1].expect.escalate == (Escalate.HAND_OVER,)
