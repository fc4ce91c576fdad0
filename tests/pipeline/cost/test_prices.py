import datetime

import pytest
from pydantic import ValidationError

from pipeline.cost.prices import Prices, load_prices
from pipeline.settings import PROFILES, load_settings


def test_the_table_says_where_and_when_it_is_from() -> None:
    prices = load_prices()
    assert prices.region == "us-east-1"
    assert prices.date >= datetime.date(2026, 11, 26)
    assert prices.source
    assert prices.check_at.startswith("https://aws.amazon.com/")


def test_a_price_is_known_derived_or_none() -> None:
    prices = load_prices()
    assert prices.hour("ml.m5.large") == 0.115
    assert prices.hour("ml.c7i.xlarge") == prices.derived["ml.c7i.xlarge"]
    assert prices.hour("ml.p6-b200.48xlarge") is None
    assert not set(prices.derived) & set(prices.hourly)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_machine_of_every_profile_has_a_price(profile: str) -> None:
    settings = load_settings(profile)
    jobs = (settings.split, settings.tune, settings.train, settings.evaluate)
    types = {*(job.instance_type for job in jobs), settings.deploy.instance_type, settings.deploy.staging_instance_type}
    assert types <= set(load_prices().hourly)


def test_a_table_with_a_negative_price_is_refused() -> None:
    table = load_prices().model_dump()
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Prices.model_validate(table | {"hourly": {"ml.m5.large": -1}})
