"""The report: waits, what was solved for good, and what customers said of the assistant and of people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.desk.board import Board
from bot.desk.customer import rate_episode, return_to_bot
from bot.desk.desk import Desk
from bot.desk.policy import read_policy
from bot.desk.report import Share, average_stars, build_report, find_reopened, only_of
from bot.domain import AgentId, ConversationId, CustomerId, Draft, Kind, Speaker
from bot.roster import Comment, EscalationRecord, Feedback, Thumb
from bot.sql.desk import SqlRoster
from bot.sql.log import open_log
from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from tests.desk.people import CHAT, ZOE, ask, escalate, reply

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOLVED = ("solved",)
DAY = timedelta(days=1)


def record(id: str, began: datetime = NOON, customer: str = "ana", **fields: Any) -> EscalationRecord:
    whole: dict[str, Any] = {
        "claimed": began + timedelta(minutes=1),
        "replied": began + timedelta(minutes=2),
        "ended": began + timedelta(minutes=10),
        "agent": AgentId("zoe"),
        "outcome": "solved",
        **fields,
    }
    return EscalationRecord(
        conversation=ConversationId(id),
        seq=1,
        customer=CustomerId(customer),
        reason="asked",
        rule="asked",
        triggered=began,
        **whole,
    )


def report(*records: EscalationRecord, later: tuple[EscalationRecord, ...] = (), feedback: Feedback | None = None):
    return build_report(records, (*records, *later), feedback or Feedback(), SOLVED)


def test_what_was_solved_counts_with_its_interval():
    whole = report(
        *(record(str(n), customer=str(n)) for n in range(8)), record("x", customer="x", outcome="not_solved")
    ).whole
    assert whole.solved == Share(count=8, of=9)
    low, high = whole.solved.interval
    assert (round(low, 2), round(high, 2)) == (0.56, 0.98)  # Wilson, 1.96


@pytest.mark.parametrize(("days", "is_reopened"), [(0.5, True), (6.9, True), (7.1, False)])
def test_a_customer_who_needs_people_again_within_7_days_counts_against_the_solution(days: float, is_reopened: bool):
    first, second = record("a"), record("b", NOON + days * DAY, outcome=None, ended=None)
    whole = report(first, later=(second,)).whole
    assert whole.reopened == Share(count=int(is_reopened), of=1)
    assert whole.solved == Share(count=int(not is_reopened), of=1)


def test_another_customer_reopens_nothing():
    assert find_reopened([record("a")], [record("b", NOON + DAY, customer="ben")]) == frozenset()


def test_a_second_time_in_the_same_chat_reopens_the_first_and_not_itself():
    first = record("a")
    again = EscalationRecord(**{**_fields(first), "seq": 9, "triggered": NOON + DAY, "ended": NOON + 2 * DAY})
    assert find_reopened([first, again], [first, again]) == {("a", 1)}


def _fields(one: EscalationRecord) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def test_a_chat_that_the_customer_left_or_took_back_is_nobodys_solution_and_nobodys_failure():
    whole = report(record("a", outcome="customer_left"), record("b", customer="ben", outcome="handed_back")).whole
    assert whole.solved == Share(count=0, of=0)
    assert whole.solved.rate is None


def test_a_chat_that_nobody_took_is_in_the_waits_of_nobody():
    whole = report(record("a", claimed=None, replied=None, agent=None, outcome="customer_left")).whole
    assert whole.claimed == Share(count=0, of=1)
    assert whole.waits is None


def test_waits_are_a_median_and_a_90th_percentile():
    waits = [timedelta(minutes=n) for n in range(1, 11)]
    records = [record(str(n), customer=str(n), claimed=NOON + wait) for n, wait in enumerate(waits)]
    assert report(*records).whole.waits == (360, 600)


def test_each_agent_and_each_reason_has_figures_of_its_own():
    made = report(record("a", rating=5), record("b", customer="b", agent=AgentId("max"), outcome="not_solved"))
    assert [(one.what, one.solved.count, one.stars) for one in made.by_agent] == [("max", 0, None), ("zoe", 1, 5)]
    assert [(one.what, one.number) for one in made.by_reason] == [("asked", 2)]
    assert [one.conversation for one in only_of([record("a"), record("b", agent=AgentId("max"))], ZOE.id)] == ["a"]


def test_thumbs_of_the_assistant_and_of_people_are_told_apart():
    chat = ConversationId("a")
    thumbs = [Thumb(conversation=chat, is_up=up, author=who) for up, who in ((True, ""), (False, ""), (True, "Zoe"))]
    made = report(feedback=Feedback(thumbs=thumbs))
    assert (made.thumbs_bot, made.thumbs_people) == (Share(count=1, of=2), Share(count=1, of=1))


def test_stars_of_the_assistant_and_of_people_are_told_apart():
    chat = ConversationId("a")
    given = ((1, None), (5, None), (3, ZOE.id))
    comments = [Comment(conversation=chat, seq=n, stars=n, text="", at=NOON, agent=who) for n, who in given]
    made = report(record("a", rating=3), feedback=Feedback(comments=comments))
    assert (made.stars, made.stars_bot) == ([0, 0, 1, 0, 0], [1, 0, 0, 0, 1])
    assert (average_stars(made.stars_bot), average_stars([0] * 5)) == (3, None)


async def test_thumbs_and_ratings_are_read_from_the_log_and_the_last_word_counts(tmp_path):
    log, store = open_log(None, tmp_path), open_store(None, tmp_path)
    try:
        answered = await reply(log, await ask(log, "what is the late fee?"), "£7.50")
        began = await escalate(log)
        desk, board, roster = Desk(log, SqlStaff(store), read_policy()), Board(log), SqlRoster(store)
        await desk.claim(ZOE, CHAT)
        said = await desk.say(ZOE, CHAT, "Hello", "m1")
        for rated, values in ((answered, (1, 0)), (said, (0, None))):
            for value in values:
                await log.append(thumb(rated.id, value))
        await return_to_bot(log, await log.conversation(CHAT))
        for stars, comment in ((1, "rude"), (5, "sorry, kind after all")):
            case = await board.case(CHAT)
            assert case is not None
            await rate_episode(log, case, began.seq, stars, comment)
        await reply(log, await ask(log, "and for business?"), "£10")
        case = await board.case(CHAT)
        assert case is not None
        assert case.talk is not None
        await rate_episode(log, case, case.talk.seq, 2, "not clear")
        feedback = await roster.feedback_since(NOON - 365 * DAY, 100)
        assert [(one.is_up, one.author) for one in feedback.thumbs] == [(False, "")]
        assert [(one.stars, one.text, one.seq, one.agent) for one in feedback.comments] == [
            (2, "not clear", case.talk.seq, None),
            (5, "sorry, kind after all", began.seq, ZOE.id),
        ]
        case = await board.case(CHAT)
        assert case is not None
        await roster.record(board.cases.get(CHAT, case).records)
        [kept] = await roster.records_since(NOON - 365 * DAY, 10)
        assert (kept.seq, kept.agent, kept.outcome) == (began.seq, ZOE.id, "handed_back")
        assert await roster.records_since(kept.triggered, 10) == []
    finally:
        await log.close()
        await store.close()


def thumb(of: str, value: int | None) -> Draft:
    data = {"of": of, "value": value}
    return Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.FEEDBACK, text="", data=data)
