from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.aws.models import Execution, Job, Step
from pipeline.aws.usage import Usage
from pipeline.cost.bill import bill

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/bincount-prod/execution/m08kb4bksw24"


def usage(step: str, **members: Any) -> Usage:
    known: dict[str, Any] = {"job": f"{step}-job", "instance_type": "ml.m5.xlarge", "instances": 1, "disk_gb": 0}
    known |= {"seconds": 3600.0, "running": False} | members
    return Usage(**{"step": step, "on_demand_seconds": known["seconds"], **known})


def execution(*steps: Step) -> Execution:
    return Execution(ARN, "mine", "Succeeded", NOW, NOW, None, steps)


def step(name: str, **members: Any) -> Step:
    return Step(name, "Training", "Succeeded", NOW, NOW, job=Job("training", f"{name}-job"), **members)


def test_seconds_times_instances_times_price() -> None:
    found = bill(execution(step("Train")), [usage("Train", instances=2, seconds=1800.0)])
    (train,) = found.steps
    assert train.usd == pytest.approx(0.23)
    assert (train.seconds, train.machines) == (3600, ("2 ml.m5.xlarge",))
    assert found.usd == pytest.approx(0.23)
    assert (found.running, found.unpriced, found.cached, found.retried) == (False, (), (), ())


def test_spot_machines_save_what_was_not_billed() -> None:
    used = usage("Train", instance_type="ml.g5.2xlarge", instances=2, seconds=1080.0, on_demand_seconds=3600.0)
    found = bill(execution(step("Train")), [used])
    assert found.usd == pytest.approx(0.909)  # 2 x 0.3 h x 1.515
    assert found.saved_usd == pytest.approx(2.121)


def test_trials_add_up_and_each_kind_of_machine_is_named_once() -> None:
    trials = [usage("Tune", job=f"trial-{number}") for number in range(3)]
    (tune,) = bill(execution(step("Tune")), trials).steps
    assert tune.usd == pytest.approx(0.69)
    assert (tune.jobs, tune.machines) == (3, ("1 ml.m5.xlarge",))


def test_a_volume_is_paid_as_long_as_its_machine_unless_the_disk_is_inside() -> None:
    hour = {"seconds": 3600.0, "disk_gb": 730}
    assert bill(execution(step("Train")), [usage("Train", **hour)]).usd == pytest.approx(0.23 + 0.14)
    inside = usage("Train", instance_type="ml.g5.2xlarge", **hour)
    assert bill(execution(step("Train")), [inside]).usd == pytest.approx(1.515)


def test_a_cached_step_costs_nothing_and_one_without_a_job_is_no_line() -> None:
    steps = (step("Split", cached_from="arn:old"), Step("Gate", "Condition", "Succeeded"), step("Train"))
    found = bill(execution(*steps), [usage("Train")])
    assert [(one.step, one.state, one.usd) for one in found.steps] == [
        ("Split", "cached", 0.0),
        ("Train", "ended", pytest.approx(0.23)),
    ]
    assert found.cached == ("Split",)


def test_what_runs_and_what_was_tried_again_is_marked() -> None:
    steps = (step("Split", attempts=2), step("Train", attempts=1))
    found = bill(execution(*steps), [usage("Split"), usage("Train", running=True)])
    assert [one.state for one in found.steps] == ["ended", "running"]
    assert found.running
    assert found.retried == ("Split",)


def test_a_step_on_machines_without_a_price_is_in_no_sum() -> None:
    used = [usage("Split"), usage("Train"), usage("Train", job="other", instance_type="ml.x9.large")]
    found = bill(execution(step("Split"), step("Train")), used)
    assert found.unpriced == ("Train",)
    assert found.usd == pytest.approx(0.23)


SECONDS = st.floats(0, 1e6)


@given(st.lists(st.tuples(SECONDS, SECONDS, st.integers(1, 20), st.sampled_from(["ml.m5.large", "ml.x9.large"]))))
def test_a_bill_is_never_negative_and_no_less_with_another_job(jobs: list[tuple[float, float, int, str]]) -> None:
    used = [
        usage("Train", job=str(number), seconds=min(pair), on_demand_seconds=max(pair), instances=count)
        for number, (*pair, count, _) in enumerate(jobs)
    ]
    found = bill(execution(step("Train")), used)
    fewer = bill(execution(step("Train")), used[1:])
    assert found.usd >= fewer.usd >= 0
    assert found.saved_usd >= 0
