"""The judges are judged: how far those who count claims agree with people, as `judge` and `faithfulness` measured it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from evals import judges
from evals.formats import FileInvalid

MEASURED = Path(__file__).parents[1] / "baselines" / "judges"
"""Reports of `python -m evals judge` that come with the program."""
JUDGES: Mapping[str, str] = {"turn": "the bot's own check", "ragas": "another model (ragas)"}
JUDGED: Mapping[str, str] = {"claims_borne": "turn", "claims_borne_ragas": "ragas"}
"""The measures that rest on a judge, and on which."""
FLOORS: Mapping[str, float] = {"balanced_accuracy": judges.FLOOR, "auroc": 0.65}
"""Below this on average over the sets, what a judge says is not worth telling: 0.5 is a coin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How a judge agrees with people on one set of labelled pairs, with the 95% interval, where there is one."""

    judge: str
    name: str
    n: int
    figure: str
    value: float
    low: float | None
    high: float | None

    @property
    def title(self) -> str:
        """Who judges, in words."""
        return JUDGES[self.judge]


def read_agreements(files: Sequence[Path]) -> list[Agreement]:
    """What these reports tell, or those that come with the program. Raises FileInvalid naming the file that is none."""
    found = [one for file in files or sorted(MEASURED.glob("*.json")) for one in _read(file)]
    return sorted(found, key=lambda one: (list(JUDGES).index(one.judge), -one.value))


def is_measured(agreements: Sequence[Agreement], judge: str) -> bool:
    """Whether figures that rest on a judge may be told: nobody has judged it, or it is above the floor on average."""
    above = [one.value - FLOORS[one.figure] for one in agreements if one.judge == judge]
    return not above or mean(above) >= 0


def _read(file: Path) -> Iterator[Agreement]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        name = str(told.get("name") or told.get("data") or told.get("pairs") or file.stem)
        if "judges" in told:
            by_judge = {judge: told["judges"].get(judge) or {"n": 0} for judge in JUDGES}
            yield from (_agreement(judge, name, one, "balanced_accuracy") for judge, one in by_judge.items() if one["n"])
        else:
            yield _agreement("turn", name, {"n": told["n"], **told.get("turn", told)}, "auroc")
    except FileNotFoundError:
        raise FileInvalid(f"{file}: there is no such file") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FileInvalid(f"{file}: is no report of `python -m evals judge` or `faithfulness`") from None


def _agreement(judge: str, name: str, told: Mapping[str, Any], figure: str) -> Agreement:
    low, high = (told.get("intervals") or {}).get(figure) or (None, None)
    return Agreement(judge=judge, name=name, n=int(told["n"]), figure=figure, value=float(told[figure]), low=low, high=high)
