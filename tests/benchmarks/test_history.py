"""The checker of the crash tests finds each kind of damage that is planted for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.history import Event, History, What, check_history, read_history
from bot.domain import ClientId, ConversationId, Entry, EntryId, Kind, Speaker

CHAT = "chat-1"
Log = dict[str, list[Entry]]
Damage = Callable[[list[Event], Log], object]


def question(seq: int, number: int) -> Entry:
    return Entry(
        conversation=ConversationId(CHAT),
        seq=seq,
        id=EntryId(f"q{number}"),
        speaker=Speaker.CUSTOMER,
        kind=Kind.MESSAGE,
        text=f"question {number}",
        data={},
        at=datetime.now(UTC),
        client_id=ClientId(f"c{number}"),
    )


def reply(seq: int, answers: int, entry_id: str) -> Entry:
    asked = question(seq, 0)
    return replace(asked, id=EntryId(entry_id), speaker=Speaker.BOT, text="An answer.", client_id=None, answers=answers)


def good_log() -> Log:
    return {CHAT: [question(1, 1), question(2, 2), reply(3, 1, "r1"), reply(4, 2, "r2"), question(5, 3), reply(6, 5, "r3")]}


def good_history() -> list[Event]:
    """Three messages: the second was sent again after a kill, the third was acknowledged only the second time."""

    def sent(number: int) -> Event:
        return Event(at=number, what=What.SENT, customer="ann", client_id=f"c{number}", text=f"question {number}")

    def taken(number: int, seq: int) -> Event:
        return replace(sent(number), what=What.ACKNOWLEDGED, conversation=CHAT, seq=seq, text="")

    def shown(seq: int, entry_id: str) -> Event:
        return Event(at=9, what=What.REPLY, customer="ann", conversation=CHAT, seq=seq, reply=entry_id)

    return [
        *(sent(1), sent(2), taken(1, 1), Event(at=3, what=What.KILLED), sent(2), taken(2, 2), shown(1, "r1")),
        *(shown(2, "r2"), sent(3), Event(at=5, what=What.KILLED), sent(3), taken(3, 5), shown(5, "r3"), shown(5, "r3")),
    ]


def test_a_history_without_damage_is_good_and_counted():
    verdict = check_history(good_history(), good_log())
    assert verdict.is_good, verdict.violations
    assert verdict.counts["messages sent"] == 3
    assert verdict.counts["sent again after a crash"] == 2
    assert verdict.counts["kills"] == 2


def test_a_message_that_was_sent_but_never_acknowledged_may_be_missing():
    unheard = Event(at=9, what=What.SENT, customer="ann", client_id="c4", text="question 4")
    assert check_history([*good_history(), unheard], good_log()).is_good


def test_a_history_is_read_back_as_it_was_written(tmp_path: Path):
    with History(tmp_path / "history.jsonl") as history:
        for event in good_history():
            history.add(event)
    assert read_history(tmp_path / "history.jsonl") == good_history() == history.events


def lose_an_acknowledged_message(events: list[Event], log: Log) -> None:
    log[CHAT] = [question(1, 1), reply(2, 1, "r1")]
    del events[7:]


def lose_a_whole_conversation(events: list[Event], log: Log) -> None:
    log.clear()


def store_it_again_under_its_client_id(events: list[Event], log: Log) -> None:
    log[CHAT] += [question(7, 3), reply(8, 7, "r4")]


def store_it_again_in_another_conversation(events: list[Event], log: Log) -> None:
    log["chat-2"] = [question(1, 1), reply(2, 1, "r4")]


def store_it_again_under_another_client_id(events: list[Event], log: Log) -> None:
    events.append(Event(at=9, what=What.SENT, customer="ann", client_id="c9", text="question 3"))
    log[CHAT] += [replace(question(7, 3), client_id=ClientId("c9")), reply(8, 7, "r4")]


def invert_two_messages(events: list[Event], log: Log) -> None:
    log[CHAT][:2] = [question(1, 2), question(2, 1)]


def invert_two_replies(events: list[Event], log: Log) -> None:
    log[CHAT][2:4] = [reply(3, 2, "r2"), reply(4, 1, "r1")]


def reply_twice(events: list[Event], log: Log) -> None:
    log[CHAT].append(reply(7, 5, "r4"))


def never_reply(events: list[Event], log: Log) -> None:
    log[CHAT].pop()


def reply_before_the_question(events: list[Event], log: Log) -> None:
    log[CHAT][4:] = [reply(5, 6, "r3"), question(6, 3)]


def change_the_words(events: list[Event], log: Log) -> None:
    log[CHAT][0] = replace(log[CHAT][0], text="question 1, or not")


def store_what_nobody_sent(events: list[Event], log: Log) -> None:
    log[CHAT] += [question(7, 8), reply(8, 7, "r4")]


def leave_a_gap(events: list[Event], log: Log) -> None:
    log[CHAT][4:] = [question(6, 3), reply(7, 6, "r3")]


def show_a_reply_that_is_not_stored(events: list[Event], log: Log) -> None:
    events.append(Event(at=9, what=What.REPLY, customer="ann", conversation=CHAT, seq=1, reply="r9"))


@pytest.mark.parametrize(
    ("damage", "violation"),
    [
        (lose_an_acknowledged_message, "acknowledged and lost"),
        (lose_a_whole_conversation, "acknowledged and lost"),
        (store_it_again_under_its_client_id, "stored twice"),
        (store_it_again_in_another_conversation, "stored twice"),
        (store_it_again_under_another_client_id, "stored twice"),
        (invert_two_messages, "out of order"),
        (invert_two_replies, "out of order"),
        (reply_twice, "not settled once"),
        (never_reply, "not settled once"),
        (reply_before_the_question, "not settled once"),
        (change_the_words, "stored but never sent, or changed"),
        (store_what_nobody_sent, "stored but never sent, or changed"),
        (leave_a_gap, "gaps in the numbers"),
        (show_a_reply_that_is_not_stored, "reply seen that is not in the log"),
    ],
)
def test_the_checker_finds(damage: Damage, violation: str):
    events, log = good_history(), good_log()
    damage(events, log)
    verdict = check_history(events, log)
    assert verdict.violations[violation], verdict
