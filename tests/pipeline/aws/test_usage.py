"""Billable seconds: from the service's own answers, stubbed since moto's jobs take no time, and from local jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from pipeline.aws.executions import describe
from pipeline.aws.models import Execution, Job, Step, Trial
from pipeline.aws.usage import Serving, Usage, serving, usages
from pipeline.errors import UserError
from pipeline.local.store import Store

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:111122223333"


@pytest.fixture
def stub(kept_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client: Any = kept_session.client("sagemaker")
    monkeypatch.setattr(kept_session, "client", lambda _service: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def execution(*steps: Step) -> Execution:
    return Execution(f"{ARN}:pipeline/bincount-prod/execution/m08kb4bksw24", "", "Executing", NOW, NOW, None, steps)


def training_answer(status: str = "Completed", **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "TrainingJobArn": f"{ARN}:training-job/job",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"},
        "TrainingJobStatus": status,
        "SecondaryStatus": "Training",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 200},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "CreationTime": ago(100),
        **members,
    }


def processing_answer(**members: Any) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 4, "VolumeSizeInGB": 200}
    return {
        "ProcessingJobName": "job",
        "ProcessingJobArn": f"{ARN}:processing-job/job",
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingJobStatus": "Completed",
        "AppSpecification": {"ImageUri": "image"},
        "CreationTime": ago(100),
        **members,
    }


def train(**members: Any) -> Step:
    return Step("Train", "Training", "Succeeded", job=Job("training", "train-job"), **members)


def test_spot_training_is_billed_for_less_than_it_took(stub: Stubber, kept_session: boto3.Session) -> None:
    answer = training_answer(BillableTimeInSeconds=300, TrainingTimeInSeconds=1000)
    stub.add_response("describe_training_job", answer, {"TrainingJobName": "train-job"})
    assert usages(kept_session, execution(train()), NOW) == [
        Usage("Train", "train-job", "ml.g5.2xlarge", 2, 200, 300, 1000, running=False)
    ]


def test_a_running_job_is_counted_until_now(stub: Stubber, kept_session: boto3.Session) -> None:
    split = Step("Split", "Processing", "Succeeded", job=Job("processing", "split-job"))
    times = {"ProcessingStartTime": ago(50), "ProcessingEndTime": ago(40)}
    stub.add_response("describe_processing_job", processing_answer(**times), {"ProcessingJobName": "split-job"})
    stub.add_response("describe_training_job", training_answer("InProgress", TrainingStartTime=ago(30)))
    found = usages(kept_session, execution(split, train()), NOW)
    assert [(one.step, one.seconds, one.on_demand_seconds, one.running) for one in found] == [
        ("Split", 600, 600, False),
        ("Train", 1800, 1800, True),
    ]
    assert (found[0].instance_type, found[0].instances, found[0].disk_gb) == ("ml.m5.xlarge", 4, 200)


def test_a_job_that_waits_for_machines_has_used_none(stub: Stubber, kept_session: boto3.Session) -> None:
    stub.add_response("describe_training_job", training_answer("InProgress"))
    assert [one.seconds for one in usages(kept_session, execution(train()), NOW)] == [0]


def test_every_trial_of_a_search_counts(stub: Stubber, kept_session: boto3.Session) -> None:
    trials = tuple(Trial(f"trial-{n}", "Completed", NOW, NOW, {}, None, {}, None) for n in (1, 2))
    tune = Step("Tune", "Tuning", "Succeeded", job=Job("tuning", "tune-job"), trials=trials)
    for number in (1, 2):
        answer = training_answer(BillableTimeInSeconds=100 * number, TrainingTimeInSeconds=200)
        stub.add_response("describe_training_job", answer, {"TrainingJobName": f"trial-{number}"})
    found = usages(kept_session, execution(tune), NOW)
    assert [(one.job, one.seconds) for one in found] == [("trial-1", 100), ("trial-2", 200)]


def test_instance_groups_are_counted_each(stub: Stubber, kept_session: boto3.Session) -> None:
    groups = [
        {"InstanceGroupName": name, "InstanceType": f"ml.{name}.xlarge", "InstanceCount": count}
        for name, count in (("g5", 1), ("m5", 3))
    ]
    resources = {"VolumeSizeInGB": 30, "InstanceGroups": groups}
    stub.add_response("describe_training_job", training_answer(ResourceConfig=resources, BillableTimeInSeconds=60))
    found = usages(kept_session, execution(train()), NOW)
    assert [(one.instance_type, one.instances) for one in found] == [("ml.g5.xlarge", 1), ("ml.m5.xlarge", 3)]


def test_a_cached_step_is_not_asked_about(stub: Stubber, kept_session: boto3.Session) -> None:
    assert usages(kept_session, execution(train(cached_from="arn:old"), Step("Gate", "Condition")), NOW) == []


def test_a_job_that_is_gone_is_one_line(stub: Stubber, kept_session: boto3.Session) -> None:
    stub.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")
    with pytest.raises(UserError, match=r"^Requested resource not found\.$"):
        usages(kept_session, execution(train()), NOW)


def test_endpoints_have_the_machines_of_their_config(stub: Stubber, kept_session: boto3.Session) -> None:
    variant = {"VariantName": "AllTraffic", "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}
    times = {"CreationTime": NOW, "LastModifiedTime": NOW}
    endpoint = {"EndpointName": "e", "EndpointArn": f"{ARN}:endpoint/e", "EndpointConfigName": "c", **times}
    stub.add_response(
        "describe_endpoint",
        {**endpoint, "EndpointStatus": "InService", "ProductionVariants": [variant]},
        {"EndpointName": "e"},
    )
    production = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.c5.xlarge"}
    config = {"EndpointConfigName": "c", "EndpointConfigArn": f"{ARN}:endpoint-config/c", "CreationTime": NOW}
    stub.add_response(
        "describe_endpoint_config", {**config, "ProductionVariants": [production]}, {"EndpointConfigName": "c"}
    )
    stub.add_response("describe_endpoint", {**endpoint, "EndpointStatus": "Creating"})
    stub.add_response("describe_endpoint_config", {**config, "ProductionVariants": [production]})
    assert serving(kept_session, ["e", "new"]) == [Serving("e", "ml.c5.xlarge", 2)]


def test_a_local_job_tells_its_seconds(session: boto3.Session, running: str, store: Store, training_job: Any) -> None:
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30}
    arn = training_job("job-1", "Completed", ResourceConfig=resources, BillableTimeInSeconds=7, TrainingTimeInSeconds=7)
    step = {"StepName": "First", "StepStatus": "Succeeded", "Metadata": {"TrainingJob": {"Arn": arn}}}
    store.create("step", f"{running}/First", step, running)
    found = usages(session, describe(session, running), NOW)
    assert found == [Usage("First", "job-1", "ml.m5.xlarge", 2, 30, 7, 7, running=False)]
