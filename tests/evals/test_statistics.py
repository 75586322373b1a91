"""Figures and differences: intervals that hold what they say, and tests that find what is there and nothing else."""

import numpy as np
import pytest

from evals.marks import Kind, Mark, Measure, columns
from evals.statistics import adjusted, difference, figure, mcnemar

RATE = Measure(name="rate", title="", aspect="", says="")
MEAN = Measure(name="mean", title="", aspect="", says="", kind=Kind.MEAN, unit="score")
SHARE = Measure(name="share", title="", aspect="", says="", kind=Kind.MEAN)


def rows(values, turns=2, measure="rate"):
    """Conversations of so many turns each."""
    return columns(
        Mark(measure=measure, conversation=f"c{place // turns}", turn=place % turns + 1, value=value)
        for place, value in enumerate(values)
    )


def test_a_rate_has_wilsons_interval():
    found = figure(RATE, rows([1.0] * 8 + [0.0] * 2))
    assert (found.value, found.n) == (0.8, 10)
    assert (round(found.low, 3), round(found.high, 3)) == (0.490, 0.943)  # Wilson 1927, by hand


def test_the_bootstrap_draws_conversations_and_not_turns():
    values = [1.0] * 50 + [0.0] * 50
    alone = figure(MEAN, rows(values, turns=1))
    together = figure(MEAN, rows(values, turns=10))
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_mean_at_its_ceiling_does_not_claim_to_be_certain():
    found = figure(SHARE, rows([1.0] * 20))
    assert found.value == 1
    assert found.low < 0.9


def test_no_marks_make_no_figure():
    unscored = columns([Mark(measure="rate", conversation="c", turn=1, value=None)])
    assert figure(RATE, unscored) is None
    assert unscored.unscored == 1


@pytest.mark.parametrize(("better", "worse", "p"), [(0, 0, 1.0), (0, 6, 0.03125), (1, 9, 0.021484375), (5, 5, 1.0)])
def test_mcnemar_is_the_exact_sign_test(better, worse, p):
    assert mcnemar(better, worse) == pytest.approx(p)


def test_turns_that_changed_both_ways_are_counted():
    found = difference(RATE, rows([1.0, 1, 1, 0, 0, 1]), rows([1.0, 0, 1, 1, 0, 0]))
    assert (found.better, found.worse, found.n) == (1, 2, 6)
    assert found.value == pytest.approx(-1 / 6)


def test_the_smallest_difference_needs_six_flips_at_least_and_shrinks_with_more_turns():
    few, many = (difference(RATE, rows([1.0] * n), rows([1.0] * n)) for n in (100, 1000))
    assert few.smallest * 100 > 6
    assert many.smallest < few.smallest
    assert many.needed == few.needed == 393


def test_equal_runs_differ_by_chance_no_more_often_than_they_should():
    dice = np.random.default_rng(1)
    found = 0
    for _ in range(100):
        before = dice.random(60) < 0.7
        after = np.where(dice.random(60) < 0.2, dice.random(60) < 0.7, before)
        found += difference(RATE, rows(before.astype(float)), rows(after.astype(float))).p < 0.05
    assert found <= 8


def test_a_difference_of_means_has_an_interval_around_it():
    dice = np.random.default_rng(2)
    before = dice.normal(0, 1, 200)
    found = difference(MEAN, rows(before), rows(before + dice.normal(0.5, 0.2, 200)))
    assert found.low < 0.5 < found.high
    assert found.low > 0.4
    assert found.p < 0.01


def test_many_measures_looked_at_together_need_a_smaller_p():
    assert adjusted([0.04, 0.5, 0.9, 0.7])[0] > 0.05
    assert adjusted([]) == []
