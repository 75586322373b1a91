"""History: the headline figures of earlier runs over the same transcripts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.formats import FileInvalid
from evals.marks import Measure
from evals.metrics import Figure
from evals.runs import Manifest, read_manifest
from evals.scorers import MEASURES

FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One measure from run to run, oldest first."""

    measure: Measure
    points: tuple[tuple[datetime, Figure], ...]


def read_history(folder: Path, manifest: Manifest) -> tuple[list[Course], int]:
    """The headline measures over the judged runs in the folder, and how many runs were of other transcripts.

    Only runs over exactly these transcripts are a history; one that cannot be read is left out.
    """
    runs, others = [], 0
    for scores in sorted(folder.glob("*/scores.json")):
        try:
            same = read_manifest(scores.parent).sources == manifest.sources
            told = json.loads(scores.read_text(encoding="utf-8"))["figures"]
        except (FileInvalid, OSError, ValueError, KeyError):
            continue
        if same:
            runs.append((_played_at(scores.parent), told))
        else:
            others += 1
    runs.sort(key=lambda run: run[0])
    courses = [_course(measure, runs) for measure in MEASURES.values() if measure.headline or measure.must_hold]
    return [one for one in courses if len(one.points) >= FEWEST], others


def _played_at(run: Path) -> datetime:
    return datetime.fromtimestamp((run / "turns.jsonl").stat().st_mtime, UTC)


def _course(measure: Measure, runs: Sequence[tuple[datetime, Any]]) -> Course:
    points = [(at, told[measure.name]) for at, told in runs if told.get(measure.name, {}).get("value") is not None]
    return Course(
        measure=measure,
        points=tuple((at, Figure(value=one["value"], low=one["low"], high=one["high"], n=one["n"])) for at, one in points),
    )
