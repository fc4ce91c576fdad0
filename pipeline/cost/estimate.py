"""What an execution can cost, before it is started: at most, since nobody knows how long its jobs will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.cost.monthly import monthly
from pipeline.cost.notes import notes
from pipeline.cost.planned import Planned, planned
from pipeline.cost.prices import HOURS_A_MONTH, Prices, load_prices
from pipeline.cost.usd import Line, Usd, money, total
from pipeline.settings import Settings


@dataclass(frozen=True)
class Estimate:
    """Lines of dollars, for an execution and for each month after it, and what they rest on."""

    lines: tuple[Line, ...]
    """Of one execution: steps that run on machines, their disks, the functions that they call."""
    monthly: tuple[Line, ...]
    """Of a month: the endpoints of staging and production, and what is kept."""
    notes: tuple[str, ...]

    @property
    def usd(self) -> Usd:
        """An execution, as far as prices are known. `high` is what it costs at most, on demand."""
        return total(self.lines)

    @property
    def monthly_usd(self) -> Usd:
        """A month, as far as prices are known: with the fewest instances, and with the most."""
        return total(self.monthly)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The lines of the execution that no price is known for."""
        return tuple(line.name for line in self.lines if line.usd is None)

    @property
    def summary(self) -> str:
        """The execution in one line, to be shown before a question."""
        unknown = f", and {' and '.join(self.unpriced)}, which nobody here has a price for" if self.unpriced else ""
        return f"at most {money(self.usd.high)}{unknown}; then {self.monthly_usd} a month while its endpoints serve"


def estimate(settings: Settings, parameters: Mapping[str, str], prices: Prices | None = None) -> Estimate:
    """Return what an execution can cost, and what its endpoints do each month.

    Args:
        settings: of the definition.
        parameters: what the execution is started with, by the pipeline's names (`TrainingInstanceCount`).
        prices: the table; the project's own unless given.

    Raises:
        UserError: a parameter that counts machines is no whole number of 1 or more.
    """
    table = prices or load_prices()
    jobs = planned(settings, parameters)
    lines = (*(_job(job, table) for job in jobs), _disks(jobs, table), _deployment(settings, table), _functions(table))
    month = monthly(settings.deploy, table)
    return Estimate(lines, month, notes(settings, jobs, (*lines, *month), table))


def exceeds(estimated: Estimate, settings: Settings) -> bool:
    """Say whether somebody should be asked first: it may cost more than `cost.ask_above_usd`, or nobody knows."""
    return bool(estimated.unpriced) or estimated.usd.high > settings.cost.ask_above_usd


def _job(job: Planned, prices: Prices) -> Line:
    hour = prices.hour(job.instance_type)
    jobs = "" if job.jobs == 1 else f"{job.jobs} jobs x "
    what = f"{jobs}{job.instances} {job.instance_type} x {_hours(job.hours)}{' on spot machines' if job.spot else ''}"
    if hour is None:
        return Line(job.step, f"{what}: no price is known", None)
    high = job.machine_hours * hour
    low = high * (1 - prices.assumed.spot_discount) if job.spot else high
    return Line(job.step, f"{what} x ${hour:g}", Usd(low, high))


def _disks(jobs: Iterable[Planned], prices: Prices) -> Line:
    """EBS volumes, for as long as the jobs that they belong to: machines with a disk inside have none."""
    gb_months = sum(job.disk_gb * job.machine_hours / HOURS_A_MONTH for job in jobs)
    usd = gb_months * prices.gb_month.job_disk
    return Line("disks", f"{gb_months:.3g} GB-months x ${prices.gb_month.job_disk:g}", Usd(usd, usd))


def _deployment(settings: Settings, prices: Prices) -> Line:
    """The second fleet of staging, which is there while the new version starts."""
    instance_type, minutes = settings.deploy.staging_instance_type, prices.assumed.deployment_minutes
    hour = prices.hour(instance_type)
    what = f"staging's second {instance_type} x {minutes:g} min (assumed)"
    if hour is None:
        return Line("Deploy", f"{what}: no price is known", None)
    return Line("Deploy", f"{what} x ${hour:g}", Usd(0.0, minutes / 60 * hour))


def _functions(prices: Prices) -> Line:
    assumed, price = prices.assumed, prices.functions
    seconds = assumed.function_calls * assumed.function_seconds
    usd = seconds * assumed.function_gb * price.gb_second + assumed.function_calls / 1e6 * price.million_calls
    what = f"{assumed.function_calls:g} calls x {assumed.function_seconds:g} s x {assumed.function_gb:g} GB (assumed)"
    return Line("functions", what, Usd(0.0, usd))


def _hours(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{60 * hours:g} min"
