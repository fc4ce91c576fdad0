from __future__ import annotations

import json
from typing import Any

from pipeline.aws.launching.models import Need
from pipeline.aws.launching.needs import needs


def get(name: str) -> dict[str, str]:
    return {"Get": f"Parameters.{name}"}


def step(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"Name": kind, "Type": kind, "Arguments": arguments}


def cluster(instance_type: Any, count: Any) -> dict[str, Any]:
    return {"InstanceType": instance_type, "InstanceCount": count}


def definition(*steps: dict[str, Any], **defaults: Any) -> str:
    declared = [{"Name": name, "Type": "String", "DefaultValue": value} for name, value in defaults.items()]
    return json.dumps({"Parameters": declared, "Steps": steps})


def test_the_most_of_any_one_step_counts() -> None:
    text = definition(
        step("Processing", ProcessingResources={"ClusterConfig": cluster("ml.m5.xlarge", 4)}),
        step("Processing", ProcessingResources={"ClusterConfig": cluster("ml.m5.xlarge", 1)}),
        step("Training", ResourceConfig=cluster(get("Type"), get("Count"))),
        Type="ml.c5.xlarge",
        Count=1,
    )
    processing = Need("processing", "ml.m5.xlarge", 4)
    assert needs(text, {}) == (processing, Need("training", "ml.c5.xlarge", 1))
    given = needs(text, {"Type": "ml.g5.xlarge", "Count": "2"})
    assert given == (processing, Need("training", "ml.g5.xlarge", 2))


def test_trials_that_run_side_by_side_are_multiplied() -> None:
    job = {"ResourceConfig": cluster("ml.g5.xlarge", 2), "EnableManagedSpotTraining": True}
    limits = {"ResourceLimits": {"MaxParallelTrainingJobs": 4}}
    tune = step("Tuning", HyperParameterTuningJobConfig=limits, TrainingJobDefinition=job)
    assert needs(definition(tune), {}) == (Need("spot training", "ml.g5.xlarge", 8),)


def test_branches_count_and_what_only_a_step_says_does_not() -> None:
    inner = step("Training", ResourceConfig=cluster("ml.p4d.24xlarge", 1))
    unknown = step("Training", ResourceConfig=cluster({"Get": "Steps.A.Type"}, 1))
    condition = step("Condition", Conditions=[], IfSteps=[inner], ElseSteps=[unknown])
    assert needs(definition(condition, step("Fail", ErrorMessage="x")), {}) == (Need("training", "ml.p4d.24xlarge", 1),)


def test_quotas_are_called_as_service_quotas_has_them() -> None:
    assert Need("training", "ml.m5.xlarge", 1).quota == "ml.m5.xlarge for training job usage"
    assert Need("spot training", "ml.m5.xlarge", 1).quota == "ml.m5.xlarge for spot training job usage"
    assert Need("processing", "ml.m5.xlarge", 1).quota == "ml.m5.xlarge for processing job usage"
    assert Need("endpoint", "ml.m5.large", 1).quota == "ml.m5.large for endpoint usage"
