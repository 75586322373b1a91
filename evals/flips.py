"""The turns whose verdict changed between two runs, with both replies side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.marks import WHOLE, Kind, Mark
from evals.runs import Run
from evals.score import Judged
from evals.scorers import MEASURES
from evals.scorers.turns import Case, cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A turn that changed: which measures it is better and worse in, what was replied before and after, and why.

    `sure_before` and `sure_after` are how likely the bot thought it that the articles answer, "" where it did not look.
    """

    conversation: str
    turn: int
    asked: str
    better: tuple[str, ...]
    worse: tuple[str, ...]
    before: str
    after: str
    why: str
    sure_before: str = ""
    sure_after: str = ""


def find_flips(before: Judged, after: Judged, same: frozenset[str]) -> list[Flip]:
    """Every turn with a headline verdict that changed, the worse first."""
    ours, theirs = _verdicts(before.marks), _verdicts(after.marks)
    replies = _texts(before.run), _texts(after.run)
    changed: dict[tuple[str, int], list[tuple[Mark, Mark]]] = {}
    for key, mark in ours.items():
        other = theirs.get(key)
        if other is not None and mark.conversation in same and mark.value != other.value:
            changed.setdefault((mark.conversation, mark.turn), []).append((mark, other))
    flips = [_flip(place, pairs, replies) for place, pairs in changed.items()]
    return sorted(flips, key=lambda flip: (-len(flip.worse), len(flip.better), flip.conversation, flip.turn))


def _verdicts(marks: Sequence[Mark]) -> dict[tuple[str, str, int], Mark]:
    """The yes-or-no marks that the verdict rests on."""
    kept = (mark for mark in marks if mark.value is not None and _counts(mark.measure))
    return {(mark.measure, mark.conversation, mark.turn): mark for mark in kept}


def _counts(measure: str) -> bool:
    one = MEASURES[measure]
    return one.kind is Kind.RATE and (one.headline or one.must_hold)


def _texts(run: Run) -> Mapping[tuple[str, int], Case]:
    return {(case.transcript.id, case.number): case for case in cases(run)}


def _flip(
    place: tuple[str, int],
    pairs: Sequence[tuple[Mark, Mark]],
    replies: tuple[Mapping[tuple[str, int], Case], Mapping[tuple[str, int], Case]],
) -> Flip:
    worse = tuple(new.measure for old, new in pairs if new.value == 0)
    why = next((new.why for old, new in pairs if new.value == 0 and new.why), "")
    if place[1] == WHOLE:
        return _whole(place[0], pairs, replies[1])
    was, now = (texts.get(place) for texts in replies)
    return Flip(
        conversation=place[0],
        turn=place[1],
        asked=now.played.asked if now else "",
        better=tuple(new.measure for old, new in pairs if new.value == 1),
        worse=worse,
        before=_reply(was),
        after=_reply(now),
        why=why,
        sure_before=_sure(was),
        sure_after=_sure(now),
    )


def _sure(case: Case | None) -> str:
    answerability = case.played.trace.get("answerability") if case else None
    return f"{answerability:.2f}" if isinstance(answerability, float) else ""


def _whole(conversation: str, pairs: Sequence[tuple[Mark, Mark]], now: Mapping[tuple[str, int], Case]) -> Flip:
    """What became of a conversation: there is no single reply to show, but why it was right or wrong."""
    old, new = pairs[0]
    return Flip(
        conversation=conversation,
        turn=WHOLE,
        asked=f"the whole conversation that begins: {now[conversation, 1].played.asked}",
        better=tuple(one.measure for _, one in pairs if one.value == 1),
        worse=tuple(one.measure for _, one in pairs if one.value == 0),
        before=old.why or "as it should be",
        after=new.why or "as it should be",
        why=new.why,
    )


def _reply(case: Case | None) -> str:
    if case is None:
        return ""
    return case.text or f"({case.played.failure or 'no reply'})"
