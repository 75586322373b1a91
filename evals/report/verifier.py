"""The judge is judged: how far the verifier that counts claims agrees with people, as `evals faithfulness` measured it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.formats import FileInvalid

FLOOR = 0.65
"""Below this AUROC on every set the figures about claims are not worth telling: 0.5 is a coin."""
JUDGED = ("claims_borne",)
"""The measures that rest on the verifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How the verifier agrees with people on one set of labelled pairs: AUROC with its interval, where it has one."""

    name: str
    n: int
    auroc: float
    low: float | None
    high: float | None


def read_agreements(files: Sequence[Path]) -> list[Agreement]:
    """Reports of `python -m evals faithfulness`. Raises FileInvalid naming the file that is none."""
    return [_read(file) for file in files]


def is_measured(agreements: Sequence[Agreement]) -> bool:
    """Whether figures that rest on the verifier may be told: nobody has judged it, or it is above the floor on average."""
    return not agreements or sum(one.auroc for one in agreements) / len(agreements) >= FLOOR


def _read(file: Path) -> Agreement:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        name = str(told.get("data") or told.get("pairs") or file.stem)
        low, high = (told.get("intervals") or {}).get("auroc") or (None, None)
        return Agreement(name=name, n=int(told["n"]), auroc=float(told["auroc"]), low=low, high=high)
    except FileNotFoundError:
        raise FileInvalid(f"{file}: there is no such file") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FileInvalid(f"{file}: is no report of `python -m evals faithfulness`") from None
