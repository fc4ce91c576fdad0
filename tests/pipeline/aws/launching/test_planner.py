from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.aws.launching.models import Data, Found, Need, Wanted
from pipeline.aws.launching.planner import plan, request_token
from pipeline.aws.pipelines import Current
from pipeline.building.images import Image

ROLE = "arn:aws:iam::123456789012:role/bincount-pipeline"
TEXT = '{"Version": "2020-12-01", "Steps": []}'
WANTED = Wanted("bincount-dev", TEXT, ROLE, {}, "bincount-123456789012-us-east-1", {"Epochs": "3"})
NOW = Current("arn", TEXT, ROLE, 7)


def image(uri: str) -> Image:
    return Image("train", uri, "containers/training/Dockerfile", ())


def test_nothing_is_done_twice() -> None:
    planned = plan(WANTED, Found(NOW))
    assert (planned.images, planned.functions, planned.files, planned.change) == ((), (), (), "same")
    assert (planned.version, planned.warnings) == (7, ())


def test_what_is_missing_is_made_in_the_order_of_the_wish() -> None:
    files = {key: Path(key) for key in ("a", "b", "c")}
    wanted = replace(
        WANTED, images=tuple(map(image, ("x:2", "y:1", "x:2", "z:1"))), data=Data("s3://bucket/data/1", files)
    )
    found = Found(
        None,
        missing_images=frozenset({"y:1", "x:2", "other"}),
        changed_functions=("deploy",),
        missing_files=frozenset({"c", "a"}),
    )
    planned = plan(wanted, found)
    assert [one.uri for one in planned.images] == ["x:2", "y:1"]
    assert planned.functions == ("deploy",)
    assert planned.files == ("a", "c")
    assert (planned.change, planned.version) == ("new", None)
    assert plan(replace(wanted, functions=False), found).functions == ()


def test_a_quota_below_the_need_is_told_and_one_that_is_not_known_is_not() -> None:
    needs = Need("training", "ml.m5.xlarge", 2), Need("processing", "ml.m5.xlarge", 1)
    quotas = {"ml.m5.xlarge for training job usage": 1.0}
    planned = plan(replace(WANTED, needs=needs), Found(NOW, quotas=quotas))
    (told,) = planned.warnings
    assert told.startswith("the quota 'ml.m5.xlarge for training job usage' is 1 and 2 are needed: ask for more under")
    enough = {"ml.m5.xlarge for training job usage": 2.0, "ml.m5.xlarge for processing job usage": 1.0}
    assert plan(replace(WANTED, needs=needs), Found(NOW, quotas=enough)).warnings == ()


def test_executions_that_run_are_told() -> None:
    (told,) = plan(WANTED, Found(NOW, running=("a", "b"))).warnings
    assert told == "this pipeline has 2 executions running, each with the definition of its start: a, b"


GITHUB = {"GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "run"}


def token(environment: dict[str, str], chance: str = "x", version: int | None = 1, **changes: Any) -> str:
    return request_token(replace(WANTED, **changes), version, environment, chance)


def test_a_run_of_a_ci_job_starts_once_whatever_chance_says() -> None:
    assert token(GITHUB) == token({**GITHUB, "OTHER": "x"}, chance="y")
    assert token({"CODEBUILD_BUILD_ID": "p:1"}) == token({"CODEBUILD_BUILD_ID": "p:1"}, chance="y")


@pytest.mark.parametrize(
    "other",
    [
        {"environment": {**GITHUB, "GITHUB_RUN_ATTEMPT": "2"}},
        {"environment": {**GITHUB, "GITHUB_RUN_ID": "2"}},
        {"environment": {"GITHUB_RUN_ID": "1"}},
        {"environment": GITHUB, "version": 2},
        {"environment": GITHUB, "parameters": {"Epochs": "4"}},
        {"environment": GITHUB, "definition": TEXT + " "},
        {"environment": GITHUB, "pipeline": "bincount-prod"},
        {"environment": GITHUB, "name": "mine"},
    ],
)
def test_another_attempt_or_another_wish_starts_anew(other: dict[str, Any]) -> None:
    assert token(**other) != token(GITHUB)


def test_outside_of_ci_each_command_starts_anew_and_the_service_takes_the_token() -> None:
    assert token({}, "x") != token({}, "y")
    assert len(token({})) == 64  # of 32 to 128
