from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.local.containers.choice import Choice, arguments_of
from pipeline.local.containers.command import container_name, hosts_file, run_command
from pipeline.local.home import Home
from pipeline.local.runner import Launch

HOME = Home(Path("/srv/me/.bincount"))
BASE = HOME.root / "jobs" / "job" / "algo-1"
LAUNCH = Launch("algo-1", BASE, "x/y:1", None, ("train",), {"SECRET": "s"}, 2, BASE / "log", hosts=("algo-1",))
PODMAN = Choice("podman", ("podman",))
HOST = replace(PODMAN, arguments=("--network", "host"))


def arguments(launch: Launch, choice: Choice = PODMAN) -> tuple[str, ...]:
    return run_command(launch, choice, HOME).arguments


def test_the_image_runs_its_own_entrypoint_unless_the_job_names_one() -> None:
    assert arguments(LAUNCH)[-2:] == ("x/y:1", "train")
    named = arguments(replace(LAUNCH, entrypoint=("python3", "-m", "x")))
    assert named[-5:] == ("--entrypoint=python3", "x/y:1", "-m", "x", "train")


def test_values_of_variables_are_not_arguments_unless_the_engine_would_take_them_as_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "mine")
    given = replace(LAUNCH, environment={"SECRET": "s", "HTTP_PROXY": "theirs", "DOCKER_HOST": "x", "A": "b\nc"})
    command = run_command(given, PODMAN, HOME)
    passed = [argument for argument in command.arguments if argument.startswith("--env=")]
    assert {"--env=SECRET", "--env=A", "--env=HTTP_PROXY=theirs", "--env=DOCKER_HOST=x"} <= set(passed)
    assert command.environment["SECRET"] == "s"
    assert command.environment["A"] == "b\nc"
    assert not {"HTTP_PROXY", "DOCKER_HOST"} & command.environment.keys()
    assert command.environment["SAGEMAKER_BASE_DIR"] == str(BASE)
    assert not any(argument.startswith("--env=SAGEMAKER_BASE_DIR") for argument in passed)


def test_a_job_in_isolation_has_no_network_and_its_other_hosts_have_the_same_none() -> None:
    job = replace(LAUNCH, hosts=("algo-1", "algo-2"), isolated=True)
    assert "--network=none" in arguments(job)
    other = replace(job, host="algo-2", base=BASE.parent / "algo-2")
    assert f"--network=container:{container_name(job)}" in arguments(other)
    assert not any(argument.startswith("--network") for argument in arguments(LAUNCH))
    assert hosts_file(job).splitlines()[0] == "127.0.0.1 localhost algo-1 algo-2"


def test_in_the_network_of_the_machine_nothing_is_said_of_networks() -> None:
    job = replace(LAUNCH, hosts=("algo-1", "algo-2"), isolated=True, serves=True)
    more = arguments(job, HOST)
    assert [argument for argument in more if "network" in argument or "publish" in argument] == ["--network"]


def test_a_server_gets_its_model_to_read_and_serves_where_the_service_would_have_it() -> None:
    ports = {"SAGEMAKER_BIND_TO_PORT": "4321", "SERVER_HOST": "127.0.0.1", "METRICS_PORT": "4322", "OWN": "1"}
    server = replace(LAUNCH, environment=ports, serves=True, isolated=True)
    command = run_command(server, PODMAN, HOME)
    assert [a for a in command.arguments if a.startswith("--publish")] == [
        "--publish=127.0.0.1:4321:8080",
        "--publish=127.0.0.1:4322:9090",
    ]
    mounts = [a for a in command.arguments if a.startswith("--mount")]
    assert mounts == [f'--mount=type=bind,"source={BASE}/model",target=/opt/ml/model,readonly']
    assert not any("BIND_TO_PORT" in argument for argument in command.arguments)
    assert command.environment["SAGEMAKER_BIND_TO_PORT"] == "4321"  # the record of the server is held against it
    assert "--env=SAGEMAKER_BIND_TO_PORT=4321" in arguments(server, HOST)


def test_docker_as_root_runs_a_job_as_the_user_who_must_delete_its_files() -> None:
    docker = Choice("docker", ("docker",), user="1000:1000")
    command = run_command(LAUNCH, docker, HOME)
    assert "--user=1000:1000" in command.arguments
    assert not any("http-proxy" in argument for argument in command.arguments)  # podman's alone
    assert any(argument.startswith("--env=HOME") for argument in command.arguments)


def test_two_jobs_and_two_homes_never_share_a_name() -> None:
    elsewhere = replace(LAUNCH, base=Path("/other/.bincount/jobs/job/algo-1"))
    assert container_name(LAUNCH) == container_name(replace(LAUNCH, image="z"))
    assert len({container_name(LAUNCH), container_name(elsewhere), container_name(LAUNCH, "algo-2")}) == 3


@pytest.mark.parametrize("text", ["--network=bridge", "--net mine", "'"])
def test_arguments_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="BINCOUNT_ENGINE_ARGS: "):
        arguments_of(text)


def test_arguments_are_words_of_a_shell() -> None:
    assert arguments_of("--network=host --ulimit 'nofile=1:1'") == ("--network=host", "--ulimit", "nofile=1:1")
    assert Choice("podman", ("podman",), arguments_of("--net host")).host_network
