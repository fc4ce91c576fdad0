"""What an execution did cost, or has so far: the seconds that the service bills, times the price of the machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.cost.prices import HOURS_A_MONTH, Prices, load_prices
from pipeline.job_settings import has_local_disk

if TYPE_CHECKING:
    from pipeline.aws.models import Execution, Step
    from pipeline.aws.usage import Usage

_HOUR = 3600


@dataclass(frozen=True)
class Billed:
    """A step that runs on machines of its own. `usd` is None where no price is known of what it ran on."""

    step: str
    state: str
    """cached, running or ended."""
    jobs: int
    machines: tuple[str, ...]
    """As `2 ml.g5.2xlarge`, each kind once."""
    seconds: float
    """Billed, of all machines together."""
    on_demand_seconds: float
    """What they would be without spot machines."""
    usd: float | None
    saved_usd: float
    """What spot machines made it less."""


@dataclass(frozen=True)
class Bill:
    """The steps of an execution in its order."""

    steps: tuple[Billed, ...]
    retried: tuple[str, ...]
    """Steps that were tried more than once: earlier jobs of theirs are not in it."""

    @property
    def usd(self) -> float:
        """The sum, as far as prices are known."""
        return sum(one.usd for one in self.steps if one.usd is not None)

    @property
    def saved_usd(self) -> float:
        """What spot machines made it less, as far as prices are known."""
        return sum(one.saved_usd for one in self.steps)

    @property
    def seconds(self) -> float:
        """Billed seconds of all machines."""
        return sum(one.seconds for one in self.steps)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The steps that are not in the sum."""
        return tuple(one.step for one in self.steps if one.usd is None)

    @property
    def cached(self) -> tuple[str, ...]:
        """The steps whose result was taken from an earlier execution."""
        return tuple(one.step for one in self.steps if one.state == "cached")

    @property
    def running(self) -> bool:
        """Whether it is going to be more."""
        return any(one.state == "running" for one in self.steps)


def bill(execution: Execution, used: Sequence[Usage], prices: Prices | None = None) -> Bill:
    """Return the bill of an execution.

    Args:
        execution: with its steps.
        used: what `pipeline.aws.usage` says of its jobs.
        prices: the table; the project's own unless given.
    """
    table = prices or load_prices()
    by_step = [(step, [one for one in used if one.step == step.name]) for step in execution.steps]
    steps = tuple(_billed(step, own, table) for step, own in by_step if own or _cached(step))
    return Bill(steps, tuple(step.name for step, own in by_step if own and step.attempts > 1))


def _cached(step: Step) -> bool:
    return step.cached_from is not None and step.job is not None


def _billed(step: Step, used: Sequence[Usage], prices: Prices) -> Billed:
    costs = [_usd(one, one.seconds, prices) for one in used]
    known = None not in costs
    usd = sum(cost or 0.0 for cost in costs)
    on_demand = sum(_usd(one, one.on_demand_seconds, prices) or 0.0 for one in used)
    state = "cached" if _cached(step) else "running" if any(one.running for one in used) else "ended"
    return Billed(
        step=step.name,
        state=state,
        jobs=len({one.job for one in used}),
        machines=tuple(dict.fromkeys(f"{one.instances} {one.instance_type}" for one in used)),
        seconds=sum(one.instances * one.seconds for one in used),
        on_demand_seconds=sum(one.instances * one.on_demand_seconds for one in used),
        usd=usd if known else None,
        saved_usd=on_demand - usd if known else 0.0,
    )


def _usd(one: Usage, seconds: float, prices: Prices) -> float | None:
    """Return what machines and their volumes cost for some seconds of each."""
    hour = prices.hour(one.instance_type)
    if hour is None:
        return None
    disk = 0 if has_local_disk(one.instance_type) else one.disk_gb * prices.gb_month.job_disk / HOURS_A_MONTH
    return one.instances * seconds / _HOUR * (hour + disk)
