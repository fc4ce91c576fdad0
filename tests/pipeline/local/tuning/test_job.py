from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.local.engine import run_execution
from pipeline.local.slots import Slots

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build

# Prints its tuned value as the score, after a worse one.
SCORE = (
    "import json;h=json.load(open('/opt/ml/input/config/hyperparameters.json'))\n"
    "print('score=0.0');print('score='+h['x'])\n"
    "assert h['_tuning_objective_metric']=='score' and h['fixed']=='1';open('/opt/ml/model/m','w').write(h['x'])"
)
CATEGORIES = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["0.3", "0.9", "0.5", "0.7"]}]}
FIXED = {"StaticHyperParameters": {"fixed": "1"}}


def grid(trials: int | None = None, parallel: int = 1, **more: Any) -> dict[str, Any]:
    limits = {"MaxParallelTrainingJobs": parallel} | ({} if trials is None else {"MaxNumberOfTrainingJobs": trials})
    return {"Strategy": "Grid", "ParameterRanges": CATEGORIES, "ResourceLimits": limits, **more}


def test_the_best_trial_and_its_hyperparameters_reach_the_next_step(account: Account, build: Build) -> None:
    tune = build.tuning("Tune", SCORE, grid(parallel=2), **FIXED)
    best = {"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['x']"}
    name = {"Get": "Steps.Tune.TrainingJobSummaries[1].TrainingJobName"}
    train = build.training("Train", "", HyperParameters={"x": best, "second": name})
    arn = account.run(build.pipeline(tune, train), slots=Slots(2))
    assert account.statuses(arn) == {"Tune": "Succeeded", "Train": "Succeeded"}
    [job] = account.store.find("tuning-job")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert len(job["HyperParameterTuningJobName"]) <= 32
    counters = job["TrainingJobStatusCounters"]
    assert {name: count for name, count in counters.items() if count} == {"Completed": 4}
    summary = job["BestTrainingJob"]
    assert summary["TunedHyperParameters"] == {"x": "0.9"}
    assert summary["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize",
        "MetricName": "score",
        "Value": 0.9,
    }
    assert summary["TrainingJobName"].startswith(job["HyperParameterTuningJobName"])
    assert account.steps(arn)["Tune"]["_metrics"] == {"score": 0.9}
    [trained] = [j for j in account.store.find("training-job") if "_tuned" not in j]
    trials = account.store.find("training-job", job["HyperParameterTuningJobName"])
    second = next(j for j in trials if j["_tuned"] == {"x": "0.7"})
    assert trained["HyperParameters"] == {"x": "0.9", "second": second["TrainingJobName"]}


def test_the_number_of_trials_is_honoured(account: Account, build: Build) -> None:
    arn = account.run(build.pipeline(build.tuning("Tune", SCORE, grid(3), **FIXED)))
    assert account.statuses(arn) == {"Tune": "Succeeded"}
    assert len(account.store.find("training-job")) == 3


def test_a_failed_trial_does_not_fail_the_search_but_all_of_them_do(account: Account, build: Build) -> None:
    some = SCORE + "\nassert h['x']!='0.9','unlucky'"
    arn = account.run(build.pipeline(build.tuning("Tune", some, grid(), **FIXED)))
    assert account.statuses(arn) == {"Tune": "Succeeded"}
    [job] = account.store.find("tuning-job")
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "0.7"}
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 1

    arn = account.run(build.pipeline(build.tuning("Tune", "raise SystemExit('all bad')", grid(2), **FIXED)))
    assert "gave an objective: AlgorithmError: all bad" in account.execution(arn)["FailureReason"]


def test_without_the_metric_there_is_no_best(account: Account, build: Build) -> None:
    arn = account.run(build.pipeline(build.tuning("Tune", "print('nothing')", grid(1), **FIXED)))
    assert "no log line matched the objective metric score" in account.execution(arn)["FailureReason"]


def test_early_stopping_ends_a_trial_that_falls_behind(account: Account, build: Build) -> None:
    # The first three finish; the last, 0.1, would wait for ever.
    waits = SCORE + "\nimport sys,time;sys.stdout.flush()\nif h['x']=='0.1': time.sleep(60)"
    ranges = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["0.5", "0.7", "0.9", "0.1"]}]}
    config = grid(TrainingJobEarlyStoppingType="Auto") | {"ParameterRanges": ranges}
    arn = account.run(build.pipeline(build.tuning("Tune", waits, config, **FIXED)))
    assert account.statuses(arn) == {"Tune": "Succeeded"}
    statuses = {j["_tuned"]["x"]: j["TrainingJobStatus"] for j in account.store.find("training-job")}
    assert statuses == {"0.5": "Completed", "0.7": "Completed", "0.9": "Completed", "0.1": "Stopped"}


def test_a_stopped_search_goes_on_with_the_trials_it_has(account: Account, build: Build, tmp_path: Path) -> None:
    go = tmp_path / "go"
    waits = SCORE + f"\nimport os,time\nwhile h['x']!='0.3' and not os.path.exists({str(go)!r}): time.sleep(.01)"
    arn = account.start(build.pipeline(build.tuning("Tune", waits, grid(), **FIXED)))
    thread = threading.Thread(target=run_execution, args=(account.home, arn))
    thread.start()
    deadline = time.monotonic() + 20
    while not any(j["_tuned"]["x"] == "0.9" and j["_pids"] for j in account.store.find("training-job")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    account.store.update("execution", arn, PipelineExecutionStatus="Stopping")
    thread.join()
    assert account.statuses(arn) == {"Tune": "Stopped"}
    go.touch()
    assert run_execution(account.home, arn) == "Succeeded"
    [job] = account.store.find("tuning-job")
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "0.9"}
    trials = [(j["_tuned"]["x"], j["TrainingJobStatus"]) for j in account.store.find("training-job")]
    assert sorted(trials) == [*((x, "Completed") for x in ("0.3", "0.5", "0.7", "0.9")), ("0.9", "Stopped")]


def test_a_random_search_stopped_in_its_first_trial_draws_new_points_later(
    account: Account, build: Build, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    waits = SCORE + f"\nimport os,time\nwhile not os.path.exists({str(go)!r}): time.sleep(.01)"
    ranges = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]}
    config = grid(3) | {"Strategy": "Random", "ParameterRanges": ranges, "RandomSeed": 7}
    arn = account.start(build.pipeline(build.tuning("Tune", waits, config, **FIXED)))
    thread = threading.Thread(target=run_execution, args=(account.home, arn))
    thread.start()
    deadline = time.monotonic() + 20
    while not any(j["_pids"] for j in account.store.find("training-job")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    account.store.update("execution", arn, PipelineExecutionStatus="Stopping")
    thread.join()
    go.touch()
    assert run_execution(account.home, arn) == "Succeeded"
    done = [j["_tuned"]["x"] for j in account.store.find("training-job") if j["TrainingJobStatus"] == "Completed"]
    assert len(done) == len(set(done)) == 3


def test_what_only_the_service_can_do_is_refused(account: Account, build: Build) -> None:
    tune = build.tuning("Tune", SCORE, grid(), **FIXED)
    tune["Arguments"]["WarmStartConfig"] = {"WarmStartType": "TransferLearning"}
    arn = account.run(build.pipeline(tune))
    assert "WarmStartConfig do not run on this machine" in account.execution(arn)["FailureReason"]
