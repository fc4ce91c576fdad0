"""The search for hyperparameters: SageMaker's ranges and strategies, answered by Optuna."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.local.failures import StepError

if TYPE_CHECKING:
    import optuna

# Scaling type Auto goes to the logarithm where a positive range spans this factor.
_AUTO_LOG = 100.0
_STARTUP = 10  # random trials before TPE begins, fewer where there are few trials in all


class Search:
    """Proposes hyperparameters, as the strings that a training job gets, and learns from results. Thread-safe."""

    def __init__(self, config: Mapping[str, Any], ranges: Mapping[str, Any], trials: int, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._ranges = _parse(ranges)
        self._lock = threading.Lock()
        strategy = config["Strategy"]
        self._grid: list[dict[str, str]] | None = _grid(ranges) if strategy == "Grid" else None
        maximize = config["HyperParameterTuningJobObjective"]["Type"] == "Maximize"
        self._study = optuna.create_study(
            direction="maximize" if maximize else "minimize", sampler=_sampler(strategy, trials, seed)
        )

    @property
    def size(self) -> int | None:
        """How many trials there can be, or None where there is no end."""
        return None if self._grid is None else len(self._grid)

    def restore(self, tuned: Mapping[str, str], value: float | None) -> None:
        """Tell the search of a trial of an earlier run; without a value it failed."""
        import optuna

        with self._lock:
            if self._grid is not None:
                self._grid.remove(dict(tuned))
            state = optuna.trial.TrialState
            self._study.add_trial(
                optuna.trial.create_trial(
                    params={name: range.read(tuned[name]) for name, range in self._ranges.items()},
                    distributions={name: range.distribution for name, range in self._ranges.items()},
                    value=value,
                    state=state.FAIL if value is None else state.COMPLETE,
                )
            )

    def again(self, tuned: Mapping[str, str]) -> None:
        """Propose these hyperparameters next: their trial did not finish."""
        with self._lock:
            if self._grid is not None:
                self._grid.remove(dict(tuned))
                self._grid.insert(0, dict(tuned))
            else:
                self._study.enqueue_trial({name: range.read(tuned[name]) for name, range in self._ranges.items()})

    def ask(self) -> tuple[optuna.Trial, dict[str, str]]:
        """Return a trial and its hyperparameters."""
        with self._lock:
            if self._grid:
                point = self._grid.pop(0)
                self._study.enqueue_trial({name: range.read(point[name]) for name, range in self._ranges.items()})
            trial = self._study.ask({name: range.distribution for name, range in self._ranges.items()})
            return trial, {name: range.write(trial.params[name]) for name, range in self._ranges.items()}

    def tell(self, trial: optuna.Trial, value: float | None) -> None:
        """Report a trial's objective; None where it failed."""
        import optuna

        with self._lock:
            self._study.tell(trial, value, state=optuna.trial.TrialState.FAIL if value is None else None)


class _Range:
    """One hyperparameter's range: Optuna's distribution, and its values from and to text."""

    def __init__(
        self,
        distribution: optuna.distributions.BaseDistribution,
        read: Callable[[str], Any],
        write: Callable[[Any], str] = str,
    ) -> None:
        self.distribution = distribution
        self.read = read
        self.write = write


def _parse(ranges: Mapping[str, Any]) -> dict[str, _Range]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    parsed: dict[str, _Range] = {}
    for body in ranges.get("ContinuousParameterRanges", []):
        low, high = float(body["MinValue"]), float(body["MaxValue"])
        parsed[body["Name"]] = _Range(FloatDistribution(low, high, log=_log(body, low, high)), float, repr)
    for body in ranges.get("IntegerParameterRanges", []):
        first, last = int(body["MinValue"]), int(body["MaxValue"])
        parsed[body["Name"]] = _Range(IntDistribution(first, last, log=_log(body, first, last)), int)
    for body in ranges.get("CategoricalParameterRanges", []):
        parsed[body["Name"]] = _Range(CategoricalDistribution(body["Values"]), str)
    if not parsed:
        raise StepError("ClientError: the tuning job has no parameter range")
    return parsed


def _log(body: Mapping[str, Any], low: float, high: float) -> bool:
    scaling = body.get("ScalingType", "Auto")
    if scaling == "ReverseLogarithmic":
        raise StepError(f"ClientError: {body['Name']}: ReverseLogarithmic scaling does not run on this machine")
    if low > high or (scaling == "Logarithmic" and low <= 0):
        raise StepError(
            f"ClientError: {body['Name']}: the range {low} to {high} cannot be searched with {scaling} scaling"
        )
    return scaling == "Logarithmic" or (scaling == "Auto" and low > 0 and high / low >= _AUTO_LOG)


def _grid(ranges: Mapping[str, Any]) -> list[dict[str, str]]:
    if ranges.get("ContinuousParameterRanges") or ranges.get("IntegerParameterRanges"):
        raise StepError("ClientError: the Grid strategy takes categorical ranges only")
    categories = ranges.get("CategoricalParameterRanges", [])
    names = [body["Name"] for body in categories]
    points = itertools.product(*(body["Values"] for body in categories))
    return [dict(zip(names, point, strict=True)) for point in points]


def _sampler(strategy: str, trials: int, seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    if strategy == "Bayesian":
        # With its usual ten random trials TPE would never begin in a search of ten.
        startup = min(_STARTUP, max(2, trials // 3))
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)
    if strategy in {"Random", "Grid"}:
        return optuna.samplers.RandomSampler(seed=seed)
    raise StepError(f"ClientError: the {strategy} strategy does not run on this machine: use Bayesian, Random or Grid")
