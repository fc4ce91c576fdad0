from pathlib import Path

import pytest

from pipeline.building.engine import find
from pipeline.errors import UserError
from tests.engines import FakeEngine, install

URI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/bincount-training:train-0123"


def test_docker_is_taken_where_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, podman: FakeEngine) -> None:
    docker = install(tmp_path, monkeypatch, "docker", "Docker version 28.2.2, build e6534b4")
    assert find().kind == "docker"
    docker.fails("version", "Cannot connect to the Docker daemon.")
    assert find().kind == "podman"


def test_podman_under_docker_s_name_is_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "docker", "podman version 5.2.0")
    engine = find()
    assert (engine.kind, engine.command) == ("podman", ("docker",))


def test_a_wanted_engine_has_options_of_its_own(podman: FakeEngine) -> None:
    engine = find("podman --log-level=error")
    engine.run("ps")
    assert engine.kind == "podman"
    assert podman.calls[-1] == ["--log-level=error", "ps"]


def test_the_environment_names_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, podman: FakeEngine) -> None:
    install(tmp_path, monkeypatch, "docker", "Docker version 28")
    monkeypatch.setenv("BINCOUNT_ENGINE", "podman")
    assert find().kind == "podman"


def test_why_there_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BINCOUNT_ENGINE", raising=False)
    with pytest.raises(UserError, match="there is no container engine: install Docker or Podman"):
        find()
    with pytest.raises(UserError, match="nerdctl does not work: there is no such program"):
        find("nerdctl")
    docker = install(tmp_path, monkeypatch, "docker", "Docker version 28")
    docker.fails("version", "Cannot connect to the Docker daemon.")
    with pytest.raises(UserError, match=r"^docker does not work: Cannot connect to the Docker daemon\.$"):
        find()


def test_an_image_is_here_under_its_very_name(podman: FakeEngine) -> None:
    engine = find()
    assert not engine.has(URI)
    assert engine.manifest_type(URI) is None
    podman.holds(URI, "application/x")
    assert engine.has(URI)
    assert engine.manifest_type(URI) == "application/x"


def test_what_a_long_command_prints_is_told_as_it_comes(podman: FakeEngine) -> None:
    told: list[str] = []
    assert find().stream(["push", URI], told.append) == (0, ["Copying blob sha256:2"])
    assert told == ["Copying blob sha256:2"]
    podman.fails("push", "denied")
    assert find().stream(["push", URI], told.append) == (125, ["denied"])
