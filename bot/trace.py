"""The trace of a turn: which steps ran, for how long, and what they decided; and the turn as the log keeps it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from bot.domain import Outcome, Step, Turn


class OpenStep:
    """A step under way; `note` is what it decided, in a few words."""

    note = ""


class Trace:
    """Collects the steps of one turn; times are milliseconds since the turn began."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[OpenStep]:
        """Time a step; it is recorded also when it fails."""
        began = time.perf_counter()
        open_step = OpenStep()
        try:
            yield open_step
        finally:
            took = time.perf_counter() - began
            since = began - self._began
            self._steps.append(
                Step(name=name, began_ms=round(since * 1e3, 2), took_ms=round(took * 1e3, 2), note=open_step.note)
            )

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far, in order."""
        return tuple(self._steps)


def turn_data(turn: Turn) -> dict[str, Any]:
    """The turn as its reply's entry keeps it: what a view may show on top, the trace under `turn`."""
    found = turn.found
    is_handover = turn.reply.outcome is Outcome.HANDED_OVER
    return {
        **({"notice": "handover"} if is_handover else {}),
        "outcome": turn.reply.outcome,
        "citations": [asdict(citation) for citation in turn.reply.citations],
        "choices": [asdict(choice) for choice in turn.reply.choices],
        "escalation": asdict(turn.escalation) if turn.escalation else None,
        "standing": asdict(turn.standing),
        **turn.acted,
        "turn": {
            "question": turn.question,
            "reading": asdict(turn.reading) if turn.reading else None,
            "knowledge": found.version if found else None,
            "answerability": round(found.answerability, 4) if found else None,
            "passages": [[passage.id, round(passage.score, 4)] for passage in found.passages] if found else [],
            "dropped": list(turn.reply.dropped),
            "writing": asdict(turn.writing) if turn.writing else None,
            "steps": [[step.name, step.began_ms, step.took_ms, step.note] for step in turn.steps],
        },
    }
