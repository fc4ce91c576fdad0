from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called, Ran

ROOT = Path(__file__).parents[3]
CHURN = ROOT / "tests" / "fixtures" / "definitions" / "churn.json"


def test_a_run_that_passes_its_gate(ran: Ran) -> None:
    assert ran.passed.code == 0, ran.passed
    said = " ".join(ran.passed.out.split())
    for text in ("Fit Succeeded", "rows 6", "Gate Succeeded", "churn", "succeeded in", "gate auc 0.6 >= 0.5"):
        assert text in said


def test_a_run_below_its_gate(ran: Ran) -> None:
    assert ran.failed.code == 1, ran.failed
    said = " ".join(ran.failed.out.split())
    for text in (
        "Clean Succeeded from cache",
        "TooWeak Failed",
        "gate auc 0.6 is not >= 0.7",
        "the score is below 0.7",
    ):
        assert text in said
    assert "bincount resume" not in said  # it would end as it did


def test_a_definition_with_faults_is_not_run(home: Path, call: Callable[..., Called], tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"Version": "1"}')
    called = call("run", "--definition", bad)
    assert called.code == 1
    assert called.err.startswith(f"error: {bad} has ")
    assert called.err.count("\n") == 1


def test_an_unknown_parameter_is_named_with_a_near_one(home: Path, call: Callable[..., Called]) -> None:
    called = call("run", "--definition", CHURN, "-p", "minimumscore=1")
    assert called.code == 1
    assert "no parameter minimumscore (did you mean MinimumScore?)" in called.err
    assert "-p takes name=value" in call("run", "--definition", CHURN, "-p", "Rows").err


def slow(folder: Path) -> Path:
    """Write the pipeline whose first step waits until a file `go` is there, or SIGTERM comes."""
    whole = json.loads(CHURN.read_text())
    step = whole["Steps"][0]
    program = "import sys,time,os;print('begun',flush=True)\nwhile not os.path.exists(sys.argv[1]): time.sleep(.02)"
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"][-1] = program.replace("\n", ";exec('''") + "''')"
    step["Arguments"]["AppSpecification"]["ContainerArguments"] = [str(folder / "go")]
    del step["Arguments"]["ProcessingInputs"]
    step["Arguments"]["ProcessingOutputConfig"]["Outputs"] = []
    whole["Steps"] = [step]
    path = folder / "slow.json"
    path.write_text(json.dumps(whole))
    return path


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@contextmanager
def begun(folder: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a command line in a process of its own; what it prints goes to a file named after its verb."""
    command = [sys.executable, "-m", "pipeline.cli.main", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BINCOUNT_HOME": str(folder / "home")}
    with (
        (folder / f"{arguments[0]}.txt").open("w") as output,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
            if arguments[0] == "run":
                (folder / "go").touch()  # lets the job of a test that failed end as well


def test_ctrl_c_stops_the_execution_and_resume_continues_it(
    home: Path, tmp_path: Path, call: Callable[..., Called]
) -> None:
    with begun(tmp_path, "run", "--definition", slow(tmp_path)) as process:
        until(lambda: "begun" in call("logs", "Clean").out)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    said = (tmp_path / "run.txt").read_text()
    short = call("list").out.split("\t")[0]
    assert "stopping: jobs get time" in said
    assert f"bincount resume {short}" in said
    assert json.loads(call("status", "--json").out)["status"] == "Stopped"
    assert "no execution is running" in call("stop").err
    (tmp_path / "go").touch()
    resumed = call("resume", short)
    assert resumed.code == 0, resumed


def test_watch_leaves_on_ctrl_c_and_stop_stops(home: Path, tmp_path: Path, call: Callable[..., Called]) -> None:
    with begun(tmp_path, "run", "--definition", slow(tmp_path)) as running_:
        until(lambda: "begun" in call("logs", "Clean").out)
        with begun(tmp_path, "watch") as watching:
            until(lambda: "Clean" in (tmp_path / "watch.txt").read_text())
            watching.send_signal(signal.SIGINT)
            assert watching.wait(60) == 130
        assert json.loads(call("status", "--json").out)["status"] == "Executing"
        stopped = call("stop")
        assert stopped.code == 0, stopped
        assert "Stopped" in stopped.out
        assert running_.wait(60) == 130
