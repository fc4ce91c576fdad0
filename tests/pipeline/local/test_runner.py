from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipeline.local.failures import StepError
from pipeline.local.runner import Launch, ProcessRunner

SHOW = "import json,os,sys;print(json.dumps([sys.argv[1:],dict(os.environ),os.getcwd(),sys.executable]))"


def launch(base: Path, *arguments: str, entrypoint: tuple[str, ...] | None, image: str = "x", **more: str) -> Launch:
    return Launch("algo-1", base, image, entrypoint, arguments, more, 2, base / "log")


def test_a_host_sees_its_own_opt_ml_and_little_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "HTTPS_PROXY", "GITHUB_TOKEN", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "secret")
    arguments = ("/opt/ml", "--x=/opt/ml/in", "'/opt/ml/a':'/opt/ml/b'", "/my/opt/ml/x", "/opt/mlx", "s3://b/opt/ml/x")
    given = launch(tmp_path, *arguments, entrypoint=("python3", "-c", SHOW), OWN="/opt/ml/model", PYTHONPATH="mine")
    process = ProcessRunner().start(given)
    assert process.wait() == 0
    argv, environment, folder, executable = json.loads(given.log.read_text())
    base = str(tmp_path)
    assert argv == [base, f"--x={base}/in", f"'{base}/a':'{base}/b'", "/my/opt/ml/x", "/opt/mlx", "s3://b/opt/ml/x"]
    assert (folder, executable) == (base, sys.executable)
    assert "secret" not in environment.values()
    assert environment["OWN"] == f"{base}/model"
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["SAGEMAKER_BASE_DIR"] == base
    assert environment["PYTHONPATH"] == "mine"  # what the job sets is what it gets


def test_the_steps_of_this_repository_can_be_imported(tmp_path: Path) -> None:
    given = launch(tmp_path, entrypoint=("python3", "-c", "import steps.common.job"))
    assert ProcessRunner().start(given).wait() == 0, given.log.read_text()


def test_our_images_bring_their_own_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.images.entrypoint_of", {"ours": ["python3", "-c", SHOW]}.get)
    given = launch(tmp_path, "train", entrypoint=None, image="ours")
    assert ProcessRunner().start(given).wait() == 0
    assert json.loads(given.log.read_text())[0] == ["train"]
    with pytest.raises(StepError, match="image theirs is not one of this repository's"):
        ProcessRunner().start(launch(tmp_path, entrypoint=None, image="theirs"))


def test_a_program_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no-such of image x is no program here"):
        ProcessRunner().start(launch(tmp_path, entrypoint=("no-such",)))
