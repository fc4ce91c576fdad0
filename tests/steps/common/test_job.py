from __future__ import annotations

import json
from pathlib import Path

import pytest

from steps.common import job
from steps.common.job import Hosts, JobArguments, JobError, run_job


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return tmp_path


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def failing(error: Exception) -> None:
    raise error


def test_base_dir_is_the_service_s_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEMAKER_BASE_DIR")
    assert job.base_dir() == Path("/opt/ml")


def test_one_host_where_no_file_tells() -> None:
    assert job.training_hosts() == job.processing_hosts() == Hosts("algo-1", ("algo-1",))


def test_hosts_of_training_and_processing_jobs_lie_apart(base: Path) -> None:
    write(base / "input/config/resourceconfig.json", {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]})
    write(
        base / "config/resourceconfig.json",
        {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"},
    )
    assert job.training_hosts().rank == 1
    assert job.training_hosts().network_interface == "eth0"
    assert job.processing_hosts() == Hosts("algo-1", ("algo-1",), "lo")


def test_hyperparameters_lose_the_tuner_s_quotes_and_keys(base: Path) -> None:
    assert job.hyperparameters() == {}
    write(
        base / "input/config/hyperparameters.json",
        {"epochs": "3", "backbone": '"lite0"', "_tuning_objective_metric": "f1"},
    )
    assert job.hyperparameters() == {"epochs": "3", "backbone": "lite0"}


@pytest.mark.parametrize(
    ("text", "told"), [('{"epochs": 3}', "strings by name"), ("[]", "strings by name"), ('{"epochs"', "is no JSON")]
)
def test_hyperparameters_written_wrong_are_one_line(base: Path, text: str, told: str) -> None:
    path = base / "input/config/hyperparameters.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(JobError, match=told):
        job.hyperparameters()


def test_a_job_error_is_one_line_and_exit_1(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run_job(lambda: failing(JobError("bad\nname: mend it")))
    assert left.value.code == 1
    assert capsys.readouterr().err == "error: bad name: mend it\n"
    assert (base / "output/failure").read_text(encoding="utf-8") == "bad name: mend it"


def test_another_error_keeps_its_traceback_and_tells_its_kind(base: Path) -> None:
    with pytest.raises(ValueError):
        run_job(lambda: failing(ValueError("x" * 5000)))
    text = (base / "output/failure").read_text(encoding="utf-8")
    assert text.startswith("ValueError: xxx")
    assert len(text) == job.FAILURE_CHARACTERS


def test_names_that_are_no_unicode_do_not_hide_the_reason(base: Path) -> None:
    with pytest.raises(SystemExit):
        run_job(lambda: failing(JobError("photo \udcff is bad")))
    assert (base / "output/failure").read_text(encoding="utf-8") == "photo \\udcff is bad"


def test_a_failure_file_that_cannot_be_written_does_not_hide_the_reason(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (base / "output").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(SystemExit):
        run_job(lambda: failing(JobError("the reason")))
    assert capsys.readouterr().err.endswith("error: the reason\n")


def test_success_leaves_no_failure_file(base: Path) -> None:
    run_job(lambda: None)
    assert not (base / "output/failure").exists()


def test_wrong_arguments_are_job_errors() -> None:
    parser = JobArguments(prog="steps.x")
    parser.add_argument("--size", type=int)
    with pytest.raises(JobError, match=r"--size.*python3 -m steps\.x --help"):
        parser.parse_args(["--size", "large"])
