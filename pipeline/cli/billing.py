"""The bill of an execution, and what its endpoints take while they serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.options import Target

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Execution
    from pipeline.aws.usage import Serving
    from pipeline.cost.bill import Bill

HEAD = ("step", "state", "jobs", "machines", "billed", "USD")
_LOCAL = "it ran on this machine and cost nothing"


def show_bill(wanted: str | None, target: Target, *, json: bool) -> None:
    """Print the bill of the execution that `wanted` means; the latest where it is None. Raises UserError."""
    from pipeline.cli.lookup import find_execution, open_session

    session = open_session(target)
    execution, bill = billed(session, find_execution(session, target, wanted))
    paid = target is Target.AWS
    serving = _serving(session, execution) if paid else []
    if json:
        typer.echo(_as_json(execution, bill, serving, paid=paid))
        return
    from pipeline.cli.tables import print_table

    print_table(HEAD, _rows(bill, paid=paid), "no step of it has a job that is paid for")
    if serving:
        print_table(("endpoint", "machines", "an hour", "a month"), map(_serving_row, serving), "")
    for note in _notes(execution, bill, session.region_name) if paid else [_local(execution)]:
        typer.echo(f"- {note}", err=True)


def billed(session: boto3.Session, arn: str) -> tuple[Execution, Bill]:
    """Return an execution and its bill as it is now. Raises UserError."""
    from pipeline.aws.executions import describe
    from pipeline.aws.usage import usages
    from pipeline.cost.bill import bill

    execution = describe(session, arn)
    return execution, bill(execution, usages(session, execution, datetime.now(UTC)))


def _serving(session: boto3.Session, execution: Execution) -> list[Serving]:
    """Return the machines of the endpoints that versions of this pipeline have."""
    from pipeline.aws.usage import serving
    from pipeline.cli.endpoint_lookup import endpoints_of

    return serving(
        session, [one.name for one in endpoints_of(session, Target.AWS, None) if one.group == execution.pipeline]
    )


def _rows(bill: Bill, *, paid: bool) -> Iterator[tuple[str, ...]]:
    from pipeline.cli.rows import clock
    from pipeline.cost.usd import money

    for one in bill.steps:
        usd = "unknown" if one.usd is None else money(one.usd)
        yield one.step, one.state, str(one.jobs), ", ".join(one.machines), clock(one.seconds), usd if paid else money(0)
    if bill.steps:
        yield "sum", "so far" if bill.running else "", "", "", clock(bill.seconds), money(bill.usd if paid else 0)


def _serving_row(one: Serving) -> tuple[str, str, str, str]:
    from pipeline.cost.usd import money

    hour, month = _hourly(one)
    told = ("unknown", "unknown") if hour is None or month is None else (money(hour), money(month))
    return one.endpoint, f"{one.instances} {one.instance_type or 'serverless'}", *told


def _hourly(one: Serving) -> tuple[float, float] | tuple[None, None]:
    """Return what an endpoint takes an hour and a month, USD, as long as it has the machines of now."""
    from pipeline.cost.prices import HOURS_A_MONTH, load_prices

    price = load_prices().hour(one.instance_type)
    return (None, None) if price is None else (one.instances * price, one.instances * price * HOURS_A_MONTH)


def _local(execution: Execution) -> str:
    from pipeline.cli.lookup import PROJECT_PREFIX
    from pipeline.settings import PROFILES

    profile = execution.pipeline.removeprefix(PROJECT_PREFIX)
    return f"{_LOCAL}; `bincount cost --profile {profile}` estimates it on AWS" if profile in PROFILES else _LOCAL


def _notes(execution: Execution, bill: Bill, region: str | None) -> Iterator[str]:
    from pipeline.cost.prices import load_prices
    from pipeline.cost.usd import money

    prices = load_prices()
    if bill.unpriced:
        yield f"no price is known of the machines of {', '.join(bill.unpriced)}: they are not in the sum"
    if bill.saved_usd:
        share = 100 * bill.saved_usd / (bill.usd + bill.saved_usd)
        yield f"spot machines saved {money(bill.saved_usd)}, {share:.0f} %"
    if bill.cached:
        yield f"cached, which costs nothing: {', '.join(bill.cached)}"
    if bill.retried:
        yield f"tried more than once, of which the last time is counted: {', '.join(bill.retried)}"
    if not execution.done:
        yield "it still runs: what it took so far"
    yield f"prices of {prices.region} as of {prices.date}: check them at {prices.check_at}"
    if region != prices.region:
        yield f"prices in {region}, where it ran, are others"
    yield "not in it: functions, S3, logs, images, endpoints' disks, tax"


def _as_json(execution: Execution, bill: Bill, serving: list[Serving], *, paid: bool) -> str:
    import json

    from pipeline.cost.prices import load_prices

    prices = load_prices()
    steps: list[dict[str, Any]] = [asdict(one) for one in bill.steps]
    if not paid:  # this machine's seconds are nobody's dollars
        steps = [one | {"usd": 0.0, "saved_usd": 0.0} for one in steps]
    told = {
        "id": execution.id,
        "pipeline": execution.pipeline,
        "status": execution.status,
        "usd": bill.usd if paid else 0.0,
        "saved_usd": bill.saved_usd if paid else 0.0,
        "seconds": bill.seconds,
        "steps": steps,
        "unpriced": bill.unpriced if paid else [],
        "retried": bill.retried,
        "prices": {"region": prices.region, "date": prices.date.isoformat()} if paid else None,
        "endpoints": [
            asdict(one) | dict(zip(("usd_an_hour", "usd_a_month"), _hourly(one), strict=True)) for one in serving
        ],
    }
    return json.dumps(told, indent=2)
