from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.local.s3 import LocalS3
from pipeline.local.store import Document

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build

# Writes what its container shows of the contract to its model, and prints a metric.
CONTRACT = (
    "import glob,json,os,sys;b='/opt/ml';h=os.environ['SM_CURRENT_HOST']\n"
    "c={os.path.basename(f):json.load(open(f)) for f in glob.glob(b+'/input/config/*.json')}\n"
    "f=glob.glob(b+'/input/data/**/*',recursive=True)\n"
    "d=sorted(os.path.relpath(x,b+'/input/data') for x in f if os.path.isfile(x))\n"
    "json.dump({'config':c,'data':d,'argv':sys.argv[1:],'env':dict(os.environ),'b':b},open(b+'/model/'+h+'.json','w'))\n"
    "open(b+'/output/data/log-'+h,'w').write('x');print('score=0.'+h[-1],flush=True)"
)


def channel(name: str, uri: str, distribution: str = "FullyReplicated") -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": distribution}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def members(s3: LocalS3, uri: str) -> dict[str, bytes]:
    with tarfile.open(s3.path(uri)) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}  # type: ignore[union-attr]


def job(account: Account, arn: str) -> Document:
    return account.store.get("training-job", account.steps(arn)["T"]["_job"]) or {}


def test_two_hosts_find_the_container_contract(account: Account, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("https_proxy", "http://proxy")
    for number in range(3):
        account.s3.put_bytes(f"s3://bucket/data/{number}", b"")
    step = build.training(
        "T",
        CONTRACT,
        instances=2,
        metrics=[{"Name": "score", "Regex": "score=([0-9.]+)"}],
        HyperParameters={"epochs": "3"},
        Environment={"OWN": "/opt/ml/model/x"},
        InputDataConfig=[
            channel("train", "s3://bucket/data/", "ShardedByS3Key"),
            channel("all-of-it", "s3://bucket/data"),
        ],
    )
    arn = account.run(build.pipeline(step))
    assert account.statuses(arn) == {"T": "Succeeded"}
    done = job(account, arn)
    name = done["TrainingJobName"]
    hosts = {k: json.loads(v) for k, v in members(account.s3, f"s3://bucket/models/{name}/output/model.tar.gz").items()}
    assert sorted(hosts) == ["algo-1.json", "algo-2.json"]
    assert hosts["algo-1.json"]["data"] == ["all-of-it/0", "all-of-it/1", "all-of-it/2", "train/0", "train/2"]
    assert hosts["algo-2.json"]["data"] == ["all-of-it/0", "all-of-it/1", "all-of-it/2", "train/1"]
    one = hosts["algo-1.json"]
    assert one["config"]["hyperparameters.json"] == {"epochs": "3"}
    assert one["config"]["resourceconfig.json"]["current_host"] == "algo-1"
    assert one["config"]["resourceconfig.json"]["hosts"] == ["algo-1", "algo-2"]
    assert one["config"]["inputdataconfig.json"]["train"]["S3DistributionType"] == "ShardedByS3Key"
    environment, base = one["env"], one["b"]
    assert base.endswith(f"{name}/algo-1")
    assert environment["SAGEMAKER_BASE_DIR"] == base
    assert environment["TRAINING_JOB_NAME"] == name
    assert environment["TRAINING_JOB_ARN"] == done["TrainingJobArn"]
    assert environment["SM_CHANNEL_ALL_OF_IT"] == f"{base}/input/data/all-of-it"
    assert environment["OWN"] == f"{base}/model/x"
    assert environment["MASTER_ADDR"] == "127.0.0.1"
    assert environment["MASTER_PORT"] == hosts["algo-2.json"]["env"]["MASTER_PORT"]
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "https_proxy" not in environment
    assert members(account.s3, f"s3://bucket/models/{name}/output/output.tar.gz") == {
        "log-algo-1": b"x",
        "log-algo-2": b"x",
    }
    log = (account.home.jobs / name / "log.txt").read_text().splitlines()
    assert sorted(log) == ["[algo-1] score=0.1", "[algo-2] score=0.2"]
    assert account.steps(arn)["T"]["_metrics"].keys() == {"score"}
    assert done["FinalMetricDataList"][0]["MetricName"] == "score"
    assert done["TrainingJobStatus"] == done["SecondaryStatus"] == "Completed"


def test_a_failure_file_becomes_the_reason(account: Account, build: Build) -> None:
    program = "import sys;open('/opt/ml/output/failure','w').write('the data\\nis bad '*200);sys.exit(4)"
    arn = account.run(build.pipeline(build.training("T", program)))
    reason = job(account, arn)["FailureReason"]
    assert reason.startswith("AlgorithmError: the data is bad")
    assert len(reason) == 1024
    assert job(account, arn)["SecondaryStatus"] == "Failed"
    assert len(account.execution(arn)["FailureReason"]) <= 1300
    assert not account.s3.list("s3://bucket/models/")


def test_one_failing_host_ends_the_others(account: Account, build: Build) -> None:
    program = "import os,sys,time\nif os.environ['SM_CURRENT_HOST']=='algo-2': sys.exit('bad host')\ntime.sleep(60)"
    arn = account.run(build.pipeline(build.training("T", program, instances=2)))
    assert account.execution(arn)["FailureReason"] == "Step T failed: AlgorithmError: bad host, exit code: 1"


def test_a_job_that_runs_too_long_is_stopped_with_its_model_and_its_step_fails(account: Account, build: Build) -> None:
    program = "import time;open('/opt/ml/model/m','w').write('half');time.sleep(60)"
    arn = account.run(build.pipeline(build.training("T", program, seconds=0.5)))
    done = job(account, arn)
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert members(account.s3, done["ModelArtifacts"]["S3ModelArtifacts"]) == {"m": b"half"}
    assert "MaxRuntimeInSeconds" in account.execution(arn)["FailureReason"]


def test_sigterm_lets_the_job_save_its_checkpoint(account: Account, build: Build) -> None:
    program = (
        "import signal,sys,time,os;os.makedirs('/opt/ml/checkpoints',exist_ok=True)\n"
        "signal.signal(15,lambda *_:(open('/opt/ml/checkpoints/c','w').write('saved'),sys.exit(0)))\ntime.sleep(60)"
    )
    arn = account.run(
        build.pipeline(build.training("T", program, seconds=0.5, CheckpointConfig={"S3Uri": "s3://bucket/ck"}))
    )
    assert job(account, arn)["TrainingJobStatus"] == "Stopped"
    assert account.s3.read_bytes("s3://bucket/ck/c") == b"saved"


def test_a_job_killed_from_outside_restarts_as_its_retry_strategy_says(account: Account, build: Build) -> None:
    program = (
        "import os;p='/opt/ml/checkpoints/died'\nif not os.path.exists(p): open(p,'w').close(); os.kill(os.getpid(),9)"
    )
    more = {"CheckpointConfig": {"S3Uri": "s3://bucket/ck"}}
    arn = account.run(build.pipeline(build.training("T", program, RetryStrategy={"MaximumRetryAttempts": 1}, **more)))
    assert account.statuses(arn) == {"T": "Succeeded"}
    assert len(account.store.find("training-job")) == 1


def test_a_model_can_stay_unpacked(account: Account, build: Build) -> None:
    program = "open('/opt/ml/model/m','w').write('1')"
    output = {"S3OutputPath": "s3://bucket/models/", "CompressionType": "NONE"}
    arn = account.run(build.pipeline(build.training("T", program, OutputDataConfig=output)))
    name = job(account, arn)["TrainingJobName"]
    assert [o.key for o in account.s3.list("s3://bucket/models/")] == [f"models/{name}/output/model/m"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"HyperParameters": {"epochs": 3}}, "HyperParameters epochs is 3, not a string: use .to_string()"),
        ({"Environment": {"A": 1.5}}, "Environment A is 1.5"),
        ({"instances": 0}, "InstanceCount is 0"),
        ({"instances": "2"}, "InstanceCount is '2'"),
        ({"metrics": [{"Name": "m", "Regex": "("}]}, "metric m"),
        ({"OutputDataConfig": {}}, "the definition lacks 'S3OutputPath'"),
    ],
)
def test_what_the_service_would_refuse_fails_before_the_job(
    account: Account, build: Build, more: dict[str, Any], message: str
) -> None:
    arn = account.run(build.pipeline(build.training("T", "", **more)))
    assert message in account.execution(arn)["FailureReason"]
    assert account.store.find("training-job") == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"InputDataConfig": [channel("..", "s3://bucket/data/")]}, "cannot be the name of a channel"),
        ({"InputDataConfig": [channel("a/../../x", "s3://bucket/data/")]}, "cannot be the name of a channel"),
        ({"CheckpointConfig": {"S3Uri": "s3://bucket/c", "LocalPath": "/etc"}}, "must lie under /opt/ml"),
        ({"CheckpointConfig": {"S3Uri": "s3://bucket/c", "LocalPath": "/opt/ml/../x"}}, "must lie under /opt/ml"),
    ],
)
def test_a_job_gets_no_folder_outside_its_own(
    account: Account, build: Build, more: dict[str, Any], message: str
) -> None:
    account.s3.put_bytes("s3://bucket/data/a", b"")
    arn = account.run(build.pipeline(build.training("T", "", **more)))
    assert message in account.execution(arn)["FailureReason"]


def test_a_foreign_image_without_a_command_is_one_clear_line(account: Account, build: Build) -> None:
    step = build.training("T", "")
    del step["Arguments"]["AlgorithmSpecification"]["ContainerEntrypoint"]
    arn = account.run(build.pipeline(step))
    assert "give the job a ContainerEntrypoint" in account.execution(arn)["FailureReason"]
