from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from pipeline.local.aws.launch import engine_lives, start_engine
from pipeline.local.home import Home

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/counts/execution/abcdefghijkl"


def test_the_engine_runs_detached_with_its_output_in_a_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    home.root.mkdir(parents=True)
    pid = start_engine(home, ARN)
    assert os.getsid(pid) == pid
    psutil.Process(pid).wait(timeout=60)
    # Started for an execution that does not exist, it says so, whatever the working directory.
    assert "abcdefghijkl" in (home.root / "engines" / "abcdefghijkl.log").read_text()


def test_a_living_process_is_an_engine_only_if_it_was_there_then() -> None:
    pid, now = os.getpid(), time.time()
    assert engine_lives(pid, ARN, now)
    assert not engine_lives(pid, ARN, psutil.Process(pid).create_time() - 60)


def test_a_process_that_names_the_execution_is_its_engine() -> None:
    waits = [sys.executable, "-c", "input('x')", ARN]
    process = subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)  # until exec is done, Linux shows an empty command line
    try:
        assert engine_lives(process.pid, ARN, 0.0)
    finally:
        process.communicate(b"\n")
    assert not engine_lives(process.pid, ARN, time.time())


def test_a_zombie_is_no_engine() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not engine_lives(process.pid, ARN, time.time())
    process.wait()
