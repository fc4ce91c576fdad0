import pytest

from pipeline.cost.monthly import fleet, monthly
from pipeline.cost.prices import load_prices
from pipeline.settings import Deploy


def test_one_instance_all_month() -> None:
    line = fleet("staging", "ml.m5.large", 1, 1, load_prices())
    assert line.what == "1 ml.m5.large x 730 h x $0.115"
    assert line.usd is not None
    assert line.usd.low == line.usd.high == pytest.approx(83.95)


def test_autoscaling_is_a_span() -> None:
    line = monthly(Deploy(instance_type="ml.c5.xlarge", instance_count=2, max_instance_count=4), load_prices())[1]
    assert line.what.startswith("2 to 4 ml.c5.xlarge")
    assert line.usd is not None
    assert (line.usd.low, line.usd.high) == pytest.approx((297.84, 595.68))


def test_a_fleet_without_a_price_has_no_dollars() -> None:
    line = fleet("production", "ml.x9.large", 1, 2, load_prices())
    assert (line.usd, line.what) == (None, "1 to 2 ml.x9.large: no price is known")
