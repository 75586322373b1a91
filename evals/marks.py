"""Marks and measures: a mark is what one scorer says of one turn, a measure is what marks of one name add up to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Statistic = Callable[[Column, Column], float]
"""From the values and the truths of some marks to one figure; NaN where they do not say."""
WHOLE = 0
"""The turn of a mark that is about a conversation as a whole."""
TOO_FEW = 10
"""Below this many marks a figure says nothing about the bot."""


class Kind(StrEnum):
    """How marks add up."""

    RATE = "rate"
    """The share of marks that are 1: Wilson's interval, McNemar's test."""
    MEAN = "mean"
    """The mean of the values: bootstrap by conversation."""
    POOLED = "pooled"
    """A statistic of all values and truths together: bootstrap by conversation."""


class Better(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a scorer says of a turn, counted from 1; without a value it is unscored, which is never wrong."""

    measure: str
    conversation: str
    turn: int
    value: float | str | None
    truth: float | str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a figure is: `says` explains it to somebody who has never seen the project.

    A `headline` is looked at for the verdict and by the gate; of a `must_hold` no mark may ever be 0. `unit` is `share`,
    `ms`, `tokens`, `dollars` or `score`.
    """

    name: str
    title: str
    aspect: str
    says: str
    kind: Kind = Kind.RATE
    better: Better = Better.HIGHER
    unit: str = "share"
    headline: bool = False
    must_hold: bool = False
    statistic: Statistic | None = None
    of: Callable[[Column, Column], int] | None = None
    """How many marks a pooled figure is about, where it is not about all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The scored marks of one measure as columns; `places` holds the rows of each conversation."""

    values: Column
    truths: Column
    places: Sequence[NDArray[np.int64]]
    unscored: int

    @property
    def n(self) -> int:
        """How many marks have a value."""
        return len(self.values)


def columns(marks: Iterable[Mark]) -> Rows:
    """The marks of one measure, side by side."""
    mine = list(marks)
    scored = [mark for mark in mine if mark.value is not None]
    rows: dict[str, list[int]] = {}
    for place, mark in enumerate(scored):
        rows.setdefault(mark.conversation, []).append(place)
    return Rows(
        values=_column([mark.value for mark in scored]),
        truths=_column([mark.truth for mark in scored]),
        places=[np.asarray(one, np.int64) for one in rows.values()],
        unscored=len(mine) - len(scored),
    )


def _column(values: Sequence[float | str | None]) -> Column:
    if any(isinstance(value, str) or value is None for value in values):
        return np.asarray(values, object)
    return np.asarray(values, np.float64)


def by_measure(marks: Iterable[Mark]) -> Mapping[str, list[Mark]]:
    """The marks of each measure."""
    found: dict[str, list[Mark]] = {}
    for mark in marks:
        found.setdefault(mark.measure, []).append(mark)
    return found
