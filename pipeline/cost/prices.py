"""The price table, `prices.toml` beside this file: what it knows, of which day and region."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.setting_types import Share, Strict

HOURS_A_MONTH = 730
"""The hours that AWS's own examples count for a month: 8,760 / 12."""

_FILE = Path(__file__).with_name("prices.toml")
Usd = Annotated[float, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]


class GbMonth(Strict):
    """Storage, USD for a GB and a month."""

    job_disk: Usd
    s3: Usd
    ecr: Usd


class Functions(Strict):
    """Lambda, USD for a GB-second and for a million calls."""

    gb_second: Usd
    million_calls: Usd


class Requests(Strict):
    """S3, USD for a million objects read."""

    million_s3_reads: Usd


class Assumed(Strict):
    """Quantities that no setting and no answer of AWS tells beforehand."""

    spot_discount: Share
    deployment_minutes: Amount
    function_calls: Amount
    function_seconds: Amount
    function_gb: Amount
    images_gb: Amount
    kept_gb: Amount
    request_mb: Amount


class Prices(Strict):
    """Prices of one region and day."""

    date: date
    region: str
    source: str
    check_at: str
    hourly: dict[str, Usd]
    derived: dict[str, Usd]
    gb_month: GbMonth
    functions: Functions
    requests: Requests
    assumed: Assumed

    def hour(self, instance_type: str) -> float | None:
        """Return what one instance costs an hour on demand, USD; None where no price is known."""
        return self.hourly.get(instance_type, self.derived.get(instance_type))


@cache
def load_prices() -> Prices:
    """Return the table."""
    return Prices.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))
