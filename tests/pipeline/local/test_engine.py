from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pipeline.errors import UserError
from pipeline.local.engine import run_execution
from pipeline.local.lock import engine_lock
from pipeline.local.slots import Slots

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build

ROOT = Path(__file__).parents[3]
# A job that says it has begun, then waits for the file that its argument names.
WAIT = "import sys,time,os;print('begun',flush=True)\nwhile not os.path.exists(sys.argv[1]): time.sleep(.01)"


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def begin(account: Account, arn: str, **changes: Any) -> threading.Thread:
    thread = threading.Thread(target=run_execution, args=(account.home, arn), kwargs=changes)
    thread.start()
    return thread


def test_another_pipelines_definition_runs_and_the_gate_lets_it_through(account: Account, churn: str) -> None:
    account.s3.put_bytes("s3://analytics/raw/a.csv", b"1\n2\n")
    arn = account.run(churn)
    assert account.execution(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert account.execution(arn)["_engine_pid"] is None
    assert account.statuses(arn) == dict.fromkeys(["Clean", "Fit", "Score", "Gate", "Publish"], "Succeeded")
    steps = account.steps(arn)
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert steps["Fit"]["_metrics"] == {"rows": 6.0}
    assert steps["Fit"]["Metadata"]["TrainingJob"]["Arn"].endswith(steps["Fit"]["_job"])
    assert account.s3.read_bytes("s3://analytics/reports/000000000001/score.json") == b'{"auc": {"value": 0.6}}'
    log = account.home.jobs / steps["Publish"]["_job"] / "log.txt"
    assert log.read_text() == "published\n"


def test_the_other_branch_fails_the_execution_with_its_message(account: Account, churn: str) -> None:
    account.s3.put_bytes("s3://analytics/raw/a.csv", b"1\n2\n")
    arn = account.run(churn, {"MinimumScore": "0.7", "Instances": "2"})
    assert account.execution(arn)["PipelineExecutionStatus"] == "Failed"
    assert account.execution(arn)["FailureReason"] == "Step TooWeak failed: the score is below 0.7"
    assert account.statuses(arn)["TooWeak"] == "Failed"
    assert "Publish" not in account.statuses(arn)
    assert account.steps(arn)["TooWeak"]["Metadata"] == {"Fail": {"ErrorMessage": "the score is below 0.7"}}


def test_missing_data_fails_the_step_in_one_line(account: Account, churn: str) -> None:
    arn = account.run(churn)
    assert account.statuses(arn) == {"Clean": "Failed"}
    assert "no objects at s3://analytics/raw/" in account.execution(arn)["FailureReason"]


@pytest.mark.parametrize(
    ("definition", "parameters", "message"),
    [
        ("{", {}, "not a pipeline definition"),
        ('{"Steps": [], "Parameters": [{"Name": "X", "Type": "String"}]}', {}, "parameter X has no default"),
        ('{"Steps": []}', {"Gone": "1"}, "no parameter Gone"),
    ],
)
def test_what_cannot_start_fails_with_the_reason(
    account: Account, definition: str, parameters: dict[str, str], message: str
) -> None:
    arn = account.run(definition, parameters)
    assert account.execution(arn)["PipelineExecutionStatus"] == "Failed"
    assert message in account.execution(arn)["FailureReason"]


def test_an_unknown_execution_and_a_second_engine_are_refused(account: Account, build: Build) -> None:
    with pytest.raises(UserError, match="there is no execution"):
        run_execution(account.home, "arn:aws:sagemaker:us-east-1:000000000000:pipeline/x/execution/y")
    arn = account.start(build.pipeline(build.processing("A", "")))
    with engine_lock(account.home, arn), pytest.raises(UserError, match="already at work"):
        run_execution(account.home, arn)
    assert account.steps(arn) == {}


def test_steps_that_do_not_depend_on_each_other_run_side_by_side(
    account: Account, build: Build, tmp_path: Path
) -> None:
    # Each waits for the other: one after the other they would never end.
    meet = "import sys,time,os;open(sys.argv[1],'w').close()\nwhile not os.path.exists(sys.argv[2]): time.sleep(.01)"
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    steps = [build.processing("A", meet, a, b), build.processing("B", meet, b, a)]
    arn = account.run(build.pipeline(*steps), slots=Slots(2))
    assert account.statuses(arn) == {"A": "Succeeded", "B": "Succeeded"}


@pytest.mark.parametrize(("cores", "limit"), [(1, 9), (8, 1)])
def test_cores_and_parallelism_configuration_limit_what_runs_side_by_side(
    account: Account, build: Build, tmp_path: Path, cores: int, limit: int
) -> None:
    alone = "import os,sys,time;p=sys.argv[1];os.close(os.open(p,os.O_CREAT|os.O_EXCL));time.sleep(.1);os.remove(p)"
    steps = [build.processing(name, alone, str(tmp_path / "alone")) for name in "ABC"]
    arn = account.start(build.pipeline(*steps), ParallelismConfiguration={"MaxParallelExecutionSteps": limit})
    assert run_execution(account.home, arn, slots=Slots(cores)) == "Succeeded"


def test_a_failure_lets_what_runs_finish_and_starts_nothing_more(
    account: Account, build: Build, tmp_path: Path
) -> None:
    fails = build.processing("Fails", "import sys;sys.exit('it broke')")
    beside = build.processing("Beside", WAIT, str(tmp_path / "go"))
    after = build.processing("After", "", DependsOn=["Beside"])
    needs = build.processing("Needs", "", DependsOn=["Fails"])
    told = build.processing("Told", "", DependsOn=[{"Step": "Fails", "Trigger": "Failed"}])
    arn = account.start(build.pipeline(fails, beside, after, needs, told))
    thread = begin(account, arn, slots=Slots(3))
    until(lambda: account.statuses(arn).get("Told") == "Succeeded")
    (tmp_path / "go").touch()
    thread.join()
    assert account.statuses(arn) == {"Fails": "Failed", "Beside": "Succeeded", "Told": "Succeeded"}
    execution = account.execution(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step Fails failed: AlgorithmError: it broke, exit code: 1"


def test_stop_ends_the_jobs_and_resume_runs_what_is_left(account: Account, build: Build, tmp_path: Path) -> None:
    first = build.processing("First", "print('once')")
    second = build.processing("Second", WAIT, str(tmp_path / "go"), DependsOn=["First"])
    third = build.processing("Third", "", DependsOn=["Second"])
    arn = account.start(build.pipeline(first, second, third))
    thread = begin(account, arn)
    until(lambda: "Second" in account.steps(arn) and "_job" in account.steps(arn)["Second"])
    log = account.home.jobs / account.steps(arn)["Second"]["_job"] / "log.txt"
    until(lambda: log.exists() and "begun" in log.read_text())
    account.store.update("execution", arn, PipelineExecutionStatus="Stopping")
    thread.join()
    assert account.execution(arn)["PipelineExecutionStatus"] == "Stopped"
    assert account.statuses(arn) == {"First": "Succeeded", "Second": "Stopped"}
    job = account.store.get("processing-job", account.steps(arn)["Second"]["_job"]) or {}
    assert job["ProcessingJobStatus"] == "Stopped"

    kept = account.steps(arn)["First"]
    (tmp_path / "go").touch()
    assert run_execution(account.home, arn) == "Succeeded"
    assert account.statuses(arn) == dict.fromkeys(["First", "Second", "Third"], "Succeeded")
    assert account.steps(arn)["First"] == kept
    assert run_execution(account.home, arn) == "Succeeded"  # nothing left to do


def test_an_execution_whose_engine_died_while_stopping_is_only_closed(account: Account, build: Build) -> None:
    arn = account.start(build.pipeline(build.processing("A", "")), PipelineExecutionStatus="Stopping")
    assert run_execution(account.home, arn) == "Stopped"
    assert account.steps(arn) == {}


def test_a_job_that_ignores_sigterm_is_killed_after_the_grace(account: Account, build: Build) -> None:
    stubborn = "import signal,time;signal.signal(15,signal.SIG_IGN);print('begun',flush=True);time.sleep(60)"
    arn = account.start(build.pipeline(build.processing("A", stubborn)))
    thread = begin(account, arn, grace=0.2)
    until(lambda: any("begun" in log.read_text() for log in account.home.jobs.glob("*/log.txt")))
    account.store.update("execution", arn, PipelineExecutionStatus="Stopping")
    thread.join(20)
    assert account.statuses(arn) == {"A": "Stopped"}


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def engine_process(account: Account, arn: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "BINCOUNT_HOME": str(account.home.root), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "pipeline.local.engine", arn], env=environment)


def test_sigterm_to_the_engine_stops_the_execution(account: Account, build: Build, tmp_path: Path) -> None:
    arn = account.start(build.pipeline(build.processing("A", WAIT, str(tmp_path / "never"))))
    engine = engine_process(account, arn)
    until(lambda: any("begun" in log.read_text() for log in account.home.jobs.glob("*/log.txt")))
    engine.terminate()
    assert engine.wait(20) == 1
    assert account.execution(arn)["PipelineExecutionStatus"] == "Stopped"
    assert account.statuses(arn) == {"A": "Stopped"}


def test_a_killed_engine_is_resumed_from_the_checkpoint_and_its_orphan_is_stopped(
    account: Account, build: Build, tmp_path: Path
) -> None:
    # Counts one up from its checkpoint and leaves a new one; ends at the second time.
    counting = (
        "import os,time;p='/opt/ml/checkpoints/n';n=int(open(p).read()) if os.path.exists(p) else 0\n"
        "open(p+'.new','w').write(str(n+1));os.rename(p+'.new',p);print('at',n+1,flush=True)\n"
        "while not n: time.sleep(.01)\n"
        "open('/opt/ml/model/n','w').write(str(n+1))"
    )
    before = build.processing("Before", "")
    train = build.training(
        "Train", counting, CheckpointConfig={"S3Uri": "s3://bucket/checkpoints"}, DependsOn=["Before"]
    )
    arn = account.start(build.pipeline(before, train))
    engine = engine_process(account, arn)
    until(lambda: any("at 1" in log.read_text() for log in account.home.jobs.glob("*Train*/log.txt")))
    until(lambda: all(job["_pids"] for job in account.store.find("training-job")))
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    [orphan] = account.store.find("training-job")
    assert runs(orphan["_pids"][0][0])
    kept = account.steps(arn)["Before"]

    assert run_execution(account.home, arn) == "Succeeded"
    assert not runs(orphan["_pids"][0][0])
    closed, done = account.store.find("training-job")
    assert closed["TrainingJobStatus"] == "Stopped"
    assert done["TrainingJobStatus"] == "Completed"
    assert (account.home.jobs / done["TrainingJobName"] / "log.txt").read_text() == "at 2\n"
    assert account.steps(arn)["Before"] == kept


def test_a_step_killed_from_outside_is_retried_and_its_own_failure_is_not(
    account: Account, build: Build, tmp_path: Path
) -> None:
    policy = {
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"],
        "IntervalSeconds": 0,
        "BackoffRate": 1.0,
        "MaxAttempts": 3,
    }
    dies_once = "import os,sys;p=sys.argv[1]\nif not os.path.exists(p): open(p,'w').close(); os.kill(os.getpid(),9)"
    arn = account.run(build.pipeline(build.processing("A", dies_once, str(tmp_path / "died"), RetryPolicies=[policy])))
    assert account.statuses(arn) == {"A": "Succeeded"}
    assert account.steps(arn)["A"]["AttemptCount"] == 2
    names = [job["ProcessingJobName"] for job in account.store.find("processing-job")]
    assert [name[-2:] for name in names] == ["-0", "-1"]

    arn = account.run(build.pipeline(build.processing("B", "raise SystemExit(3)", RetryPolicies=[policy])))
    assert account.steps(arn)["B"]["AttemptCount"] == 1
    assert account.steps(arn)["B"]["FailureReason"] == "AlgorithmError: , exit code: 3"

    arn = account.run(build.pipeline(build.processing("C", "import os;os.kill(os.getpid(),9)", RetryPolicies=[policy])))
    assert account.steps(arn)["C"]["AttemptCount"] == 4
    assert "algo-1 was killed by signal 9" in account.execution(arn)["FailureReason"]


def test_values_reach_later_steps_and_conditions(account: Account, build: Build) -> None:
    program = "open('/opt/ml/processing/out/a.json','w').write('{\"n\": [1, 2]}')"
    write = build.processing("Write", program, outputs={"out": "s3://bucket/out"})
    write["PropertyFiles"] = [{"PropertyFileName": "F", "OutputName": "out", "FilePath": "a.json"}]
    read = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Write.PropertyFiles.F"}, "Path": "n[1]"}}
    equal = {"Type": "Equals", "LeftValue": read, "RightValue": {"Get": "Parameters.N"}}
    fail = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Steps.Gate.Outcome"}}}
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {"Conditions": [equal], "IfSteps": [fail], "ElseSteps": []},
    }
    parameters = [{"Name": "N", "Type": "Integer", "DefaultValue": 2}]
    arn = account.run(build.pipeline(write, gate, parameters=parameters))
    assert account.execution(arn)["FailureReason"] == "Step Fail failed: True"
    arn = account.run(build.pipeline(write, gate, parameters=parameters), {"N": "3"})
    assert account.statuses(arn) == {"Write": "Succeeded", "Gate": "Succeeded"}
    assert account.execution(arn)["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"S3Uri": "s3://bucket/gone.json", "Path": "a"}, "there is no object s3://bucket/gone.json"),
        ({"S3Uri": "s3://bucket/bad.json", "Path": "a"}, "is not JSON"),
        ({"S3Uri": "s3://bucket/good.json", "Path": "b"}, "b in s3://bucket/good.json has no value"),
    ],
)
def test_a_condition_without_a_value_fails_its_step(account: Account, build: Build, source: Any, message: str) -> None:
    account.s3.put_bytes("s3://bucket/bad.json", b"{")
    account.s3.put_bytes("s3://bucket/good.json", json.dumps({"a": 1}).encode())
    condition = {"Type": "Equals", "LeftValue": {"Std:JsonGet": source}, "RightValue": 1}
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [condition]}}
    arn = account.run(build.pipeline(gate))
    assert account.statuses(arn) == {"Gate": "Failed"}
    assert message in account.execution(arn)["FailureReason"]
