from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steps.common.job import JobError
from steps.common.labels import AUXILIARY, SPLITS
from steps.common.split_report import read_assignments, read_split_report
from steps.split.__main__ import arguments, settings

if TYPE_CHECKING:
    from tests.steps.split.conftest import Bins

ROOT = Path(__file__).parents[3]


def job(base: Path, *given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "steps.split", *given],
        cwd=ROOT,
        env={"SAGEMAKER_BASE_DIR": str(base), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_processing_job_and_the_one_after_it(bins: Bins, tmp_path: Path) -> None:
    bins.fill(0, 40)
    base = tmp_path / "job"
    inputs = base / "processing" / "input"
    inputs.mkdir(parents=True)
    (inputs / "photos").symlink_to(bins.photos)
    (inputs / "labels").symlink_to(bins.labels)
    (base / "config").mkdir()
    (base / "config" / "resourceconfig.json").write_text(
        json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}), encoding="utf-8"
    )
    done = job(base, "--size", "32", "--validation", "0.2", "--test", "0.2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "40 photos with a label" in done.stdout
    output = base / "processing" / "output"
    assert sorted(path.name for path in output.iterdir()) == sorted([*SPLITS, AUXILIARY, "report"])
    assert read_split_report(output / "report").settings.size == 32

    (inputs / "previous").symlink_to(output / "report")
    (tmp_path / "second").mkdir()
    again = job(base, "--size", "32", "--salt", "another", "--out", str(tmp_path / "second"))
    assert again.returncode == 0
    assert list(read_assignments(tmp_path / "second" / "report")) == list(read_assignments(output / "report"))


def test_a_failure_is_one_line_there_and_in_the_failure_file(tmp_path: Path) -> None:
    done = job(tmp_path, "--labels", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "output" / "failure").read_text(encoding="utf-8") == done.stderr[len("error: ") : -1]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--size", "0"], "--size: "),
        (["--side", "left"], "--side: "),
        (["--test", "0.9", "--validation", "0.1"], "--test: .*nothing for training"),
        (["--max-rejected", "5"], "--max-rejected: "),
        (["--salt"], "--salt"),
        (["--sale", "1"], "--sale"),
    ],
)
def test_wrong_arguments_are_one_line(given: list[str], named: str) -> None:
    with pytest.raises(JobError, match=named) as error:
        settings(vars(arguments().parse_args(given)))
    assert "\n" not in str(error.value)
