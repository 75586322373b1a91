"""What the classifier says of messages it has not learned, exactly, from one fit."""

from dataclasses import dataclass

import numpy as np

from bot.kernel import Rows, Solution
from bot.ngrams import Floats
from bot.scope import Numbers, signs

TWINS = 0.8
"""An example is judged without its twins too, its intent's examples of this cosine or more: whoever writes examples
repeats themselves more than customers do, and a twin left in the training part would give the answer away."""
FEWEST_FOREIGN = 20
"""With fewer foreign examples, intents that were left out stand in for what is out of scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Scores and labels of the examples in scope, and the gate's signs of them (`known`) and of foreign messages."""

    scores: Floats
    labels: Rows
    known: Numbers
    unknown: Numbers


def held_out(solution: Solution, vectors: Floats, labels: Rows, spoken: int) -> HeldOut:
    """Judge the first `spoken` rows; the others (an intent's name) are learned but are no messages. Label -1 is foreign."""
    foreign = np.flatnonzero(labels < 0)
    rows = [np.flatnonzero(labels == intent) for intent in range(solution.targets.shape[1])]
    sums = np.stack([vectors[mine].sum(0) for mine in rows])
    trial = _Trial(solution=solution, vectors=vectors, sums=sums, foreign=foreign)
    known = [trial.known(intent, mine[mine < spoken]) for intent, mine in enumerate(rows)]
    unknown = [trial.unknown()] if len(foreign) else []
    if not trial.enough:
        unknown += [trial.left_out(intent, mine) for intent, mine in enumerate(rows)]
    return HeldOut(
        scores=np.concatenate([scores for scores, _ in known]),
        labels=np.concatenate([np.full(len(scores), intent) for intent, (scores, _) in enumerate(known)]),
        known=np.concatenate([seen for _, seen in known]),
        unknown=np.concatenate(unknown),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A fit with its examples: `sums` of each intent's vectors, `foreign` the rows out of scope."""

    solution: Solution
    vectors: Floats
    sums: Floats
    foreign: Rows

    @property
    def enough(self) -> bool:
        """Whether the foreign examples speak for themselves."""
        return len(self.foreign) >= FEWEST_FOREIGN

    def known(self, intent: int, mine: Rows) -> tuple[Floats, Numbers]:
        """Scores and signs of an intent's examples, each without itself and its twins."""
        groups = _with_twins(self.vectors, mine)
        scores = np.stack([self.solution.without(group) for group in groups])
        cosine = self.vectors[mine] @ unit(self.sums).T
        others = unit(self.sums[intent] - np.stack([self.vectors[group].sum(0) for group in groups]))
        cosine[:, intent] = (self.vectors[mine] * others).sum(1)
        near = (self.vectors[mine] @ self.vectors[self.foreign].T).max(1) if self.enough else None
        return scores, signs(scores, cosine, near)

    def unknown(self) -> Numbers:
        """Signs of the foreign examples, each without itself."""
        mine = self.vectors[self.foreign]
        scores = np.stack([self.solution.without(row[None]) for row in self.foreign])
        alike = mine @ mine.T
        np.fill_diagonal(alike, -1)
        return signs(scores, mine @ unit(self.sums).T, alike.max(1) if self.enough else None)

    def left_out(self, intent: int, mine: Rows) -> Numbers:
        """Signs of an intent's examples as the other intents see them when it is unknown."""
        others = np.delete(np.arange(len(self.sums)), intent)
        scores = self.solution.without_all(mine)[:, others]
        return signs(scores, self.vectors[mine] @ unit(self.sums[others]).T, None)


def _with_twins(vectors: Floats, mine: Rows) -> list[Rows]:
    """Each row with its twins, nearest first, at most a third of the intent."""
    alike = vectors[mine] @ vectors[mine].T
    np.fill_diagonal(alike, 2)
    most = 1 + (len(mine) - 1) // 3
    order = np.argsort(-alike, axis=1, kind="stable")[:, :most]
    return [mine[near[alike[row, near] >= TWINS]] for row, near in enumerate(order)]


def unit(vectors: Floats) -> Floats:
    """The vectors at length one; a zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, 1e-9)
    return unit
