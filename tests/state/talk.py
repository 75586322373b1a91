"""Conversations for the tests: entries as the log would hold them, and talk of any length."""

from datetime import UTC, datetime
from typing import Any

from bot.domain import ConversationId, CustomerId, Draft, Entry, EntryId, Kind, Outcome, Speaker
from bot.log import ConversationLog

CHAT, ANN = ConversationId("chat"), CustomerId("ann")
FACT = "My order number is LF-204815, it went to the wrong house."
_TOPICS = ("the late fee", "my router in the hall", "roaming in Norway", "a second SIM", "the speed of Full Fibre 900")


def entry(seq: int, text: str, speaker: Speaker = Speaker.CUSTOMER, answers: int | None = None, **more: Any) -> Entry:
    """An entry that no log holds."""
    data, kind = more.get("data", {}), more.get("kind", Kind.MESSAGE)
    return Entry(
        conversation=CHAT,
        seq=seq,
        id=EntryId(f"e{seq}"),
        speaker=speaker,
        kind=kind,
        text=text,
        data=data,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        answers=answers,
    )


def turn(seq: int, text: str, reply: str, outcome: Outcome = Outcome.ANSWERED, **data: Any) -> list[Entry]:
    """A question at `seq` and its reply after it."""
    return [entry(seq, text), entry(seq + 1, reply, Speaker.BOT, seq, data={"outcome": outcome, **data})]


def question(number: int) -> str:
    """What the customer says in turn `number`, from 1; in turn 3 something that must not be forgotten."""
    if number == 3:
        return FACT
    return f"And what about {_TOPICS[number % 5]}, asked for the {number}. time? " + "I want to know it exactly. " * 3


async def append_turn(log: ConversationLog, number: int) -> tuple[Entry, Entry]:
    """Append turn `number` to the log: a question and its reply."""
    await log.open(CHAT, ANN)
    asked = await log.append(Draft(conversation=CHAT, speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=question(number)))
    reply = await log.append(
        Draft(
            conversation=CHAT,
            speaker=Speaker.BOT,
            kind=Kind.MESSAGE,
            text=f"Here is answer {number} with a few words more. [1] " * 4,
            data={"outcome": Outcome.ANSWERED, "turn": {"question": question(number)}},
            answers=asked.seq,
        )
    )
    return asked, reply
