"""Two judged runs side by side: which conversations both hold with the same labels, and their marks in the same order."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evals.formats import FileInvalid
from evals.marks import Mark, Rows, by_measure, columns
from evals.runs import Manifest
from evals.score import Judged
from evals.scorers import MEASURES
from evals.transcripts import as_line

Place = tuple[str, str, int]
"""A measure, a conversation and a turn, from 1."""
NOT_KEPT = "spend"
"""Aspect of what depends on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A judged run as a comparison needs it.

    `digests` tells by conversation which text and labels it was judged by, `cites` how many messages ask for an article,
    `allowed` where something that must hold does not: of a baseline, what the gate may let pass.
    """

    manifest: Manifest
    digests: Mapping[str, str]
    cites: Mapping[str, int]
    marks: Sequence[Mark]
    allowed: tuple[Place, ...] = ()


def is_broken(mark: Mark) -> bool:
    """Whether something that must hold does not."""
    return MEASURES[mark.measure].must_hold and mark.value == 0


def side_of(judged: Judged) -> Side:
    """A run that was just judged."""
    digests = {one.id: hashlib.sha256(as_line(one).encode()).hexdigest()[:12] for one, _ in judged.run.pairs}
    cites = Counter(name for one, _ in judged.run.pairs for turn in one.turns for name in turn.expect.cite)
    broken = tuple((one.measure, one.conversation, one.turn) for one in judged.marks if is_broken(one))
    return Side(manifest=judged.run.manifest, digests=digests, cites=cites, marks=judged.marks, allowed=broken)


def shared(before: Side, after: Side) -> frozenset[str]:
    """Conversations that both were judged on by the same text and labels. Raises FileInvalid when there is none."""
    same = frozenset(one for one, digest in after.digests.items() if before.digests.get(one) == digest)
    if not same:
        raise FileInvalid("the two runs have no conversation with the same text and labels: they cannot be compared")
    return same


def paired(before: Side, after: Side, same: frozenset[str]) -> dict[str, tuple[Rows, Rows]]:
    """For each measure the marks that both runs have scored, in one order."""
    ours, theirs = _scored(before.marks, same), _scored(after.marks, same)
    pairs = {}
    for measure in MEASURES:
        known = theirs.get(measure, {})
        both = [(mark, known[place]) for place, mark in ours.get(measure, {}).items() if place in known]
        if both:
            pairs[measure] = columns(mark for mark, _ in both), columns(mark for _, mark in both)
    return pairs


def _scored(marks: Iterable[Mark], same: frozenset[str]) -> dict[str, dict[tuple[str, int], Mark]]:
    kept = [mark for mark in marks if mark.value is not None and mark.conversation in same]
    return {name: {(mark.conversation, mark.turn): mark for mark in mine} for name, mine in by_measure(kept).items()}


def write_side(file: Path, side: Side) -> None:
    """Keep what a later run is compared with; a line per measure. Raises FileInvalid."""
    kept = [mark for mark in side.marks if mark.value is not None and MEASURES[mark.measure].aspect != NOT_KEPT]
    places = sorted({(mark.conversation, mark.turn) for mark in kept})
    number = {place: n for n, place in enumerate(places)}
    lines = [
        f'"allowed": {json.dumps(side.allowed)}',
        f'"manifest": {side.manifest.model_dump_json()}',
        f'"digests": {json.dumps(dict(side.digests))}',
        f'"cites": {json.dumps(dict(sorted(side.cites.items())))}',
        f'"places": {json.dumps(places)}',
        *(
            f'"{name}": {json.dumps([_short(number[mark.conversation, mark.turn], mark) for mark in mine])}'
            for name, mine in by_measure(kept).items()
        ),
    ]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")
    except OSError as error:
        raise FileInvalid(f"{file}: cannot be written ({error.strerror})") from None


def read_side(file: Path) -> Side:
    """What `write_side` kept. Raises FileInvalid."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        places = [tuple(place) for place in read["places"]]
        marks = [_long(name, places, row) for name in MEASURES for row in read.get(name, ())]
        return Side(
            manifest=Manifest.model_validate(read["manifest"]),
            digests=read["digests"],
            cites=read["cites"],
            marks=marks,
            allowed=tuple((str(measure), str(conversation), int(turn)) for measure, conversation, turn in read["allowed"]),
        )
    except FileNotFoundError:
        raise FileInvalid(f"{file}: there is no such baseline; `--update` makes one") from None
    except (OSError, ValueError, KeyError, TypeError, LookupError, ValidationError):
        raise FileInvalid(f"{file}: is not a baseline of this version; `--update` makes it anew") from None


def _short(place: int, mark: Mark) -> list[Any]:
    value = int(mark.value) if isinstance(mark.value, float) and mark.value.is_integer() else mark.value
    return [place, value] if mark.truth is None else [place, value, mark.truth]


def _long(measure: str, places: Sequence[tuple[Any, ...]], row: Sequence[Any]) -> Mark:
    conversation, turn = places[row[0]]
    value = row[1] if isinstance(row[1], str) else float(row[1])
    return Mark(measure=measure, conversation=conversation, turn=turn, value=value, truth=row[2] if len(row) > 2 else None)
