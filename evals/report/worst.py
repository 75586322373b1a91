"""The worst conversations: in full, with what was right, what the bot saw, and what is wrong with each reply."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.marks import WHOLE, Kind, Mark
from evals.runs import PlayedTurn
from evals.score import Judged
from evals.scorers import MEASURES
from evals.transcripts import Expected, Transcript

MUST_HOLD = 10
"""What a broken must-hold counts against an ordinary mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A mistake: the measure's title, and why."""

    title: str
    why: str
    must_hold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTurn:
    """A turn as the report shows it."""

    number: int
    asked: str
    replies: tuple[str, ...]
    silence: str
    wanted: tuple[str, ...]
    did: str
    saw: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownConversation:
    """A conversation as the report shows it, with what is wrong with it as a whole."""

    id: str
    tags: tuple[str, ...]
    note: str
    faults: tuple[Fault, ...]
    turns: tuple[ShownTurn, ...]
    weight: int


def worst_conversations(judged: Judged, most: int) -> list[ShownConversation]:
    """Those with the most and gravest mistakes for their length, the worst first."""
    faults: dict[str, dict[int, list[Mark]]] = {}
    for mark in judged.marks:
        if _is_fault(mark):
            faults.setdefault(mark.conversation, {}).setdefault(mark.turn, []).append(mark)
    shown = [_shown(row, played.turns, faults[row.id]) for row, played in judged.run.pairs if row.id in faults]
    return sorted(shown, key=lambda one: (-one.weight / (2 + len(one.turns)), one.id))[:most]


def _is_fault(mark: Mark) -> bool:
    measure = MEASURES[mark.measure]
    counts = measure.headline or measure.must_hold
    if measure.kind is Kind.RATE:
        return counts and mark.value == 0
    return counts and isinstance(mark.value, float) and mark.value < 1 and bool(mark.why)


def _shown(transcript: Transcript, turns: Sequence[PlayedTurn], faults: Mapping[int, list[Mark]]) -> ShownConversation:
    every = [mark for marks in faults.values() for mark in marks]
    return ShownConversation(
        id=transcript.id,
        tags=transcript.tags,
        note=transcript.note,
        faults=_faults(faults.get(WHOLE, ())),
        turns=tuple(
            _turn(number, label.expect, played, faults.get(number, ()))
            for number, (label, played) in enumerate(zip(transcript.turns, turns, strict=True), start=1)
        ),
        weight=sum(MUST_HOLD if MEASURES[mark.measure].must_hold else 1 for mark in every),
    )


def _faults(marks: Iterable[Mark]) -> tuple[Fault, ...]:
    return tuple(
        Fault(title=MEASURES[mark.measure].title, why=mark.why, must_hold=MEASURES[mark.measure].must_hold) for mark in marks
    )


def _turn(number: int, expect: Expected, played: PlayedTurn, marks: Iterable[Mark]) -> ShownTurn:
    return ShownTurn(
        number=number,
        asked=played.asked,
        replies=tuple(one.text for one in played.said if one.kind in ("message", "notice")),
        silence=played.failure,
        wanted=tuple(_wanted(expect)),
        did=_did(played),
        saw=tuple(_saw(played)),
        sources=tuple(
            (f"[{one['number']}] {one['document']}", str(one["quote"])) for one in played.data.get("citations", ())
        ),
        faults=_faults(marks),
    )


def _wanted(expect: Expected) -> Iterable[str]:
    """What is right, in words."""
    if expect.intent:
        yield f"intent {' or '.join(expect.intent)}"
    if expect.escalate:
        reasons = f" ({', '.join(expect.reasons)})" if expect.reasons else ""
        words = {"none": "no human", "offer": "offer a human", "hand_over": "hand over to a human"}
        yield f"{' or '.join(words[one] for one in expect.escalate)}{reasons}"
    if expect.outcomes:
        yield f"outcome {' or '.join(expect.outcomes)}"
    if expect.cite:
        yield f"cite {' or '.join(expect.cite)}"
    yield from (f"say “{fact[0]}”" for fact in expect.must)
    yield from (f"never say “{words}”" for words in expect.must_not)


def _did(played: PlayedTurn) -> str:
    """What the bot did, in a few words."""
    if played.failure:
        return ""
    fired = played.escalation
    rule = f" by rule {fired['rule']} ({fired['reason']})" if fired else ""
    if played.handed_over:
        return f"handed over{rule}"
    outcome = str(played.data.get("outcome", "replied")).replace("_", " ")
    return f"{outcome}, offered a human{rule}" if fired else outcome


def _saw(played: PlayedTurn) -> Iterable[tuple[str, str]]:
    """What the bot read and found."""
    reading, trace = played.reading, played.trace
    if reading:
        yield "intent", f"{reading.get('intent')} ({_number(reading.get('confidence'))})"
        yield "frustration", f"{_number(reading.get('frustration'))}, {reading.get('trend', '')}"
    if trace.get("question") and trace["question"] != played.asked:
        yield "searched for", str(trace["question"])
    if trace.get("answerability") is not None:
        yield "answerability", _number(trace["answerability"])
    if trace.get("passages"):
        yield "found", ", ".join(f"{passage} ({_number(score)})" for passage, score in trace["passages"][:5])
    if trace.get("dropped"):
        yield "left out by the check", " / ".join(trace["dropped"])
    if writing := trace.get("writing"):
        yield "written by", ", ".join(f"{one['provider']} {one['model']}" for one in writing.get("usage", ())) or "nobody"


def _number(value: Any) -> str:  # noqa: ANN401 - whatever a run stored
    return f"{value:.2f}" if isinstance(value, int | float) else "unknown"
