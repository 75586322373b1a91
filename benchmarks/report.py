"""What a benchmark hands back: rows of figures, and how they are printed and kept."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

Row = Mapping[str, Any]
_SHOWN_PACKAGES = ("chainlit", "chromadb", "llama-index-core", "onnxruntime", "sqlalchemy", "uvloop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure that was promised: what it is, how it came out, what it must be."""

    what: str
    figure: float
    limit: float
    at_most: bool = True

    @property
    def reached(self) -> bool:
        """Whether the promise is kept."""
        return self.figure <= self.limit if self.at_most else self.figure >= self.limit

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        return f"{'reached' if self.reached else 'MISSED '}  {self.what}: {self.figure:g} (goal {sign} {self.limit:g})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A benchmark's figures: a table, the goals they are held to, and remarks on how they came about."""

    name: str
    rows: Sequence[Row]
    goals: Sequence[Goal] = ()
    remarks: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, rounded to a tenth; zeros when there is nothing."""
    points = np.percentile(milliseconds, (50, 95, 99)) if len(milliseconds) else np.zeros(3)
    return {name: round(float(point), 1) for name, point in zip(("p50 ms", "p95 ms", "p99 ms"), points, strict=True)}


def show(result: Result) -> None:
    """Print the table, the goals and the remarks."""
    print(f"\n{result.name}\n")
    if result.rows:
        print(as_table(result.rows))
    for line in (*result.goals, *result.remarks):
        print(f"  {line}")


def as_table(rows: Sequence[Row]) -> str:
    """The rows below their names, figures to the right; a row may lack a column."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([_cell(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    words = [any(isinstance(row.get(name), str) for row in rows) for name in columns]
    return "\n".join(
        "  " + "  ".join(c.ljust(w) if is_word else c.rjust(w) for c, w, is_word in zip(line, widths, words, strict=True))
        for line in cells
    )


def keep(result: Result, folder: Path, seconds: float) -> Path:
    """Write the result with the machine and versions it was measured on into `<folder>/<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.name}.json"
    content = {
        "name": result.name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "machine": machine(),
        "goals": [{"goal": str(goal), "reached": goal.reached} for goal in result.goals],
        "remarks": list(result.remarks),
        "rows": [dict(row) for row in result.rows],
        "details": dict(result.details),
    }
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "load average before": [round(load, 2) for load in os.getloadavg()],
        "processor": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _SHOWN_PACKAGES},
    }


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
