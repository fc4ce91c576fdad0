"""What an estimate rests on, in sentences: assumptions, what is left out, prices that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.cost.planned import Planned
from pipeline.cost.prices import Prices
from pipeline.cost.usd import Line, Usd, money
from pipeline.settings import Deploy, Settings

_AT_MOST = (
    "an execution: every job until its max_runtime_minutes stops it; most end long before, and steps whose result is "
    "cached cost nothing. A step that is retried after a fault of the service is paid again"
)
_LEFT_OUT = (
    "not in it: S3 requests ({} for a million photos read), endpoints' disks, logs, the stack's alarms and key, VPC "
    "endpoints, traffic between regions, tax"
)


def notes(settings: Settings, jobs: Sequence[Planned], lines: Sequence[Line], prices: Prices) -> tuple[str, ...]:
    """Return the sentences that belong to an estimate's lines, those that matter most first."""
    return (
        *_unknown(settings, jobs, lines, prices),
        f"prices of {prices.region} as of {prices.date}, from {prices.source}: check them at {prices.check_at}",
        *_region(settings, prices),
        _AT_MOST,
        *_spot(jobs, prices),
        *_deployments(settings.deploy, prices),
        *_captured(settings.deploy, prices),
        _LEFT_OUT.format(money(prices.requests.million_s3_reads)),
    )


def _unknown(settings: Settings, jobs: Sequence[Planned], lines: Sequence[Line], prices: Prices) -> Iterator[str]:
    deploy = settings.deploy
    types = sorted({*(job.instance_type for job in jobs), deploy.staging_instance_type, deploy.instance_type})
    if any(line.usd is None for line in lines):
        unknown = [one for one in types if prices.hour(one) is None]
        yield f"no price is known of {', '.join(unknown)}: what runs there is in no sum"
    if derived := [one for one in types if one in prices.derived and one not in prices.hourly]:
        yield f"the price of {', '.join(derived)} is derived from others: nobody published it where we looked"


def _region(settings: Settings, prices: Prices) -> Iterator[str]:
    if settings.aws.region != prices.region:
        yield f"prices in {settings.aws.region}, the region of the settings, are others"


def _spot(jobs: Sequence[Planned], prices: Prices) -> Iterator[str]:
    if any(job.spot for job in jobs):
        most = f"{100 * prices.assumed.spot_discount:g} %"
        yield f"spot machines: 0 to {most} off is assumed, {most} at the lower end; waiting for them costs nothing"


def _deployments(deploy: Deploy, prices: Prices) -> Iterator[str]:
    hour = prices.hour(deploy.instance_type)
    if hour is None:
        return
    hours = (prices.assumed.deployment_minutes + deploy.bake_seconds / 60) / 60
    usd = Usd(hours * hour * deploy.instance_count, hours * hour * deploy.max_instance_count)
    yield (
        f"each deployment to production adds {usd}: old and new instances stand side by side while it bakes, and for "
        f"the {prices.assumed.deployment_minutes:g} min (assumed) that machines come and go"
    )


def _captured(deploy: Deploy, prices: Prices) -> Iterator[str]:
    if deploy.capture_percent:
        gb = deploy.capture_percent / 100 * prices.assumed.request_mb * 1000
        kept = money(gb * prices.gb_month.s3)
        yield (
            f"captured requests: {deploy.capture_percent} % of a million of {prices.assumed.request_mb:g} MB (assumed) "
            f"are {gb:g} GB, {kept} for each month that they are kept"
        )
