"""What another threshold would have cost: turns where a human was missing, and turns where one was called needlessly.

Told from the signals that a run stored, without playing again: a turn calls a human where another rule fired or the signal
crosses the threshold. What the conversation would have been afterwards is not told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evals.runs import Run
from evals.scorers.escalation import action, records_escalation
from evals.scorers.turns import Case, cases
from evals.transcripts import Escalate

MISSED, NEEDLESS = 5.0, 1.0
"""What a missed and a needless call of a human cost, unless the caller says so."""
STEPS = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a turn costs where a human was missing, and where one was called needlessly."""

    missed: float = MISSED
    needless: float = NEEDLESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The mistakes at a threshold, and what they cost for 100 turns."""

    threshold: float
    missed: int
    needless: int
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The costs over the thresholds of a setting; `used` is that of the run, `best` the cheapest one nearest to it."""

    setting: str
    title: str
    points: tuple[Point, ...]
    used: Point
    best: Point
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A setting that decides: which rules it governs, and the signal; a call at and `below` it, or above it."""

    setting: str
    title: str
    rules: frozenset[str]
    signal: Callable[[Case], float | None]
    below: bool


def _frustration(case: Case) -> float | None:
    value = case.played.reading.get("frustration")
    return None if value is None else float(value)


def _answerability(case: Case) -> float | None:
    value = case.played.trace.get("answerability")
    return None if value is None or case.outcome == "greeted" else float(value)


DIALS = (
    Dial(
        setting="frustration_above",
        title="A human is offered above this frustration",
        rules=frozenset({"frustrated", "still_frustrated"}),
        signal=_frustration,
        below=False,
    ),
    Dial(
        setting="answerable_above",
        title="A human is offered up to this answerability",
        rules=frozenset({"unanswerable", "priority_unanswered"}),
        signal=_answerability,
        below=True,
    ),
)


def cost_curves(run: Run, costs: Costs) -> list[Curve]:
    """A curve for each dial that the labels and the stored signals allow."""
    labelled = [case for case in cases(run) if case.expect.escalate and records_escalation(case)]
    curves = (_curve(dial, labelled, run.manifest.settings.get(dial.setting), costs) for dial in DIALS)
    return [curve for curve in curves if curve is not None]


def _curve(dial: Dial, labelled: Sequence[Case], used: float | None, costs: Costs) -> Curve | None:
    known = [(case, signal) for case in labelled if (signal := dial.signal(case)) is not None]
    if used is None or not known:
        return None
    signals = np.array([signal for _, signal in known])
    otherwise = np.array([_called(case) and case.played.escalation.get("rule") not in dial.rules for case, _ in known])
    needed = np.array([Escalate.NONE not in case.expect.escalate for case, _ in known])
    forbidden = np.array([case.expect.escalate == (Escalate.NONE,) for case, _ in known])

    def at(threshold: float) -> Point:
        called = otherwise | ((signals <= threshold) if dial.below else (signals > threshold))
        missed, needless = int((needed & ~called).sum()), int((forbidden & called).sum())
        cost = 100 * (missed * costs.missed + needless * costs.needless) / len(known)
        return Point(threshold=round(threshold, 4), missed=missed, needless=needless, cost=round(cost, 3))

    points = tuple(at(float(one)) for one in np.linspace(0, 1, STEPS))
    best = min(points, key=lambda point: (point.cost, abs(point.threshold - used)))
    return Curve(setting=dial.setting, title=dial.title, points=points, used=at(float(used)), best=best, n=len(known))


def _called(case: Case) -> bool:
    return action(case) is not Escalate.NONE
