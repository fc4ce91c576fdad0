from __future__ import annotations

import pytest

from benchmarks.full_size import (
    CPU_INSTANCES,
    CPU_TYPE,
    DDP_EFFICIENCY,
    GPU_RATES,
    PHOTOS,
    TRAINED_SHARE,
    Rates,
    gpu_rate,
    rows,
    table,
)
from pipeline.cost.prices import load_prices
from pipeline.settings import load_settings

RATES = Rates(split=200.0, load=500.0, train=15.0)
PROD = load_settings("prod")
PRICES = load_prices()


def test_hours_are_photos_by_the_cores_and_dollars_by_the_machines() -> None:
    settings = load_settings("prod", {"split.instance_type": "ml.m5.xlarge", "split.instance_count": 4})
    split = rows(RATES, settings, PRICES)[0]
    assert split.hours == pytest.approx(PHOTOS / (200 * 2 * 4) / 3600)  # 4 vCPUs are 2 cores
    assert split.usd is not None
    assert split.usd.low == split.usd.high == pytest.approx(split.hours * 4 * 0.23)


def test_training_on_cpus_sees_its_share_of_the_photos_every_epoch() -> None:
    train = rows(RATES, load_settings("prod", {"train.epochs": 10, "train.spot": True}), PRICES)[1]
    assert train.hours == pytest.approx(10 * TRAINED_SHARE * PHOTOS / (15 * 2 * CPU_INSTANCES * DDP_EFFICIENCY) / 3600)
    assert train.machines == f"{CPU_INSTANCES} x {CPU_TYPE}, spot"
    assert train.usd is not None
    assert train.usd.low == pytest.approx(0.3 * train.usd.high)


def test_twice_the_rates_take_half_the_time() -> None:
    twice = Rates(split=400.0, load=1000.0, train=30.0)
    for slow, fast in list(zip(rows(RATES, PROD, PRICES), rows(twice, PROD, PRICES), strict=True))[:2]:
        assert fast.hours == pytest.approx(slow.hours / 2)


def test_a_gpu_is_fed_by_the_cores_of_its_instance() -> None:
    assert gpu_rate(1600, "ml.g5.2xlarge", RATES) == 1600  # 4 cores prepare 2,000
    assert gpu_rate(1600, "ml.g5.xlarge", RATES) == 1000
    starved = rows(Rates(200, 100, 15), PROD, PRICES)
    assert "assumed 1,600 images/s a GPU, fed 400" in table(starved)


def test_trials_run_in_rounds() -> None:
    settings = load_settings("prod", {"tune.trials": 5, "tune.parallel_trials": 4})
    more = load_settings("prod", {"tune.trials": 8, "tune.parallel_trials": 4})
    assert rows(RATES, settings, PRICES)[2].hours == rows(RATES, more, PRICES)[2].hours


def test_every_assumed_rate_is_said_to_be_one() -> None:
    on_gpus = [row for row in rows(RATES, PROD, PRICES) if "GPU" in row.step]
    assert len(on_gpus) == 2 * len(GPU_RATES)
    assert all("assumed" in row.what for row in on_gpus)


def test_a_type_without_a_price_has_no_cost() -> None:
    prices = PRICES.model_copy(update={"hourly": {}, "derived": {}})
    assert "no price known" in table(rows(RATES, PROD, prices))
