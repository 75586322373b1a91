"""What changed from one judged run to another: in what was played, in the figures, and whether chance explains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from evals.marks import TOO_FEW, Better, Measure
from evals.scorers import MEASURES
from evals.sides import Side, paired, shared
from evals.statistics import LEVEL, Difference, adjusted, could_show, difference


class Verdict(StrEnum):
    """What may be said of the second run."""

    BETTER = "better"
    WORSE = "worse"
    MIXED = "better at some things, worse at others"
    SAME = "no difference that these data can show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one measure changed; `p` counts for all headlines that could have shown something, and is 1 for the others."""

    measure: Measure
    difference: Difference
    p: float

    @property
    def is_gain(self) -> bool:
        """Whether the change is to the better, however small."""
        return (self.difference.value > 0) == (self.measure.better is Better.HIGHER)

    @property
    def is_sure(self) -> bool:
        """Whether chance does not explain it."""
        return self.p < LEVEL and self.difference.value != 0 and self.difference.n >= TOO_FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The second run against the first, over the conversations that both hold with the same labels.

    `played` says what differs in what was played, `broken` which measures that must hold have marks that fail now and did
    not before, `gone` how many labelled messages ask for an article that is gone, `only_one` how many conversations stand in
    one run only or with other labels.
    """

    verdict: Verdict
    changes: Mapping[str, Change]
    played: tuple[str, ...]
    broken: Mapping[str, int]
    gone: Mapping[str, int]
    conversations: int
    only_one: int

    @property
    def sure(self) -> list[Change]:
        """The changes that chance does not explain, worst first."""
        return sorted((one for one in self.changes.values() if one.is_sure), key=lambda one: (one.is_gain, one.p))


def compare_sides(before: Side, after: Side) -> Comparison:
    """Everything that can be told. Raises FileInvalid when the runs share no conversation."""
    same = shared(before, after)
    found = {
        name: told
        for name, rows in paired(before, after, same).items()
        if (told := difference(MEASURES[name], *rows)) is not None
    }
    headlines = [name for name, one in found.items() if MEASURES[name].headline and could_show(one)]
    ps = dict(zip(headlines, adjusted([found[name].p for name in headlines]), strict=True))
    changes = {name: Change(measure=MEASURES[name], difference=one, p=ps.get(name, 1.0)) for name, one in found.items()}
    broken = {
        name: one.worse for name, one in found.items() if MEASURES[name].must_hold and one.worse is not None and one.worse
    }
    missing = set(before.manifest.documents) - set(after.manifest.documents)
    gone = {name: times for name, times in after.cites.items() if name in missing}
    return Comparison(
        verdict=_verdict(changes, lost=bool(broken or gone)),
        changes=changes,
        played=tuple(describe_played(before, after)),
        broken=broken,
        gone=gone,
        conversations=len(same),
        only_one=len(before.digests.keys() | after.digests.keys()) - len(same),
    )


def describe_played(before: Side, after: Side) -> list[str]:
    """What differs in settings, providers, prompts and articles, in words."""
    old, new = before.manifest, after.manifest
    lines = []
    if old.providers != new.providers:
        lines.append(f"answers come from {', '.join(new.providers)}, were from {', '.join(old.providers)}")
    for name in sorted(old.settings.keys() & new.settings.keys()):
        was, now = old.settings[name], new.settings[name]
        if was != now:
            lines.append(f"{name.upper()} is {now}, was {was}")
    prompts = sorted(
        name for name in old.prompts.keys() | new.prompts.keys() if old.prompts.get(name) != new.prompts.get(name)
    )
    if prompts:
        lines.append(f"other prompts: {', '.join(prompts)}")
    return lines + _describe_articles(before, after)


def _describe_articles(before: Side, after: Side) -> list[str]:
    old, new = set(before.manifest.documents), set(after.manifest.documents)
    lines = [f"articles gone: {', '.join(sorted(old - new))}"] if old - new else []
    lines += [f"articles new: {', '.join(sorted(new - old))}"] if new - old else []
    if before.manifest.knowledge != after.manifest.knowledge and old == new:
        lines.append("articles with other words")
    return lines


def _verdict(changes: Mapping[str, Change], *, lost: bool) -> Verdict:
    sure = [one for one in changes.values() if one.is_sure]
    gained, lost = any(one.is_gain for one in sure), lost or any(not one.is_gain for one in sure)
    if gained and lost:
        return Verdict.MIXED
    return Verdict.WORSE if lost else Verdict.BETTER if gained else Verdict.SAME
