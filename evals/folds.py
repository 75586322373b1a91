"""Weights of the verifier that never saw a set of labelled pairs, so that a figure never comes from what was fitted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.formats import FileInvalid
from evals.verifier import Verifier

FOLDS = Path(__file__).resolve().parent / "baselines" / "support_folds.json"


class Folds(BaseModel):
    """By set: the verifier that was fitted without it, and the hashes of its sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verifiers: Mapping[str, Verifier]
    sources: Mapping[str, Sequence[str]]

    @cached_property
    def _known(self) -> Mapping[str, str]:
        return {source: name for name, sources in self.sources.items() for source in sources}

    def set_of(self, sources: Sequence[str]) -> str | None:
        """The set that has one of these sources and that the shipped verifier was therefore fitted to."""
        return next((self._known[one] for one in map(hash_source, sources) if one in self._known), None)


def hash_source(text: str) -> str:
    """A short name of a source, the same however it is spaced and cased."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:10]


def read_folds(path: Path = FOLDS) -> Folds:
    """Read what `python -m evals fit support` wrote. Raises FileInvalid."""
    try:
        return Folds.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise FileInvalid(f"{path}: cannot be used ({error}); fit it with `python -m evals fit support`") from error
