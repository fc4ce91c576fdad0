from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from steps.evaluate.calibration import LIMIT, calibration_check
from steps.evaluate.tally import calibration, expected_calibration_error, tally_groups


def checked(photos: int, shift: float) -> tuple[dict[str, Any], float]:
    """Check answers of two classes whose confidence is too high by `shift`; and return their error."""
    random = np.random.default_rng(1)
    confidence = random.uniform(0.55, 0.95, photos)
    true = (random.random(photos) >= confidence - shift).astype(np.int64)
    tally = tally_groups(true, np.stack([confidence, 1 - confidence], axis=1), np.arange(photos), 0.5).sum(axis=0)
    return calibration_check(confidence, tally, 0), expected_calibration_error(calibration(tally))


def test_a_perfect_confidence_is_off_by_what_chance_explains() -> None:
    found, error = checked(1000, 0.0)
    chance = found["by_chance"]
    assert 0.01 < chance["mean"] < error * 2
    assert error < chance["upper"]


def test_chance_explains_less_of_more_photos() -> None:
    few, many = checked(400, 0.0)[0], checked(6400, 0.0)[0]
    assert few["by_chance"]["mean"] == pytest.approx(4 * many["by_chance"]["mean"], rel=0.15)


@pytest.mark.parametrize(("shift", "held"), [(0.0, True), (0.1, False)])
def test_the_limit_is_held_or_not(shift: float, held: bool) -> None:
    found, error = checked(5000, shift)
    assert found["held"] is held
    assert (error <= LIMIT) is held
    assert found["by_chance"]["upper"] < LIMIT
