"""The order in which a plan is carried out, and what an execution is started with; moto answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.aws import inspection
from pipeline.aws.executions import executions
from pipeline.aws.launching import executor, inventory
from pipeline.aws.launching.models import Need, Wanted
from pipeline.aws.launching.planner import plan
from pipeline.building.images import Image
from pipeline.errors import UserError

ROLE = "arn:aws:iam::123456789012:role/bincount-pipeline"
BUCKET = "bincount-123456789012-us-east-1"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
IMAGES = tuple(
    Image("train", f"{REGISTRY}/bincount-{kind}:train-1", "containers/training/Dockerfile", ())
    for kind in ("training", "inference")
)


def wanted(message: str = "no", **members: Any) -> Wanted:
    step = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    text = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]})
    return Wanted("bincount-dev", text, ROLE, {"project": "bincount"}, BUCKET, {}, functions=False, **members)


def launch(session: boto3.Session, what: Wanted, folder: Path, said: list[str] | None = None) -> str:
    planned = plan(what, inventory.read(session, what))
    return executor.execute(session, planned, folder, (said if said is not None else []).append).arn


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the container engine was asked for, which is not there."""
    asked: list[str] = []
    monkeypatch.setattr(executor, "find", lambda: None)
    monkeypatch.setattr(executor, "build", lambda image, *_, **__: asked.append(f"build {image}"))
    monkeypatch.setattr(executor, "push", lambda images, *_: asked.append(f"push {len(images)}"))
    return asked


def test_missing_images_are_all_built_before_one_is_pushed_and_before_the_start(
    moto_session: boto3.Session, tmp_path: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = moto_session.client("ecr")
    for name in ("bincount-training", "bincount-inference"):
        client.create_repository(repositoryName=name)
    launch(moto_session, wanted(images=IMAGES), tmp_path)
    assert done == ["build bincount-training:train-1", "build bincount-inference:train-1", "push 2"]

    def broken(*_: Any, **__: Any) -> None:
        raise UserError("it could not be built")

    monkeypatch.setattr(executor, "build", broken)
    with pytest.raises(UserError, match="it could not be built"):
        launch(moto_session, wanted("later", images=IMAGES), tmp_path)
    assert len(executions(moto_session, "bincount-dev")) == 1


def test_a_run_of_a_ci_job_that_repeats_the_command_starts_once(
    moto_session: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEBUILD_BUILD_ID", "bincount:1")
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    first = launch(moto_session, wanted(), tmp_path)
    assert launch(moto_session, wanted(), tmp_path) == first
    monkeypatch.setenv("CODEBUILD_BUILD_ID", "bincount:2")
    assert launch(moto_session, wanted(), tmp_path) != first


def test_two_plans_made_before_either_is_carried_out_each_run_their_own(
    moto_session: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_RUN_ID", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    mine, theirs = wanted("mine"), wanted("theirs")
    plans = [plan(one, inventory.read(moto_session, one)) for one in (mine, theirs)]
    assert [one.change for one in plans] == ["new", "new"]
    arns = [executor.execute(moto_session, one, tmp_path).arn for one in plans]
    ran = [inspection.definition(moto_session, arn)["Steps"][0]["Arguments"]["ErrorMessage"] for arn in arns]
    assert ran == ["mine", "theirs"]
    assert len(executions(moto_session, "bincount-dev")) == 2
    # A third sees both run, and that the definition of the last one is what is there.
    seen = plan(theirs, inventory.read(moto_session, theirs))
    assert (seen.change, seen.version) == ("same", 2)
    assert "has 2 executions running" in seen.warnings[0]


class Quotas:
    """Service Quotas, which moto does not list: two pages, or a refusal."""

    def __init__(self, refused: bool = False) -> None:
        self.refused = refused
        self.pages = 0

    def client(self, _service: str) -> Any:
        return self

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, ServiceCode: str) -> Any:  # noqa: N803 - the API's name
        from botocore.exceptions import ClientError

        assert ServiceCode == "sagemaker"
        if self.refused:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListServiceQuotas")
        for name, value in (("ml.m5.xlarge for training job usage", 0.0), ("ml.c5.xlarge for endpoint usage", 4.0)):
            self.pages += 1
            yield {"Quotas": [{"QuotaName": name, "Value": value}]}


def test_quotas_are_read_until_all_are_found_and_no_right_to_is_no_error() -> None:
    session: Any = Quotas()
    needs = [Need("training", "ml.m5.xlarge", 1)]
    assert inventory.quotas(session, needs) == {"ml.m5.xlarge for training job usage": 0.0}
    assert session.pages == 1
    assert inventory.quotas(session, [*needs, Need("processing", "ml.p4d.24xlarge", 1)]) == {
        "ml.m5.xlarge for training job usage": 0.0
    }
    refused: Any = Quotas(refused=True)
    assert inventory.quotas(refused, needs) == {}
    assert inventory.quotas(refused, []) == {}
