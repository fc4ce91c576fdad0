"""What goes on costing money after an execution: endpoints, and what is kept."""

from __future__ import annotations

from pipeline.cost.prices import HOURS_A_MONTH, Prices
from pipeline.cost.usd import Line, Usd
from pipeline.settings import Deploy


def monthly(deploy: Deploy, prices: Prices) -> tuple[Line, ...]:
    """Return the lines of a month: each endpoint with the fewest and the most instances, images, and objects."""
    return (
        fleet("staging", deploy.staging_instance_type, 1, 1, prices),
        fleet("production", deploy.instance_type, deploy.instance_count, deploy.max_instance_count, prices),
        _kept("images", prices.assumed.images_gb, "ECR", prices.gb_month.ecr),
        _kept("objects", prices.assumed.kept_gb, "S3", prices.gb_month.s3),
    )


def fleet(name: str, instance_type: str, fewest: int, most: int, prices: Prices) -> Line:
    """Return the line of an endpoint that is up all month on `fewest` to `most` instances."""
    hour = prices.hour(instance_type)
    count = str(fewest) if fewest == most else f"{fewest} to {most}"
    if hour is None:
        return Line(name, f"{count} {instance_type}: no price is known", None)
    month = HOURS_A_MONTH * hour
    return Line(name, f"{count} {instance_type} x {HOURS_A_MONTH} h x ${hour:g}", Usd(fewest * month, most * month))


def _kept(name: str, gb: float, where: str, price: float) -> Line:
    return Line(name, f"{gb:g} GB in {where} (assumed) x ${price:g}", Usd(gb * price, gb * price))
