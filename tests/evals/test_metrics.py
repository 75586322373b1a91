import math

import pytest

from evals.metrics import auroc, mean, share


def test_a_share_has_wilsons_interval() -> None:
    figure = share([True] * 8 + [False] * 2)
    assert figure is not None
    assert (figure.value, figure.n) == (0.8, 10)
    assert (figure.low, figure.high) == (pytest.approx(0.4902, abs=1e-3), pytest.approx(0.9433, abs=1e-3))


def test_an_interval_stays_within_0_and_1() -> None:
    all_hit, none_hit = share([True] * 5), share([False] * 5)
    assert all_hit is not None
    assert none_hit is not None
    assert all_hit.high == 1.0 > all_hit.low
    assert none_hit.low == pytest.approx(0)
    assert none_hit.high < 0.5


def test_a_mean_has_the_same_interval_every_time() -> None:
    values = [1.0, 0.5, 0.0, 0.25, 1.0, 1.0]
    figure = mean(values)
    assert figure == mean(values)
    assert figure is not None
    assert figure.value == pytest.approx(0.625)
    assert figure.low < 0.625 < figure.high


@pytest.mark.parametrize(
    ("scores", "labels", "area"),
    [
        ([0.9, 0.8, 0.2, 0.1], [True, True, False, False], 1.0),
        ([0.1, 0.2, 0.8, 0.9], [True, True, False, False], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [True, False, True, False], 0.5),
        ([0.9, 0.4, 0.6, 0.1], [True, True, False, False], 0.75),
    ],
)
def test_the_auroc_counts_right_pairs_and_half_of_the_ties(scores: list[float], labels: list[bool], area: float) -> None:
    figure = auroc(scores, labels)
    assert figure is not None
    assert figure.value == pytest.approx(area)
    assert not math.isnan(figure.low)


def test_nothing_to_measure_gives_no_figure() -> None:
    assert share([]) is None
    assert mean([]) is None
    assert auroc([0.1, 0.2], [True, True]) is None
