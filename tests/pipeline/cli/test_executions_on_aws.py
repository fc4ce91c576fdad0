"""The verbs about executions, with --target aws: moto answers, in the states that this test puts there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import executions, inspection, logs
from pipeline.aws.pipelines import upsert
from pipeline.cli import following, joblogs
from pipeline.cli.options import Target
from tests import moto_pipelines

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

ROLE = "arn:aws:iam::123456789012:role/bincount-pipeline"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/bincount-training:train-1"
JOBS = "arn:aws:sagemaker:us-east-1:123456789012"
TUNING = "abcdefghijkl-Tune-XyZ123-0"  # a tuning job's name has 32 characters at most: it begins as no other job's does
STEPS = (("Split", "Processing"), ("Tune", "Tuning"), ("Train", "Training"), ("Evaluate", "Processing"))


@pytest.fixture
def session(home: Path, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    monkeypatch.setitem(following.SECONDS, Target.AWS, 0.0)
    monkeypatch.setitem(joblogs._SECONDS, Target.AWS, 0.0)
    return moto_session


def begin(session: boto3.Session, pipeline: str = "bincount-dev", name: str = "mine") -> str:
    steps = [{"Name": step, "Type": kind, "Arguments": {}} for step, kind in STEPS]
    text = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
    done = upsert(session, pipeline, text, ROLE, {"project": "bincount"}, "bucket")
    return executions.start(session, pipeline, {}, name, version=done.version)


def train(session: boto3.Session, name: str) -> dict[str, Any]:
    """Make a training job, and return the metadata of the step that ran it."""
    client: Any = session.client("sagemaker")
    client.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    return {"TrainingJob": {"Arn": f"{JOBS}:training-job/{name}"}}


def tune(session: boto3.Session, *trials: str) -> dict[str, Any]:
    client: Any = session.client("sagemaker")
    limits = {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}
    config = {"Strategy": "Random", "ResourceLimits": limits}
    client.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=TUNING, HyperParameterTuningJobConfig=config)
    listed = []
    for name in trials:
        train(session, name)
        trial = {"TrainingJobName": name, "TrainingJobArn": f"{JOBS}:training-job/{name}"}
        times = {"CreationTime": moto_pipelines.BEGAN, "TunedHyperParameters": {"learning_rate": "0.001"}}
        listed.append({**trial, **times, "TrainingJobStatus": "Completed"})
    moto_pipelines.put_trials(TUNING, *listed)
    return {"TuningJob": {"Arn": f"{JOBS}:hyper-parameter-tuning-job/{TUNING}"}}


def print_lines(session: boto3.Session, job: str, **hosts: list[str]) -> None:
    client: Any = session.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        client.create_log_group(logGroupName=group)
    for host, lines in hosts.items():
        stream = f"{job}/{host.replace('_', '-')}-1700000000"
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def aws(call: Callable[..., Called], *arguments: object) -> Called:
    return call(*arguments, "--target", "aws")


def test_status_shows_steps_trials_and_links_to_their_logs(session: boto3.Session, call: Callable[..., Called]) -> None:
    arn = begin(session)
    moto_pipelines.put_step(arn, "Split", "Succeeded", Metadata={})
    moto_pipelines.put_step(arn, "Tune", "Executing", Metadata=tune(session, "trial-1", "trial-2"))
    called = aws(call, "status")
    assert called.code == 0, called
    said = " ".join(called.out.split())
    for text in ("Split", "trial 2", "learning_rate 0.001", "Train", "Tune/2 log", "trial-2$252F", "studio-landing"):
        assert text in said
    told = json.loads(aws(call, "status", arn, "--json").out)
    assert [step["status"] for step in told["steps"]] == ["Succeeded", "Executing", "Waiting", "Waiting"]


def test_logs_of_several_hosts_of_trials_and_of_what_has_not_begun(
    session: boto3.Session, call: Callable[..., Called]
) -> None:
    arn = begin(session)
    moto_pipelines.put_step(arn, "Tune", "Succeeded", Metadata=tune(session, "trial-1", "trial-2"))
    moto_pipelines.put_step(arn, "Train", "Executing", Metadata=train(session, "train-1"))
    nothing = aws(call, "logs", "Train")  # the account's first job has made no log group yet
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "Train has printed nothing yet\n")
    assert "step Evaluate is Waiting and has no job, so no log" in aws(call, "logs", "Evaluate").err
    print_lines(session, "train-1", algo_1=["rank 0"], algo_2=["rank 1"])
    print_lines(session, "train-10", algo_1=["of another job"])
    print_lines(session, "trial-2", algo_1=["epoch 1", "epoch 2"])
    assert aws(call, "logs", "Train").lines == ["rank 0", "[algo-2] rank 1"]
    assert aws(call, "logs", "Tune/2").lines == ["epoch 1", "epoch 2"]
    assert aws(call, "logs", "tune").lines == ["--- trial 1: trial-1", "--- trial 2: trial-2", "epoch 1", "epoch 2"]
    assert "has no trial '3': it has 2" in aws(call, "logs", "Tune/3").err


def test_logs_are_followed_to_the_end_and_a_look_beyond(
    session: boto3.Session, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = begin(session)
    moto_pipelines.put_step(arn, "Train", "Executing", Metadata=train(session, "train-1"))
    print_lines(session, "train-1", algo_1=["early"])
    happens: list[Callable[[], object]] = [
        lambda: None,
        lambda: moto_pipelines.put_step(arn, "Train", "Succeeded", Metadata=train_metadata("train-1")),
        lambda: print_lines(session, "train-1", algo_2=["late"]),
    ]
    read = logs.read

    def looked(*given: Any) -> Any:
        page = read(*given)
        if happens:
            happens.pop(0)()
        return page

    monkeypatch.setattr(logs, "read", looked)
    assert aws(call, "logs", "Train", "--follow").lines == ["early", "[algo-2] late"]


def train_metadata(name: str) -> dict[str, Any]:
    return {"TrainingJob": {"Arn": f"{JOBS}:training-job/{name}"}}


def test_a_failure_says_what_to_do_and_resume_takes_it_up(
    session: boto3.Session, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = begin(session)
    reason = "ClientError: the account-level service limit 'ml.g5.2xlarge for training job usage' is 0 Instances"
    moto_pipelines.put_step(arn, "Train", "Failed", FailureReason=reason)
    moto_pipelines.end(arn, "Failed", "Step failure")
    short = arn[-12:]
    failed = aws(call, "watch", "--summary", "summary.md")
    assert failed.code == 1
    assert "ask for more of 'ml.g5.2xlarge for training job usage' under Service Quotas" in failed.out
    assert f"bincount resume {short} --target aws" in failed.out
    assert f"## bincount\\-dev {short}: Failed" in Path("summary.md").read_text()
    retry = executions.retry

    def retried(*given: Any) -> None:
        retry(*given)
        moto_pipelines.put_step(arn, "Train", "Succeeded")
        moto_pipelines.end(arn)

    monkeypatch.setattr(executions, "retry", retried)
    resumed = aws(call, "resume", short, "--summary", "summary.md")
    assert resumed.code == 0, resumed
    assert Path("summary.md").read_text().count("## ") == 2


def test_stop_waits_until_it_has_stopped(
    session: boto3.Session, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = begin(session)
    stop = executions.stop

    def stopped(*given: Any) -> None:
        stop(*given)
        assert moto_pipelines.execution(arn).pipeline_execution_status == "Stopping"
        moto_pipelines.end(arn, "Stopped")

    monkeypatch.setattr(executions, "stop", stopped)
    called = aws(call, "stop")
    assert called.code == 0, called
    assert called.out == f"{arn[-12:]} Stopped: `bincount resume {arn[-12:]} --target aws` continues it\n"
    assert "no execution is running" in aws(call, "stop").err


def test_a_profile_picks_the_pipeline(session: boto3.Session, call: Callable[..., Called]) -> None:
    first = begin(session, "bincount-dev", "same")
    begin(session, "bincount-prod", "same")
    begin(session, "somebody-elses", "foreign")
    listed = [line.split("\t")[1] for line in aws(call, "list").lines]
    assert sorted(listed) == ["bincount-dev", "bincount-prod"]
    assert [line.split("\t")[0] for line in aws(call, "list", "--profile", "dev").lines] == [first[-12:]]
    told = json.loads(aws(call, "status", "same", "--profile", "dev", "--json").out)
    assert told["arn"] == first
    assert "there is no execution 'foreign'" in aws(call, "status", "foreign").err
