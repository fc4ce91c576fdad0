from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from drift.comparison import Shift, compare, parts

LIMIT = 0.2
SAMPLES = 2000

# Shares of classes or of tenths of confidence: even, uneven, with answers that hardly ever come.
MIXES = {
    "even": [0.2] * 5,
    "bins": [0.1, 0.2, 0.25, 0.25, 0.2],
    "rare": [0.9, 0.05, 0.03, 0.015, 0.005],
    "tenths": [0.1] * 10,
    "sure": [0.97, 0.03],
}

counts = st.lists(st.integers(0, 100_000), min_size=2, max_size=12)


def drawn(photos: int, shares: list[float], seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).multinomial(photos, shares, SAMPLES)


def shifts(before: list[float], after: list[float], photos: int, answers: int) -> list[Shift]:
    pairs = zip(drawn(photos, before, 1).tolist(), drawn(answers, after, 2).tolist(), strict=True)
    return [compare(expected, seen) for expected, seen in pairs]


def alarms(before: list[float], after: list[float], photos: int, answers: int) -> float:
    return sum(shift.is_drift(LIMIT) for shift in shifts(before, after, photos, answers)) / SAMPLES


@pytest.mark.parametrize("answers", [100, 300, 1000, 10_000])
@pytest.mark.parametrize("photos", [40, 150, 1000])
@pytest.mark.parametrize("mix", MIXES)
def test_without_drift_there_is_an_alarm_in_a_few_thousand_days(mix: str, photos: int, answers: int) -> None:
    # 1 in 1,000 is asked for; 8 of 2,000 would come of that once in a thousand tries.
    assert alarms(MIXES[mix], MIXES[mix], photos, answers) <= 8 / SAMPLES


def test_three_hundred_answers_without_drift_raise_none_at_all_on_a_usual_test_set() -> None:
    for mix in MIXES.values():
        assert alarms(mix, mix, 1500, 300) == 0


@pytest.mark.parametrize(
    ("photos", "answers", "found"), [(150, 100, 0.8), (150, 300, 0.95), (1000, 100, 0.95), (1000, 1000, 0.999)]
)
def test_a_shift_that_matters_is_found(photos: int, answers: int, found: float) -> None:
    # Half of the answers say 5 where one in five did: an index of 0.44.
    assert alarms([0.1, 0.2, 0.25, 0.25, 0.2], [0.05, 0.1, 0.15, 0.2, 0.5], photos, answers) >= found


@pytest.mark.parametrize("photos", [150, 1500])
@pytest.mark.parametrize("answers", [100, 1000])
def test_the_index_is_about_right_on_average(photos: int, answers: int) -> None:
    before, after = np.array([0.1, 0.2, 0.25, 0.25, 0.2]), np.array([0.2, 0.25, 0.25, 0.2, 0.1])
    true = float(((after - before) * np.log(after / before)).sum())
    found = shifts(before.tolist(), after.tolist(), photos, answers)
    assert np.mean([shift.raw for shift in found]) > true  # what chance adds
    assert np.mean([shift.psi for shift in found]) == pytest.approx(true, abs=0.01)


@pytest.mark.parametrize("categories", [2, 5, 10])
def test_chance_is_the_quantile_of_chi_square(categories: int) -> None:
    shift = compare([50] * categories, [100] * categories)
    spread = 1 / (50 * categories) + 1 / (100 * categories)
    assert shift.chance == pytest.approx(spread * scipy.stats.chi2.ppf(0.999, categories - 1), rel=0.04)
    assert shift.psi == 0
    assert shift.raw == pytest.approx(0, abs=0.01)


def test_the_index_is_the_usual_one() -> None:
    """Against its definition, on counts so large that neither prior nor chance shows."""
    expected, seen = [200_000, 300_000, 500_000], [300_000, 300_000, 400_000]
    true = (0.3 - 0.2) * math.log(0.3 / 0.2) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert compare(expected, seen).psi == pytest.approx(true, rel=1e-3)


@given(counts, st.data())
def test_it_is_finite_symmetric_and_blind_to_order_and_empty_categories(
    expected: list[int], data: st.DataObject
) -> None:
    seen = data.draw(st.lists(st.integers(0, 100_000), min_size=len(expected), max_size=len(expected)))
    assume(sum(expected) and sum(seen))
    shift = compare(expected, seen)
    assert math.isfinite(shift.raw)
    assert shift.raw >= -1e-12
    assert 0 <= shift.psi <= max(shift.raw, 0)
    assert compare(seen, expected).raw == pytest.approx(shift.raw)
    assert compare(expected[::-1], seen[::-1]).raw == pytest.approx(shift.raw)
    assert compare([*expected, 0], [*seen, 0]) == shift


def test_one_category_never_shifts() -> None:
    assert compare([10, 0], [200, 0]) == Shift(0.0, 0.0, 0.0)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=100), st.data())
def test_parts_lose_nothing_and_are_about_tenths(expected: list[int], data: st.DataObject) -> None:
    seen = data.draw(st.lists(st.integers(0, 1000), min_size=len(expected), max_size=len(expected)))
    assume(sum(expected))
    before, after = parts(expected, seen)
    assert (sum(before), sum(after)) == (sum(expected), sum(seen))
    assert len(before) == len(after) <= 21  # ten of a tenth, and what is left between them
    tenth = sum(expected) / 10
    assert all(part < 2 * tenth or part in expected for part in before)  # two tenths and more: a bin alone


def test_a_model_that_was_always_certain_and_no_longer_is_shows() -> None:
    certain, doubting = [0] * 99 + [400], [0] * 60 + [10] * 39 + [10]
    assert parts(certain, doubting) == ([0, 400], [390, 10])
    assert compare(*parts(certain, doubting)).is_drift(LIMIT)


def test_even_bins_become_tenths() -> None:
    assert parts([10] * 100, [1] * 100) == ([100] * 10, [10] * 10)
