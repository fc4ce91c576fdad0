from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import inspection
from pipeline.cli import sources
from tests import moto_pipelines

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

Call = Callable[..., "Called"]
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def rows(called: Called) -> dict[tuple[str, str], str]:
    assert called.code == 0, called
    return {(group, part): usd for group, part, usd, _ in (line.split("\t") for line in called.lines)}


def test_an_estimate_has_a_line_for_each_part_and_sums(home: Path, call: Call) -> None:
    called = call("cost", "--profile", "prod")
    told = rows(called)
    assert told["execution", "Train"] == "$21.82 to $72.72"
    assert told["execution", "sum"] == "$88.94 to $275.62"
    assert told["month", "production"] == "$297.84 to $595.68"
    assert told["month", "sum"] == "$383.94 to $681.78"
    assert "check them at https://aws.amazon.com/" in called.err
    assert "asks first" not in called.err


def test_parameters_and_settings_change_an_estimate(home: Path, call: Call) -> None:
    more = call("cost", "--profile", "prod", "-p", "TrainingInstanceCount=4", "--set", "tune.trials=32")
    told = rows(more)
    assert told["execution", "Train"] == "$43.63 to $145.44"
    assert told["execution", "Tune"].endswith("$387.84")
    assert "`run --target aws` asks first: above $300.00 (cost.ask_above_usd)" in more.err


def test_an_unknown_machine_is_said_and_not_guessed(home: Path, call: Call) -> None:
    called = call("cost", "--profile", "demo", "-p", "TrainingInstanceType=ml.x9.large")
    assert rows(called)["execution", "Train"] == "unknown"
    assert "no price is known of ml.x9.large" in called.err


def test_an_estimate_as_json(home: Path, call: Call) -> None:
    told = json.loads(call("cost", "--profile", "prod", "--json").out)
    assert told["execution"]["usd"]["high"] == pytest.approx(275.62, abs=0.01)
    assert {line["name"] for line in told["month"]["lines"]} == {"staging", "production", "images", "objects"}
    assert (told["asks"], told["unpriced"], told["last_time"]) == (False, [], None)
    assert told["prices"]["region"] == "us-east-1"


def test_other_parameters_are_taken_and_mistyped_ones_refused(
    home: Path, call: Call, compiled: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_compile", lambda settings: json.dumps(compiled(settings.profile)))
    known = call("cost", "--profile", "demo", "-p", "Epochs=3")
    assert rows(known) == rows(call("cost", "--profile", "demo"))
    assert "no parameter Epoch (did you mean Epochs" in call("cost", "--profile", "demo", "-p", "Epoch=3").err
    count = call("cost", "--profile", "demo", "-p", "TrainingInstanceCount=two")
    assert (count.code, count.err) == (
        1,
        "error: TrainingInstanceCount is a whole number of 1 or more, not 'two'\n",
    )


def test_an_estimate_and_a_bill_are_not_mixed(home: Path, call: Call) -> None:
    assert "belong to an estimate: give its --profile too" in call("cost", "-p", "Epochs=3").err
    assert "belong to an estimate" in call("cost", "--set", "tune.trials=3").err
    assert "an execution and a --profile at once" in call("cost", "m08kb4bksw24", "--profile", "demo").err


def test_nothing_on_aws_yet_is_an_estimate_without_a_last_time(account: Account, call: Call) -> None:
    called = call("cost", "--profile", "demo", "--target", "aws")
    assert "last time" not in {group for group, _ in rows(called)}
    assert "no execution yet" in call("cost", "--target", "aws").err


class Account:
    """An account of moto's with an execution of bincount-demo: Split cached, two trials, Train on spot machines."""

    def __init__(self, session: boto3.Session) -> None:
        self.client: Any = session.client("sagemaker")
        self.backend: Any = moto_pipelines._backend()

    def run(self) -> str:
        steps = [{"Name": name, "Type": kind} for name, kind in (("Split", "Processing"), ("Train", "Training"))]
        definition = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
        role = "arn:aws:iam::123456789012:role/bincount-pipeline"
        self.client.create_pipeline(
            PipelineName="bincount-demo", PipelineDefinition=definition, RoleArn=role, ClientRequestToken="x" * 32
        )
        started = self.client.start_pipeline_execution(PipelineName="bincount-demo", ClientRequestToken="y" * 32)
        arn: str = started["PipelineExecutionArn"]
        cached = {"SourcePipelineExecutionArn": arn[:-3] + "old"}
        split = {"ProcessingJob": {"Arn": self.processing("split", minutes=30)}}
        moto_pipelines.put_step(arn, "Split", "Succeeded", CacheHitResult=cached, Metadata=split)
        train = {"TrainingJob": {"Arn": self.training("train", billable=1080, seconds=3600)}}
        moto_pipelines.put_step(arn, "Train", "Succeeded", Metadata=train, AttemptCount=2)
        evaluate = {"ProcessingJob": {"Arn": self.processing("evaluate", minutes=60)}}
        moto_pipelines.put_step(arn, "Evaluate", "Succeeded", Metadata=evaluate)
        moto_pipelines.end(arn)
        return arn

    def training(self, name: str, billable: int, seconds: int) -> str:
        made = self.client.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            RoleArn="arn:aws:iam::123456789012:role/bincount-training",
            OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
            ResourceConfig={"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30},
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
        )
        job = self.backend.training_jobs[name]
        job.billable_time_in_seconds, job.training_time_in_seconds = billable, seconds
        arn: str = made["TrainingJobArn"]
        return arn

    def processing(self, name: str, minutes: int) -> str:
        resources = {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}}
        made = self.client.create_processing_job(
            ProcessingJobName=name,
            ProcessingResources=resources,
            AppSpecification={"ImageUri": "image"},
            RoleArn="arn:aws:iam::123456789012:role/bincount-processing",
        )
        job = self.backend.processing_jobs[name]
        job.processing_resources = resources  # which moto forgets
        job.processing_start_time = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
        job.processing_end_time = NOW.strftime("%Y-%m-%d %H:%M:%S")
        arn: str = made["ProcessingJobArn"]
        return arn

    def serve(self, stage: str, count: int) -> None:
        variant = {"VariantName": "AllTraffic", "ModelName": "model", "InitialInstanceCount": count}
        self.client.create_model(ModelName="model", ExecutionRoleArn="arn:aws:iam::123456789012:role/bincount-model")
        self.client.create_endpoint_config(
            EndpointConfigName=stage, ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
        )
        self.client.create_endpoint(EndpointName=f"bincount-demo-{stage}", EndpointConfigName=stage)


@pytest.fixture
def account(home: Path, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    return Account(moto_session)


def test_a_bill_on_aws_is_seconds_times_machines_times_price(account: Account, call: Call) -> None:
    account.run()
    called = call("cost", "--target", "aws")
    assert called.code == 0, called
    assert [line.split("\t") for line in called.lines] == [
        ["Split", "cached", "0", "", "0:00", "$0.00"],
        ["Train", "ended", "1", "2 ml.g4dn.xlarge", "36:00", "$0.44"],  # 2 x 0.3 h x 0.7364
        ["Evaluate", "ended", "1", "1 ml.m5.xlarge", "1:00:00", "$0.24"],  # and 30 GB for an hour
        ["sum", "", "", "", "1:36:00", "$0.68"],
    ]
    assert "- spot machines saved $1.03, 60 %\n" in called.err
    assert "- cached, which costs nothing: Split\n" in called.err
    assert "tried more than once, of which the last time is counted: Train\n" in called.err
    assert "prices of us-east-1" in called.err


def test_endpoints_that_serve_have_a_price_an_hour_and_a_month(account: Account, call: Call) -> None:
    account.run()
    account.serve("staging", 2)
    called = call("cost", "--target", "aws")
    assert called.lines[-1].split("\t") == ["bincount-demo-staging", "2 ml.m5.large", "$0.23", "$167.90"]
    told = json.loads(call("cost", "--target", "aws", "--json").out)
    assert [(one["endpoint"], one["usd_an_hour"]) for one in told["endpoints"]] == [("bincount-demo-staging", 0.23)]
    assert told["endpoints"][0]["usd_a_month"] == pytest.approx(167.9)
    assert told["usd"] == pytest.approx(0.6776, abs=0.001)
    assert [one["step"] for one in told["steps"]] == ["Split", "Train", "Evaluate"]


def test_an_estimate_for_aws_tells_what_the_last_time_cost(account: Account, call: Call) -> None:
    identity = account.run().rpartition("/")[2]
    called = call("cost", "--profile", "demo", "--target", "aws")
    assert rows(called)["last time", identity] == "$0.68"
    assert called.lines[-1].endswith("what its jobs were billed for, with the cached results of Split")


def test_here_nothing_costs_anything(ran: Any, call: Call) -> None:
    called = call("cost", "good")
    assert called.code == 0, called
    assert {line.split("\t")[-1] for line in called.lines} == {"$0.00"}
    steps = [line.split("\t")[0] for line in called.lines]
    assert steps[-1] == "sum"
    assert "Fit" in steps
    assert called.err == "- it ran on this machine and cost nothing\n"
    told = json.loads(call("cost", "good", "--json").out)
    assert told["usd"] == 0
    assert {one["usd"] for one in told["steps"]} == {0}
    assert told["seconds"] > 0
    assert told["prices"] is None
