"""What the whole data set takes, calculated from rates: hours, machines and dollars of each step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.cost.prices import Prices
from pipeline.cost.usd import Usd
from pipeline.settings import Settings

PHOTOS = 535_234  # of the Amazon Bin Image Dataset
TRAINED_SHARE = 0.7  # of them, with the default shares: 15 % validate, 15 % test
VCPUS = {
    "ml.m5.xlarge": 4,
    "ml.m5.2xlarge": 8,
    "ml.m5.4xlarge": 16,
    "ml.c5.4xlarge": 16,
    "ml.c7i.xlarge": 4,
    "ml.g4dn.xlarge": 4,
    "ml.g5.xlarge": 4,
    "ml.g5.2xlarge": 8,
    "ml.g5.4xlarge": 16,
}
CORES_A_VCPU = 0.5  # AWS's vCPUs are threads, two to a core
DDP_EFFICIENCY = 0.9  # the bar of benchmarks/ddp.py, for as many hosts as there are
CPU_TYPE, CPU_INSTANCES = (
    "ml.c7i.xlarge",
    20,
)  # of the types with a price, the one that knows bf16; the most that a step takes
GPU_RATES = (400.0, 800.0, 1600.0)  # images/s of one GPU, assumed: none was measured


@dataclass(frozen=True)
class Rates:
    """Photos a second of one core, measured."""

    split: float
    load: float
    train: float


@dataclass(frozen=True)
class Row:
    """A step at full size. `hours` are those that pass; `usd` is None where no price is known."""

    step: str
    what: str
    machines: str
    hours: float
    usd: Usd | None

    def cells(self) -> tuple[str, ...]:
        """Return the texts of a row."""
        hours = f"{self.hours:.1f} h" if self.hours >= 1 else f"{60 * self.hours:.0f} min"
        return self.step, self.what, self.machines, hours, "no price known" if self.usd is None else str(self.usd)


def cores(instance_type: str) -> float:
    """Return what an instance counts for in cores of the machine that rates were measured on. Raises KeyError."""
    return VCPUS[instance_type] * CORES_A_VCPU


def gpu_rate(assumed: float, instance_type: str, rates: Rates) -> float:
    """Return the photos a second of a GPU instance: no more than its own cores can prepare."""
    return min(assumed, rates.load * cores(instance_type))


def rows(rates: Rates, settings: Settings, prices: Prices) -> list[Row]:
    """Return the steps of an execution over the whole data set.

    Args:
        rates: measured, of one core.
        settings: of the profile that says how many epochs, trials and machines.
        prices: per instance and hour.
    """
    split, tune, train = settings.split, settings.tune, settings.train
    trained = TRAINED_SHARE * PHOTOS
    found = [
        _row(
            "Split",
            f"{PHOTOS:,} photos",
            (split.instance_type, split.instance_count, False),
            PHOTOS / rates.split / cores(split.instance_type) / split.instance_count,
            prices,
        ),
        _row(
            "Train, on CPUs",
            f"{train.epochs} epochs of {trained:,.0f} photos",
            (CPU_TYPE, CPU_INSTANCES, train.spot),
            train.epochs * trained / (rates.train * cores(CPU_TYPE) * CPU_INSTANCES * DDP_EFFICIENCY),
            prices,
        ),
    ]
    for assumed in GPU_RATES:
        one = gpu_rate(assumed, tune.instance_type, rates)
        two = gpu_rate(assumed, train.instance_type, rates)
        rounds = -(-tune.trials // tune.parallel_trials)
        said = f"assumed {assumed:,.0f} images/s a GPU"
        fed = f"{said}, fed {two:,.0f}" if two < assumed else said
        found += [
            _row(
                "Tune, on GPUs",
                f"{tune.trials} trials of {tune.epochs} epochs, {fed}",
                (tune.instance_type, tune.parallel_trials, tune.spot),
                rounds * tune.epochs * trained / one,
                prices,
            ),
            _row(
                "Train, on GPUs",
                f"{train.epochs} epochs, {fed}",
                (train.instance_type, train.instance_count, train.spot),
                train.epochs * trained / (two * train.instance_count * DDP_EFFICIENCY),
                prices,
            ),
        ]
    return found


def _row(step: str, what: str, machines: tuple[str, int, bool], seconds: float, prices: Prices) -> Row:
    instance_type, count, spot = machines
    hours = seconds / 3600
    hour = prices.hour(instance_type)
    usd = None
    if hour is not None:
        high = hours * count * hour
        usd = Usd(high * (1 - prices.assumed.spot_discount) if spot else high, high)
    return Row(step, what, f"{count} x {instance_type}{', spot' if spot else ''}", hours, usd)


def table(found: Iterable[Row]) -> str:
    """Return the rows as Markdown."""
    lines = [("step", "what", "machines", "time", "cost"), ("---",) * 5, *(row.cells() for row in found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
