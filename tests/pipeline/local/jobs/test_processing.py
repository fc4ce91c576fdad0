from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.local.s3 import LocalS3, S3Object
from pipeline.local.store import Document

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build

# Writes the names of its input, its configuration and its arguments to an output file named by its host.
SHOW = (
    "import json,os,sys;b='/opt/ml';r=json.load(open(b+'/config/resourceconfig.json'));h=r['current_host']\n"
    "p=json.load(open(b+'/config/processingjobconfig.json'))\n"
    "json.dump({'in':sorted(os.listdir(b+'/processing/in')),'hosts':r['hosts'],'name':p['ProcessingJobName'],"
    "'argv':sys.argv[1:],'base':b},open(b+'/processing/out/'+h,'w'))"
)
IN = {"in": {"S3Uri": "s3://bucket/in/", "S3DataType": "S3Prefix", "S3DataDistributionType": "ShardedByS3Key"}}


@pytest.fixture(autouse=True)
def data(account: Account) -> None:
    for name in "abc":
        account.s3.put_bytes(f"s3://bucket/in/{name}", b"")


def job(account: Account, arn: str) -> Document:
    return account.store.get("processing-job", account.steps(arn)["P"]["_job"]) or {}


def test_two_hosts_share_the_objects_and_the_output(account: Account, build: Build) -> None:
    arguments = ("--to=/opt/ml/processing/out", "s3://x/opt/ml/y")
    step = build.processing("P", SHOW, *arguments, instances=2, inputs=IN, outputs={"out": "s3://bucket/out"})
    arn = account.run(build.pipeline(step))
    one, two = (json.loads(account.s3.read_bytes(f"s3://bucket/out/algo-{n}")) for n in (1, 2))
    assert (one["in"], two["in"]) == (["a", "c"], ["b"])
    assert one["hosts"] == two["hosts"] == ["algo-1", "algo-2"]
    assert one["name"] == job(account, arn)["ProcessingJobName"]
    assert one["argv"] == [f"--to={one['base']}/processing/out", "s3://x/opt/ml/y"]
    assert job(account, arn)["ProcessingJobStatus"] == "Completed"


def test_a_job_that_runs_too_long_is_stopped_and_its_step_fails(account: Account, build: Build) -> None:
    arn = account.run(build.pipeline(build.processing("P", "import time;time.sleep(60)", seconds=0.3)))
    assert job(account, arn)["ProcessingJobStatus"] == "Stopped"
    assert account.statuses(arn) == {"P": "Failed"}


def test_nothing_a_job_started_outlives_it(account: Account, build: Build, tmp_path: Path) -> None:
    leave = (
        "import subprocess,sys;subprocess.Popen([sys.executable,'-c','import time,sys;time.sleep(1);"
        'open(sys.argv[1],"w")\',sys.argv[1]])'
    )
    account.run(build.pipeline(build.processing("P", leave, str(tmp_path / "late"))))
    wait = build.processing("Q", "import time;time.sleep(1.2)")
    account.run(build.pipeline(wait))
    assert not (tmp_path / "late").exists()


def test_a_full_disk_is_one_clear_line(account: Account, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> S3Object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalS3, "put_file", full)
    step = build.processing("P", SHOW, inputs=IN, outputs={"out": "s3://bucket/out"})
    arn = account.run(build.pipeline(step))
    assert account.execution(arn)["FailureReason"] == (
        "Step P failed: ClientError: the disk is full: free some space, then resume the execution"
    )
    assert job(account, arn)["ProcessingJobStatus"] == "Failed"


def reads(local_path: str) -> dict[str, Any]:
    source = {"S3Uri": "s3://bucket/in/", "LocalPath": local_path}
    return {"ProcessingInputs": [{"InputName": "x", "S3Input": source}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ProcessingInputs": [{"InputName": "x", "DatasetDefinition": {}}]}, "only S3 inputs"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "x", "FeatureStoreOutput": {}}]}}, "only S3 outputs"),
        (reads("/etc"), "must lie under /opt/ml/processing"),
        (reads("/opt/ml/processing/../../x"), "must lie under /opt/ml/processing"),
        ({"Environment": {"A": 1}}, "not a string"),
        (
            {"AppSpecification": {"ImageUri": "x", "ContainerEntrypoint": ["none"]}},
            "none of image x is no program here",
        ),
    ],
)
def test_what_cannot_run_here_is_one_clear_line(account: Account, build: Build, change: Any, message: str) -> None:
    step = build.processing("P", "")
    step["Arguments"] |= change
    arn = account.run(build.pipeline(step))
    assert message in account.execution(arn)["FailureReason"]
