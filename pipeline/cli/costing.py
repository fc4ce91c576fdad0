"""`cost`: what an execution can cost, and what it did cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import ExecutionArgument, JsonOption, SetOption, Target, TargetOption, pairs
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.cost.bill import Bill
    from pipeline.cost.estimate import Estimate
    from pipeline.settings import Settings

HEAD = ("for", "part", "USD", "made up of")


def cost(
    execution: ExecutionArgument = None,
    *,
    profile: Annotated[
        str | None, typer.Option("--profile", "-P", help="Estimate an execution of this profile before it is started.")
    ] = None,
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="A parameter of the estimated execution, as TrainingInstanceCount=4; may be repeated.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    set_: SetOption = [],  # noqa: B006
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Say what an execution cost, or estimate what one can cost.

    Of an execution: the seconds that its jobs are billed for, at the price of their machines, and what its endpoints
    take now; on this machine nothing costs anything. With `--profile`: what an execution on AWS costs at most, before
    it is started, and what its endpoints take each month; with `--target aws` also what the last one cost.
    """
    if profile is None:
        if parameter or set_:
            raise UserError("-p and --set belong to an estimate: give its --profile too")
        from pipeline.cli.billing import show_bill

        show_bill(execution, target, json=json)
        return
    if execution is not None:
        raise UserError("an execution and a --profile at once: give the one that was started, or what to estimate")
    _show_estimate(profile, pairs(set_, "--set"), pairs(parameter, "-p"), target, json=json)


def _show_estimate(
    profile: str, overrides: dict[str, str], parameters: dict[str, str], target: Target, *, json: bool
) -> None:
    from pipeline.cli.lookup import open_session
    from pipeline.cost.estimate import estimate
    from pipeline.settings import load_settings

    session = open_session(target)
    # An estimate comes before everything, the installation too: of it the region alone matters.
    region = {"aws.region": session.region_name} if target is Target.AWS and session.region_name else {}
    settings = load_settings(profile, {**region, **overrides})
    _require_known(settings, parameters)
    estimated = estimate(settings, parameters)
    # What executions here took says nothing about machines there.
    last = _last_time(session, settings.pipeline_name) if target is Target.AWS else None
    if json:
        typer.echo(_as_json(estimated, settings, last))
        return
    from pipeline.cli.tables import print_table

    print_table(HEAD, _rows(estimated, last), "")
    for note in (*estimated.notes, *_limit(estimated, settings)):
        typer.echo(f"- {note}", err=True)


def _require_known(settings: Settings, parameters: dict[str, str]) -> None:
    """Refuse a parameter that the pipeline has not. Compiling takes seconds: those about machines are known without."""
    from pipeline.cost.planned import PRICED

    if set(parameters) <= {name for names in PRICED.values() for name in names}:
        return
    from pipeline.cli.sources import declared, source

    declared(source(settings, None).definition, parameters)


def _last_time(session: boto3.Session, pipeline: str) -> tuple[str, Bill] | None:
    """Return the id and the bill of the pipeline's latest execution that succeeded, where there is one."""
    from pipeline.aws.executions import executions
    from pipeline.aws.inspection import pipelines
    from pipeline.cli.billing import billed

    if pipeline not in pipelines(session, pipeline):
        return None
    succeeded = (one for one in executions(session, pipeline, limit=100) if one.status == "Succeeded")
    latest = next(succeeded, None)
    return None if latest is None else (latest.id, billed(session, latest.arn)[1])


def _rows(estimated: Estimate, last: tuple[str, Bill] | None) -> list[tuple[str, str, str, str]]:
    from pipeline.cost.usd import Line, money

    def row(group: str, line: Line) -> tuple[str, str, str, str]:
        return group, line.name, "unknown" if line.usd is None else str(line.usd), line.what

    rows = [row("execution", line) for line in estimated.lines]
    rows.append(row("execution", Line("sum", "where every job runs into its limit", estimated.usd)))
    rows += [row("month", line) for line in estimated.monthly]
    rows.append(row("month", Line("sum", "", estimated.monthly_usd)))
    if last is not None:
        identity, bill = last
        cached = f", with the cached results of {', '.join(bill.cached)}" if bill.cached else ""
        rows.append(("last time", identity, money(bill.usd), f"what its jobs were billed for{cached}"))
    return rows


def _limit(estimated: Estimate, settings: Settings) -> list[str]:
    from pipeline.cost.estimate import exceeds
    from pipeline.cost.usd import money

    if not exceeds(estimated, settings):
        return []
    return [
        f"`run --target aws` asks first: above {money(settings.cost.ask_above_usd)} (cost.ask_above_usd) or unknown"
    ]


def _as_json(estimated: Estimate, settings: Settings, last: tuple[str, Bill] | None) -> str:
    import json
    from dataclasses import asdict

    from pipeline.cost.estimate import exceeds
    from pipeline.cost.prices import load_prices

    prices = load_prices()
    told = {
        "profile": settings.profile,
        "execution": {"usd": asdict(estimated.usd), "lines": [asdict(line) for line in estimated.lines]},
        "month": {"usd": asdict(estimated.monthly_usd), "lines": [asdict(line) for line in estimated.monthly]},
        "unpriced": estimated.unpriced,
        "asks": exceeds(estimated, settings),
        "prices": {"region": prices.region, "date": prices.date.isoformat()},
        "notes": estimated.notes,
        "last_time": None if last is None else {"execution": last[0], "usd": last[1].usd, "cached": last[1].cached},
    }
    return json.dumps(told, indent=2)
