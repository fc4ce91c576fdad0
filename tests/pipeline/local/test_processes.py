from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

from pipeline.local.processes import signal_group, started, stop_orphans


def start(program: str, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    log = (folder / "log").open("wb")
    command = [sys.executable, "-S", "-E", "-c", program]
    with log:
        process = subprocess.Popen(command, env=environment, stdout=log, start_new_session=True)
    while "begun" not in (folder / "log").read_text():
        time.sleep(0.01)
    return process


SLEEP = "import time;print('begun',flush=True);time.sleep(60)"
STUBBORN = "import signal,time;signal.signal(15,signal.SIG_IGN);print('begun',flush=True);time.sleep(60)"


def test_a_recorded_process_is_stopped(tmp_path: Path) -> None:
    process = start(SLEEP, tmp_path)
    stop_orphans([(process.pid, started(process.pid) or 0.0)], tmp_path)
    assert process.wait(10) == -15


def test_a_stubborn_one_is_killed_after_the_grace(tmp_path: Path) -> None:
    process = start(STUBBORN, tmp_path)
    stop_orphans([(process.pid, started(process.pid) or 0.0)], tmp_path, grace=0.1)
    assert process.wait(10) == -9


def test_a_process_that_only_has_the_number_is_left_alone(tmp_path: Path) -> None:
    process = start(SLEEP, tmp_path)
    stop_orphans([(process.pid, (started(process.pid) or 0.0) - 100)], tmp_path, grace=0.1)
    assert process.poll() is None
    assert signal_group(process.pid, 9)
    process.wait(10)


def test_what_was_started_and_not_recorded_is_found_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ours = start(SLEEP, tmp_path, SAGEMAKER_BASE_DIR=str(tmp_path / "job" / "algo-1"))
    others = start(SLEEP, tmp_path / "other", SAGEMAKER_BASE_DIR=str(tmp_path / "job2" / "algo-1"))
    stop_orphans([], tmp_path / "job", grace=0.1)
    assert ours.wait(10) in {-15, -9}
    assert others.poll() is None
    others.kill()
    others.wait(10)


def test_no_process_has_no_start(tmp_path: Path) -> None:
    process = start("print('begun')", tmp_path)
    process.wait()
    assert started(process.pid) is None
    assert not signal_group(process.pid, 15)
    assert not psutil.pid_exists(process.pid)
