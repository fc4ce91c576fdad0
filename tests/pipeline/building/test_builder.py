import threading
from pathlib import Path

import pytest

from pipeline.building.builder import build, command
from pipeline.building.engine import Engine, find
from pipeline.building.images import images_of
from pipeline.errors import UserError
from pipeline.images import ROOT
from pipeline.settings import load_settings
from tests.engines import FakeEngine

SPLIT = images_of(load_settings("demo", {"images.base": "base:1"}))[0]


def ignore(line: str) -> None: ...


def test_a_build_names_all_that_makes_the_image() -> None:
    podman = command(SPLIT, Engine("podman", ("podman",)), ["--network", "host"])
    assert podman[:4] == ["build", "--format", "docker", "--platform=linux/amd64"]
    assert f"--file={ROOT / 'containers/processing/Dockerfile'}" in podman
    assert f"--tag={SPLIT.uri}" in podman
    assert {"--build-arg=STEP=split", "--build-arg=BASE_IMAGE=base:1"} < set(podman)
    assert f"--label=org.opencontainers.image.version={SPLIT.tag}" in podman
    assert podman[-3:] == ["--network", "host", str(ROOT)]


def test_docker_makes_a_manifest_that_sagemaker_takes() -> None:
    docker = command(SPLIT, Engine("docker", ("docker",)))
    assert docker[:2] == ["buildx", "build"]
    assert {"--provenance=false", "--sbom=false"} < set(docker)
    assert docker[docker.index("--output") + 1] == "type=docker"


def test_an_image_is_built_once(tmp_path: Path, podman: FakeEngine) -> None:
    told: list[str] = []
    assert build(SPLIT, find(), tmp_path / "logs", told.append)
    assert not build(SPLIT, find(), tmp_path / "logs", told.append)
    assert len(podman.called("build")) == 1
    assert told == ["STEP 1/2: FROM base"]
    assert (tmp_path / "logs" / f"{SPLIT.tag}.log").read_text() == "STEP 1/2: FROM base\n"


def test_of_two_callers_at_once_one_builds(tmp_path: Path, podman: FakeEngine) -> None:
    built: list[bool] = []
    engine = find()
    threads = [threading.Thread(target=lambda: built.append(build(SPLIT, engine, tmp_path, ignore))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(built) == [False, False, True]
    assert len(podman.called("build")) == 1


def test_a_build_that_fails_says_why_and_where_the_log_is(tmp_path: Path, podman: FakeEngine) -> None:
    podman.fails("build", "no space left on device")
    log = tmp_path / f"{SPLIT.tag}.log"
    with pytest.raises(UserError, match=r"split-[0-9a-f]{12} could not be built: no space left on device") as raised:
        build(SPLIT, find(), tmp_path, ignore)
    assert str(log) in str(raised.value)
    assert log.read_text() == "no space left on device\n"
    assert build(SPLIT, find(), tmp_path, ignore)


def test_an_oci_manifest_is_refused_before_it_is_pushed(tmp_path: Path, podman: FakeEngine) -> None:
    podman.makes("application/vnd.oci.image.manifest.v1+json")
    with pytest.raises(UserError, match="which SageMaker refuses"):
        build(SPLIT, find(), tmp_path, ignore)
