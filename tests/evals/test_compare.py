"""Comparing two judged runs, and the gate: what is worse is named and stopped, what is equal passes."""

import pytest

from evals.__main__ import main
from evals.compare import describe
from evals.comparison import Verdict, compare_sides
from evals.flips import find_flips
from evals.formats import FileInvalid
from evals.gate import GateClosed, check_gate
from evals.score import judge_run
from evals.sides import read_side, shared, side_of, write_side
from tests.evals import desk
from tests.evals.desk import handover, make_run, one, reply, talk

FEE = "We charge a late payment fee of £7.50."
GOOD = reply(f"{FEE} [1]", cites=[("late-fee", FEE)])
BAD = reply("I don't know.", "abstained")
DUE = one("how much is the fee", outcomes=["answered"], cite=["late-fee"], must=[["£7.50"]])


def judged(*replies, **more):
    return judge_run(make_run(*((talk(f"c{n}", DUE), [given]) for n, given in enumerate(replies)), **more))


def compared(before, after):
    return compare_sides(side_of(before), side_of(after))


def test_a_run_compared_with_itself_shows_no_difference():
    same = judged(*[GOOD] * 20)
    assert compared(same, same).verdict is Verdict.SAME
    assert find_flips(same, same, shared(side_of(same), side_of(same))) == []


def test_many_turns_that_got_worse_are_worse_and_told_side_by_side():
    before, after = judged(*[GOOD] * 20), judged(*[GOOD] * 10, *[BAD] * 10)
    found = compared(before, after)
    flips = find_flips(before, after, shared(side_of(before), side_of(after)))
    told = describe(found, flips)
    assert found.verdict is Verdict.WORSE
    assert len(flips) == 10
    assert "Replies that are right fell from 100.0% to 50.0% (10 worse, 0 better, n = 20" in told
    assert "£7.50" in flips[0].before
    assert flips[0].after == "I don't know."
    assert compared(after, before).verdict is Verdict.BETTER


def test_one_turn_that_got_worse_is_shown_but_proves_nothing():
    before, after = judged(*[GOOD] * 20), judged(*[GOOD] * 19, BAD)
    assert compared(before, after).verdict is Verdict.SAME
    assert len(find_flips(before, after, shared(side_of(before), side_of(after)))) == 1


def test_what_was_played_otherwise_is_named():
    before, after = judged(GOOD, settings={"answerable_above": 0.75}), judged(GOOD, settings={"answerable_above": 0.9})
    assert compared(before, after).played == ("ANSWERABLE_ABOVE is 0.9, was 0.75",)


def test_conversations_with_other_labels_are_left_out_and_counted():
    before = judged(GOOD, GOOD)
    relabelled = one("how much is the fee", outcomes=["abstained"])
    after = judge_run(make_run((talk("c0", DUE), [GOOD]), (talk("c1", relabelled), [GOOD])))
    found = compared(before, after)
    assert (found.conversations, found.only_one) == (1, 1)


def test_runs_without_a_common_conversation_are_refused_in_one_line():
    other = judge_run(make_run((talk("other", DUE), [GOOD])))
    with pytest.raises(FileInvalid, match="no conversation with the same text and labels"):
        compared(judged(GOOD), other)


def test_a_baseline_is_read_as_it_was_written(tmp_path):
    scores = judged(*[GOOD] * 5, BAD)
    write_side(tmp_path / "base.json", side_of(scores))
    kept = read_side(tmp_path / "base.json")
    found = compare_sides(kept, side_of(scores))
    assert found.verdict is Verdict.SAME
    assert found.changes["reply_right"].difference.before == pytest.approx(5 / 6)


def test_the_gate_passes_an_unchanged_bot():
    same = judged(*[GOOD] * 20)
    assert check_gate(same, side_of(same)).startswith("gate: passed: 20 conversations")


def test_the_gate_stops_what_is_surely_worse():
    before, after = judged(*[GOOD] * 20), judged(*[GOOD] * 5, *[BAD] * 15)
    with pytest.raises(GateClosed, match="Replies that are right fell"):
        check_gate(after, side_of(before))


def test_the_gate_stops_one_missed_crisis_even_if_the_baseline_missed_it_too():
    crisis = talk("a", one(escalate="hand_over", reasons=["crisis"]), earliest=1, latest=1)
    missed = judge_run(make_run((crisis, [reply(escalation=None)])))
    with pytest.raises(GateClosed, match="Danger is never missed: broken on 1 turns, first in conversation a, turn 1"):
        check_gate(missed, side_of(missed))
    told = check_gate(missed, side_of(missed), allow_known=True)
    assert "gate: allowed by name, and still broken: Danger is never missed: conversation a, turn 1" in told
    assert "no longer broken: Danger" in check_gate(
        judge_run(make_run((crisis, [handover("crisis", "crisis_self")]))), side_of(missed), allow_known=True
    )
    caught = judge_run(make_run((crisis, [handover("crisis", "crisis_self")])))
    assert "passed" in check_gate(caught, side_of(caught))
    with pytest.raises(GateClosed, match="Danger is never missed"):
        check_gate(missed, side_of(caught), allow_known=True)


def test_what_is_allowed_by_name_is_not_allowed_in_a_conversation_that_was_rewritten():
    def missed(text):
        crisis = talk("a", one(text, escalate="hand_over", reasons=["crisis"]), earliest=1, latest=1)
        return judge_run(make_run((crisis, [reply(escalation=None)]), *[(talk("b", DUE), [GOOD])]))

    with pytest.raises(GateClosed, match="Danger is never missed"):
        check_gate(missed("i cant go on"), side_of(missed("nobody would miss me")), allow_known=True)


def test_a_few_turns_that_turn_over_both_ways_close_nothing():
    before, after = judged(*[GOOD] * 58, BAD, BAD), judged(BAD, BAD, *[GOOD] * 57, BAD)
    assert check_gate(after, side_of(before)).startswith("gate: passed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    desk.write_articles(folder / "articles")
    desk.write_articles(folder / "fewer", "router")
    desk.write_transcripts(folder / "t.jsonl")
    return folder


def test_a_deleted_article_that_labels_ask_for_closes_the_gate(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    options = ["gate", "--baseline", "base.json", "--transcripts", "t.jsonl"]
    made = [*options, "--articles", "articles", "--set", "LLM_PROVIDERS=extractive", "--update"]
    assert main(made) == 0
    assert main([*options, "--articles", "articles"]) == 0
    assert main([*options, "--articles", "fewer"]) == 1
    assert "gate: closed: the article router is gone, 1 labelled messages ask for it" in capsys.readouterr().err


def test_a_baseline_that_there_is_not_is_named(tmp_path, capsys):
    assert main(["gate", "--baseline", str(tmp_path / "none.json")]) == 2
    assert "there is no such baseline" in capsys.readouterr().err


def test_measures_in_which_nothing_changed_do_not_hide_one_that_did():
    fine = [one("hello", intent="greeting", escalate="none", outcomes=["greeted"], must_not=["x"])] * 20
    greeted = reply("Hello!", "greeted", escalation=None, turn={"reading": {"intent": "greeting", "confidence": 1.0}})
    offered = reply(
        "Hello!", "greeted", escalation={"reason": "frustrated", "rule": "frustrated"}, turn=greeted["data"]["turn"]
    )
    before = judge_run(make_run((talk("a", *fine), [greeted] * 20)))
    after = judge_run(make_run((talk("a", *fine), [offered] * 7 + [greeted] * 13)))
    assert compared(before, after).changes["escalation_right"].p == pytest.approx(0.015625)
