import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from pipeline.aws import inspection
from pipeline.building.images import images_of
from pipeline.settings import load_settings
from tests.engines import FakeEngine, install
from tests.manifests import put_image
from tests.pipeline.cli.conftest import Called

LOCAL = images_of(load_settings("local"))
AWS = images_of(load_settings("local", {"aws.account": "123456789012"}))


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    return install(tmp_path, monkeypatch)


@pytest.fixture
def account(moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """Return the session that `--target aws` opens."""
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    return moto_session


def test_build_makes_what_is_not_here(call: Callable[..., Called], home: Path, podman: FakeEngine) -> None:
    podman.holds(LOCAL[0].uri)
    built = call("images", "build", "--engine-args", "--network 'host'")
    assert built.code == 0
    assert built.lines == [f"{'here' if one is LOCAL[0] else 'built'}\t{one.uri}" for one in LOCAL]
    assert "  STEP 1/2: FROM base" in built.err
    assert all(arguments[-3:-1] == ["--network", "host"] for arguments in podman.called("build"))
    assert len(list((home / "images").glob("*.log"))) == len(LOCAL) - 1


def test_build_takes_steps(call: Callable[..., Called], home: Path, podman: FakeEngine) -> None:
    assert call("images", "build", "train", "split").lines == [f"built\t{one.uri}" for one in LOCAL[:2]]
    assert call("images", "build", "tune").code == 2


def test_build_that_fails_is_one_line(call: Callable[..., Called], home: Path, podman: FakeEngine) -> None:
    podman.fails("build", "COPY failed")
    failed = call("images", "build", "train")
    assert failed.code == 1
    assert failed.err.splitlines()[-1].startswith("error: bincount-training:train-")
    assert "COPY failed (all of what podman said: " in failed.err
    assert call("images", "build", "--engine-args", "'").code == 1


def test_list_says_where_images_are(
    call: Callable[..., Called], home: Path, podman: FakeEngine, account: boto3.Session
) -> None:
    podman.holds(LOCAL[1].uri)
    assert [line.split("\t")[:3] for line in call("images", "list").lines] == [
        ["split", "no", "?"],
        ["train", "yes", "?"],
        ["evaluate", "no", "?"],
        ["inference", "no", "?"],
    ]
    for one in AWS[:2]:
        put_image(account, one.repository, one.tag)
    put_image(account, AWS[3].repository, "older")
    found = json.loads(call("images", "list", "--target", "aws", "--json").out)
    assert [one["in_ecr"] for one in found] == [True, True, False, False]
    assert [one["image"] for one in found] == [one.uri for one in AWS]
    assert {one["here"] for one in found} == {False}


def test_list_needs_no_engine(
    call: Callable[..., Called], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BINCOUNT_ENGINE", raising=False)
    listed = call("images", "list", "--json")
    assert listed.code == 0
    assert {one["here"] for one in json.loads(listed.out)} == {None}
    assert "there is no container engine" in listed.err


def test_push_brings_what_ecr_has_not(
    call: Callable[..., Called], home: Path, podman: FakeEngine, account: boto3.Session
) -> None:
    for one in AWS:
        podman.holds(one.uri)
        put_image(account, one.repository, one.tag if one is AWS[0] else "older")
    assert call("images", "push").lines == [f"{'in ECR' if one is AWS[0] else 'pushed'}\t{one.uri}" for one in AWS]
    assert call("images", "push", "split").lines == [f"in ECR\t{AWS[0].uri}"]


def test_push_before_bootstrap(
    call: Callable[..., Called], home: Path, podman: FakeEngine, account: boto3.Session
) -> None:
    failed = call("images", "push")
    assert failed.code == 1
    assert failed.err.splitlines()[-1].endswith("run `bincount bootstrap`")
