"""The classifier: learns intents from examples and says how sure it is, and whether a message is in scope at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from bot.held_out import FEWEST_FOREIGN, HeldOut, held_out, unit
from bot.kernel import Kernel, Rows
from bot.ngrams import Floats, Weights
from bot.scope import Gate, signs

MOST_EXAMPLES = 20_000
"""The fit holds a square matrix of them."""
WORDS_WEIGHTS = (0.1, 0.3, 0.6)
"""Tried, and the one kept under which held-out examples surprise least: jargon wants more, plain speech less."""
MANY_EXAMPLES = 4000
"""From here on the middle one is taken unseen, to save the time."""
FOREIGN = -1
"""The label of an example that is out of scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What is learned: texts with the number of their intent or FOREIGN; `names` are the intents.

    `titles` are rows that only describe an intent (its name in words): learned, but no message to be calibrated on.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    labels: Rows
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the classifier says of a message: probabilities (intents,) of each were it in scope, and of that."""

    chances: Floats
    in_scope: float
    threshold: float

    @property
    def accepted(self) -> bool:
        """Whether it counts as in scope."""
        return self.in_scope >= self.threshold

    @property
    def best(self) -> int:
        """The number of the likeliest intent."""
        return int(self.chances.argmax())

    @property
    def confidence(self) -> float:
        """The probability that the reading is right: of the best intent when accepted, else of being out of scope."""
        return float(self.chances.max()) * self.in_scope if self.accepted else 1 - self.in_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """Fitted; immutable and safe from several threads."""

    names: tuple[str, ...]
    kernel: Kernel
    weights: Weights
    coefficients: Floats
    means: Floats
    foreign: Floats
    sharpness: float
    gate: Gate

    @classmethod
    def fit(cls, examples: Examples, vectors: Floats) -> "Classifier":
        """From examples and unit vectors of `texts`, then `titles`. Raises ValueError: too few or too many."""
        import scipy.linalg  # noqa: F401, PLC0415  slow, only to learn; loaded before its threads are limited below

        check_examples(examples)
        texts = (*examples.texts, *examples.titles)
        labels = np.concatenate([examples.labels, np.arange(len(examples.titles))])
        weights, grams = Weights.fit(texts)
        tried = WORDS_WEIGHTS if len(texts) < MANY_EXAMPLES else WORDS_WEIGHTS[1:2]
        kernels = [Kernel(vectors=vectors, grams=grams, words_weight=weight) for weight in tried]
        best = min((_fit(kernel, labels, examples) for kernel in kernels), key=lambda fitted: fitted.surprise)
        foreign = vectors[labels == FOREIGN]
        return cls(
            names=examples.names,
            kernel=best.kernel,
            weights=weights,
            coefficients=best.coefficients,
            means=_means(vectors, labels, len(examples.names)),
            foreign=foreign if len(foreign) >= FEWEST_FOREIGN else foreign[:0],
            sharpness=best.sharpness,
            gate=Gate.fit(best.out.known, best.out.scores.argmax(1) == best.out.labels, best.out.unknown),
        )

    def judge(self, text: str, vector: Floats) -> Judgement:
        """A message and its unit vector."""
        scores = self.kernel.similarity(vector, self.weights.grams(text)) @ self.coefficients
        near_foreign = (self.foreign @ vector).max(keepdims=True) if len(self.foreign) else None
        inside = self.gate.probability(signs(scores[None], (self.means @ vector)[None], near_foreign))
        return Judgement(chances=_softmax(self.sharpness * scores), in_scope=float(inside[0]), threshold=self.gate.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """One kernel's fit and how much held-out examples surprise it, in nats."""

    kernel: Kernel
    coefficients: Floats
    out: HeldOut
    sharpness: float
    surprise: float


def _fit(kernel: Kernel, labels: Rows, examples: Examples) -> _Fitted:
    with threadpool_limits(1 if len(labels) < MANY_EXAMPLES else None, user_api="blas"):
        solution = kernel.solve(_targets(labels, len(examples.names)))
    with threadpool_limits(1, user_api="blas"):  # small products: handing them to threads costs ten times the work
        out = held_out(solution, kernel.vectors, labels, spoken=len(examples.texts))
    sharpness, surprise = _fit_sharpness(out.scores, out.labels)
    return _Fitted(kernel=kernel, coefficients=solution.coefficients, out=out, sharpness=sharpness, surprise=surprise)


def check_examples(examples: Examples) -> None:
    """Raises ValueError, in words for whoever wrote the file."""
    known = [label for label in examples.labels.tolist() if label != FOREIGN]
    if len(examples.names) < 2 or len(set(known)) < len(examples.names):
        raise ValueError("at least two intents are needed, each with an example")
    if len(known) < 2 * len(examples.names):
        raise ValueError(f"{len(known)} examples for {len(examples.names)} intents: about two each are the least")
    if len(examples.texts) > MOST_EXAMPLES:
        raise ValueError(f"{len(examples.texts):,} examples; at most {MOST_EXAMPLES:,} can be learned")


def _targets(labels: Rows, intents: int) -> Floats:
    targets = np.full((len(labels), intents), -1, np.float32)
    known = np.flatnonzero(labels != FOREIGN)
    targets[known, labels[known]] = 1
    return targets


def _means(vectors: Floats, labels: Rows, intents: int) -> Floats:
    return unit(np.stack([vectors[labels == intent].sum(0) for intent in range(intents)]))


def _softmax(scores: Floats) -> Floats:
    """Chances that sum up to one, from scores of shape (intents,)."""
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), np.float32)


def _fit_sharpness(scores: Floats, labels: Rows) -> tuple[float, float]:
    """Temperature scaling (Guo et al., 2017) on held-out scores: the sharpness and the surprise that is left."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  only where something is learned: half a second
    from scipy.special import logsumexp  # noqa: PLC0415

    rows = np.arange(len(labels))

    def surprise(log_sharpness: float) -> float:
        sharp = np.exp(log_sharpness) * scores
        return float(np.mean(logsumexp(sharp, axis=1) - sharp[rows, labels]))

    found = minimize_scalar(surprise, bounds=(-1.0, 4.0), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def label_examples(rows: Sequence[tuple[str, str]], out_of_scope: str) -> Examples:
    """From (text, label) pairs; rows labelled `out_of_scope` are foreign. An intent's name in words is learned too."""
    names = tuple(sorted({label for _, label in rows if label != out_of_scope}))
    number = {name: place for place, name in enumerate(names)} | {out_of_scope: FOREIGN}
    return Examples(
        names=names,
        texts=tuple(text for text, _ in rows),
        labels=np.asarray([number[label] for _, label in rows], np.int64),
        titles=tuple(name.replace("_", " ").lower() for name in names),
    )
