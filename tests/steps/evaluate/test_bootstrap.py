from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.evaluate.bootstrap import CHUNK, Estimate, replicate_sums

numbers = st.floats(-1e6, 1e6)


@given(numbers, st.lists(numbers, min_size=1, max_size=50))
def test_an_interval_holds_its_value(value: float, replicates: list[float]) -> None:
    estimate = Estimate.of(value, np.array(replicates))
    assert estimate.lower <= value <= estimate.upper
    assert np.isfinite(estimate.standard_deviation)


def test_an_interval_leaves_out_a_fortieth_at_each_end() -> None:
    estimate = Estimate.of(500.0, np.arange(1001.0))
    assert [estimate.lower, estimate.upper] == pytest.approx([25, 975])


@given(st.integers(1, 20), st.integers(1, 2 * CHUNK + 3), st.integers(0, 5))
def test_every_replicate_draws_as_many_groups_as_there_are(groups: int, samples: int, seed: int) -> None:
    tallies = np.hstack([np.ones((groups, 1)), np.eye(groups)])
    sums = replicate_sums(tallies, samples, seed)
    assert sums.shape == (samples, groups + 1)
    assert (sums[:, 0] == groups).all()
    assert (sums[:, 1:].sum(axis=1) == groups).all()


def test_the_same_seed_draws_the_same_groups() -> None:
    tallies = np.eye(30)
    assert (replicate_sums(tallies, 100, 1) == replicate_sums(tallies, 100, 1)).all()
    assert (replicate_sums(tallies, 100, 1) != replicate_sums(tallies, 100, 2)).any()


def test_the_spread_is_that_of_theory() -> None:
    # the standard error of a mean of n coin tosses is sqrt(p (1 - p) / n)
    tosses = np.repeat([[1.0], [0.0]], 200, axis=0)
    means = replicate_sums(tosses, 4000, 0)[:, 0] / 400
    assert means.std() == pytest.approx(np.sqrt(0.25 / 400), rel=0.05)


def test_repeated_photos_are_no_new_evidence() -> None:
    tosses = np.repeat([[1.0], [0.0]], 50, axis=0)
    alone = replicate_sums(tosses, 2000, 0)[:, 0] / 100
    four_times = replicate_sums(4 * tosses, 2000, 0)[:, 0] / 400  # groups of four photos of the same bin
    assert four_times.std() == pytest.approx(alone.std())
