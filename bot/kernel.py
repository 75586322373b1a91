"""Least squares on a kernel: how alike two messages are, by meaning and by words, and what follows for the intents.

A least-squares support vector machine (Suykens and Vandewalle, 1999). It is chosen over the usual one because the score
of a message *had it not been an example* follows exactly from the same inverse (`Solution.without`), so that confidence
and scope are calibrated on every example without a second fit. Figures: docs/decisions/0020-intents.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.ngrams import BUCKETS, Floats, Grams, TextGrams

SHARPNESS = 1.0
"""Of the similarity by meaning, exp(-sharpness * squared distance)."""
RIDGE = 0.3
"""How far an example's own label is doubted; both from clinc150 and banking77 training folds."""
_BLOCK = 1024

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The inverse of the kernel matrix, the targets and the coefficients, shapes (n, n), (n, intents), (n, intents)."""

    inverse: Floats
    targets: Floats
    coefficients: Floats

    def without(self, group: Rows) -> Floats:
        """Scores of the group's first row, shape (intents,), as if the whole group had not been learned."""
        first: Floats = self.without_all(group)[0]
        return first

    def without_all(self, group: Rows) -> Floats:
        """Scores of every row of one group as if the whole group had not been learned."""
        inner = self.inverse[np.ix_(group, group)]
        solved: Floats = self.targets[group] - np.linalg.solve(inner, self.coefficients[group])
        return solved


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """What similarity is made of: unit vectors (n, 384), rows of words and their parts (n, buckets), and how these count."""

    vectors: Floats
    grams: Grams
    words_weight: float

    def similarity(self, vector: Floats, gram: TextGrams) -> Floats:
        """Of one message with every example, shape (n,)."""
        alike: Floats = np.exp(2 * SHARPNESS * (self.vectors @ vector - 1)) + self.words_weight * self.grams.times(gram)
        return alike

    def solve(self, targets: Floats) -> Solution:
        """Fit; needs 4 n² bytes and about n³ / 3e10 seconds on one core."""
        from scipy import sparse  # noqa: PLC0415  only where something is learned: half a second

        matrix = self.vectors @ self.vectors.T
        np.exp(2 * SHARPNESS * (matrix - 1), out=matrix)
        held = self.grams
        grams = sparse.csr_matrix((held.values, held.columns, held.ends), shape=(len(matrix), 2 * BUCKETS))
        columns = grams.T.tocsr()
        for start in range(0, len(matrix), _BLOCK):
            matrix[start : start + _BLOCK] += self.words_weight * (grams[start : start + _BLOCK] @ columns).toarray()
        matrix[np.diag_indices_from(matrix)] += RIDGE
        inverse = _invert(matrix)
        return Solution(inverse=inverse, targets=targets, coefficients=inverse @ targets)


def _invert(kernel: Floats) -> Floats:
    """Of a positive definite matrix, in place."""
    from scipy.linalg import lapack  # noqa: PLC0415  only where something is learned

    factor, failed = lapack.spotrf(kernel.T, lower=0, overwrite_a=1)
    half, also_failed = lapack.spotri(factor, lower=0, overwrite_c=1)
    if failed or also_failed:
        raise ValueError("the examples' kernel matrix is not positive definite")
    full: Floats = half.T
    for start in range(0, len(full), _BLOCK):
        rows = slice(start, start + _BLOCK)
        full[:start, rows] = full[rows, :start].T
        corner = full[rows, rows]
        full[rows, rows] = np.tril(corner) + np.tril(corner, -1).T
    return full
