"""Whole executions whose containers are the fake engine's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.local.containers.choice import Choice, choose
from pipeline.local.containers.runner import ContainerRunner
from pipeline.local.containers.sweeping import containers, sweep
from pipeline.local.engine import run_execution
from pipeline.local.home import Home
from pipeline.local.leftovers import leftovers, remove
from pipeline.local.runner import Launch

LOOP = "import time\nprint('up', flush=True)\nwhile True: time.sleep(0.02)"


def run(account: Any, fake: Any, *steps: dict[str, Any], **changes: Any) -> str:
    """Run steps in containers; return the execution's ARN."""
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": list(steps)}
    arn: str = account.start(definition, _containers=fake.document)
    run_execution(account.home, arn, **changes)
    return arn


def reason(account: Any, arn: str) -> str:
    (step,) = account.steps(arn).values()
    return str(step["FailureReason"])


def until(what: Any) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def server_launch(home: Home, program: str = LOOP) -> Launch:
    base = home.root / "endpoints" / "bins" / "config"
    (base / "model").mkdir(parents=True)
    arguments = ("-S", "-E", "-c", program)
    return Launch("AllTraffic-1", base, "other/image:1", ("python3",), arguments, {}, 1, base / "1.log", serves=True)


def test_jobs_of_several_hosts_run_in_the_order_that_their_network_needs(account: Any, build: Any, fake: Any) -> None:
    program = (
        "import os,time; time.sleep(0.5); print('m=0.5', os.environ['SM_CURRENT_HOST']); open('/opt/ml/model/f','w')"
    )
    arn = run(account, fake, build.training("T", program, instances=2, EnableNetworkIsolation=True))
    assert account.statuses(arn) == {"T": "Succeeded"}
    first, second = fake.calls("run")
    assert "--network=none" in first
    assert any(argument.startswith("--network=container:") for argument in second)
    assert fake.names() == []


def test_what_an_engine_cannot_run_is_told_apart_from_what_fails(account: Any, build: Any, fake: Any) -> None:
    broken = build.processing("P", "")
    broken["Arguments"]["AppSpecification"]["ImageUri"] = "broken:1"
    assert reason(account, run(account, fake, broken)).startswith(
        "ClientError: CannotStartContainerError: Error: no room for another container (the engine did not take it"
    )
    own = build.processing("P", "print('not mine'); raise SystemExit(125)")
    assert reason(account, run(account, fake, own)) == "AlgorithmError: not mine, exit code: 125"
    missing = build.processing("P", "")
    missing["Arguments"]["AppSpecification"]["ImageUri"] = "gone:1"
    assert reason(account, run(account, fake, missing)) == (
        "ClientError: image gone:1 is not here: run `bincount images build`"
    )


def test_a_container_that_is_killed_says_so(account: Any, build: Any, fake: Any) -> None:
    found = reason(account, run(account, fake, build.processing("P", "import os; os.kill(os.getpid(), 9)")))
    assert found == "InternalServerError: algo-1 was killed by signal 9 (did memory run out?)"


def test_a_job_that_is_stopped_gets_its_sigterm_and_one_that_ignores_it_is_killed(
    account: Any, build: Any, fake: Any
) -> None:
    polite = "import signal,sys; signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit(0)))\n" + LOOP
    arn = run(account, fake, build.processing("P", polite, seconds=1))
    (step,) = account.steps(arn).values()
    assert "bye" in (account.home.jobs / step["_job"] / "log.txt").read_text()
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN)\n" + LOOP
    run(account, fake, build.processing("P", stubborn, seconds=1), grace=0.2)
    assert fake.names() == []


def test_a_job_whose_engine_process_is_killed_leaves_no_container(account: Any, build: Any, fake: Any) -> None:
    def kill() -> None:
        until(lambda: fake.names() and any(job["_pids"] for job in account.store.find("processing-job")))
        ((pid, _),) = account.store.find("processing-job")[0]["_pids"]
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    arn = run(account, fake, build.processing("P", LOOP))
    killer.join()
    assert "was killed by signal 9" in reason(account, arn)
    assert fake.names() == []


def test_what_a_killed_engine_left_is_stopped_before_its_execution_goes_on(
    account: Any, build: Any, fake: Any, tmp_path: Path
) -> None:
    mark = tmp_path / "second"
    program = f"import pathlib; m = pathlib.Path({str(mark)!r})\nif m.exists(): raise SystemExit\nm.touch()\n{LOOP}"
    arn = account.start(build.pipeline(build.processing("P", program)), _containers=fake.document)
    code = f"import sys; from pipeline.local.engine import main; sys.exit(main({arn!r}))"
    home = {**os.environ, "BINCOUNT_HOME": str(account.home.root)}
    with subprocess.Popen([sys.executable, "-c", code], env=home) as engine:
        until(lambda: fake.names() and mark.exists())
        engine.kill()
    assert fake.names()  # it lives on
    assert run_execution(account.home, arn, grace=0.5) == "Succeeded"
    assert fake.names() == []


def test_results_of_processes_do_not_stand_for_containers(account: Any, build: Any, fake: Any) -> None:
    step = build.processing("P", "print('ran')", CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    account.run(build.pipeline(step))
    assert "CacheHitResult" not in account.steps(run(account, fake, step))["P"]
    assert "CacheHitResult" in account.steps(run(account, fake, step))["P"]


def test_cleanup_finds_containers_that_nobody_watches(account: Any, fake: Any) -> None:
    runner = ContainerRunner(account.home, Choice.of(fake.document))
    launch = server_launch(account.home)
    client = runner.start(launch)
    until(fake.names)
    client.kill()
    client.wait()
    (found,) = leftovers(account.home)
    assert str(found) == "its folder and 1 container of bins, which is gone"
    remove(account.home, found)
    assert (fake.names(), leftovers(account.home), launch.base.exists()) == ([], [], False)


def test_a_server_is_started_in_place_of_the_one_that_lost_its_watch(account: Any, fake: Any) -> None:
    launch = server_launch(account.home)
    for _ in range(2):
        client = ContainerRunner(account.home, Choice.of(fake.document)).start(launch)
        until(fake.names)
        client.kill()
        client.wait()
    assert len(containers(account.home)) == 1
    sweep(account.home, launch.base)
    assert containers(account.home) == []


def test_the_choice_on_record_holds_unless_the_environment_names_another(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BINCOUNT_ENGINE")
    assert choose(fake.document) == Choice.of(fake.document)
    monkeypatch.setenv("BINCOUNT_ENGINE_ARGS", "--memory 1g")
    assert choose(fake.document).arguments == ("--memory", "1g")
    monkeypatch.setenv("BINCOUNT_ENGINE", "no-such-engine")
    with pytest.raises(UserError, match="no-such-engine does not work"):
        choose(fake.document)
