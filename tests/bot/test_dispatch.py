"""Dispatch: turns of one conversation run one at a time and in order, and no message is forgotten."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from bot.dispatch import Dispatch
from bot.domain import ConversationId, Entry, EntryId, Kind, Outcome, Speaker
from bot.errors import LogUnavailable, TooManyMessages

CHAT = ConversationId("chat")


def message(seq, conversation=CHAT):
    return Entry(
        conversation=conversation,
        seq=seq,
        id=EntryId(f"{conversation}-{seq}"),
        speaker=Speaker.CUSTOMER,
        kind=Kind.MESSAGE,
        text="?",
        data={},
        at=datetime.now(UTC),
    )


class Recorder:
    """Stands in for the turn: notes what ran, waits where told to, fails where told to."""

    def __init__(self, **options):
        self.began, self.ended, self.settled = [], [], []
        self.most_at_once, self._now = 0, 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.turn_error = None
        self.settle_errors = []
        self.changed = asyncio.Condition()
        self.dispatch = Dispatch(
            self.turn, self.settle, deadline_seconds=options.get("deadline", 30), waiting=3, retry_seconds=0
        )

    async def turn(self, asked):
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.note(self.began, asked.seq)
        try:
            await self.gate.wait()
            if self.turn_error:
                raise self.turn_error
        finally:
            self._now -= 1
        await self.note(self.ended, asked.seq)

    async def settle(self, asked, outcome):
        if self.settle_errors:
            raise self.settle_errors.pop()
        await self.note(self.settled, (asked.seq, outcome))

    async def note(self, where, what):
        async with self.changed:
            where.append(what)
            self.changed.notify_all()

    async def until(self, condition):
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), 60)


async def test_turns_of_one_conversation_run_one_at_a_time_in_order_of_their_numbers():
    recorder = Recorder()
    recorder.dispatch.wake([message(3), message(1), message(2)])
    await recorder.until(lambda: len(recorder.ended) == 3)
    assert recorder.ended == [1, 2, 3]
    assert recorder.most_at_once == 1


async def test_turns_of_different_conversations_run_at_the_same_time():
    recorder = Recorder()
    recorder.gate.clear()
    recorder.dispatch.wake([message(1), message(1, ConversationId("other"))])
    await recorder.until(lambda: len(recorder.began) == 2)
    assert recorder.most_at_once == 2
    await recorder.dispatch.close()


async def test_a_message_that_is_lined_up_or_under_way_is_not_lined_up_twice():
    recorder = Recorder()
    recorder.gate.clear()
    recorder.dispatch.wake([message(1), message(2)])
    await recorder.until(lambda: recorder.began == [1])
    recorder.dispatch.wake([message(1), message(2)])
    recorder.gate.set()
    await recorder.until(lambda: len(recorder.ended) == 2)
    assert recorder.began == [1, 2]


async def test_a_full_line_refuses_the_next_message_and_counts_those_being_committed():
    recorder = Recorder()
    recorder.gate.clear()
    recorder.dispatch.wake([message(1), message(2)])
    with recorder.dispatch.room(CHAT), pytest.raises(TooManyMessages), recorder.dispatch.room(CHAT):
        pass
    with recorder.dispatch.room(CHAT):
        pass
    await recorder.dispatch.close()


async def test_a_stopped_turn_is_settled_as_stopped_and_the_next_message_is_answered():
    recorder = Recorder()
    recorder.gate.clear()
    recorder.dispatch.wake([message(1), message(2)])
    await recorder.until(lambda: recorder.began == [1])
    recorder.dispatch.stop(CHAT)
    recorder.gate.set()
    await recorder.until(lambda: recorder.ended == [2])
    assert recorder.settled == [(1, Outcome.STOPPED)]


async def test_a_turn_over_its_deadline_is_cut_and_settled_as_too_late():
    recorder = Recorder(deadline=0.01)
    recorder.gate.clear()
    recorder.dispatch.wake([message(1)])
    await recorder.until(lambda: recorder.settled)
    assert recorder.settled == [(1, Outcome.TOO_LATE)]
    assert recorder.ended == []


async def test_a_turn_that_fails_is_settled_and_its_error_is_in_the_log_with_the_conversation(caplog):
    recorder = Recorder()
    recorder.turn_error = ZeroDivisionError("telling detail")
    recorder.dispatch.wake([message(1)])
    await recorder.until(lambda: recorder.settled)
    assert recorder.settled == [(1, Outcome.FAILED)]
    assert "conversation chat" in caplog.text
    assert "telling detail" in caplog.text


async def test_a_message_that_could_not_be_settled_is_taken_up_again():
    recorder = Recorder()
    recorder.turn_error = LogUnavailable("away")
    recorder.settle_errors = [LogUnavailable("away"), LogUnavailable("away")]
    recorder.dispatch.wake([message(1)])
    await recorder.until(lambda: recorder.settled)
    assert recorder.began == [1, 1, 1]


async def test_closing_cuts_turns_without_settling_them():
    recorder = Recorder()
    recorder.gate.clear()
    recorder.dispatch.wake([message(1)])
    await recorder.until(lambda: recorder.began)
    await recorder.dispatch.close()
    assert recorder.settled == []
    assert not recorder.dispatch.busy(CHAT)


async def test_what_another_process_has_answered_takes_no_place_in_the_line_and_no_turn():
    taken, turn_ended, others_are_done = [], asyncio.Event(), asyncio.Event()

    async def turn(asked):
        taken.append(asked.seq)
        turn_ended.set()

    @asynccontextmanager
    async def in_order(asked):
        await others_are_done.wait()  # another process has the conversation
        yield [asked] if asked.seq == 3 else []

    dispatch = Dispatch(turn, turn, deadline_seconds=60, waiting=3, in_order=in_order)
    dispatch.wake([message(seq) for seq in (1, 2, 3)])
    await asyncio.sleep(0)
    assert dispatch.is_full(CHAT)
    dispatch.keep(CHAT, [message(3)])
    with dispatch.room(CHAT):
        others_are_done.set()
    async with asyncio.timeout(60):
        await turn_ended.wait()
    assert taken == [3]
    await dispatch.close()
