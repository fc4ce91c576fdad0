"""Caching as executions see it; the key itself is in test_cache.py."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from pipeline.local.store import Document

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build

CACHE = {"Enabled": True, "ExpireAfter": "P1D"}
WRITE = "open('/opt/ml/processing/out/a','w').write('x')"


def cached(build: Build, out: str = "s3://bucket/out", **members: Any) -> dict[str, Any]:
    return build.pipeline(build.processing("A", WRITE, outputs={"out": out}, CacheConfig=CACHE, **members))


def hit(account: Account, arn: str) -> str | None:
    step: Document = account.steps(arn)["A"]
    assert step["StepStatus"] == "Succeeded"
    return step["CacheHitResult"]["SourcePipelineExecutionArn"] if "CacheHitResult" in step else None


def test_the_same_step_is_not_run_twice_and_its_properties_are_reused(account: Account, build: Build) -> None:
    first = account.run(cached(build))
    # Neither outputs nor instances are in the key: the first run's output is what later steps get.
    second = account.run(cached(build, out="s3://bucket/elsewhere", seconds=30))
    third = account.run(cached(build))
    assert [hit(account, arn) for arn in (first, second, third)] == [None, first, first]
    assert account.steps(second)["A"]["_properties"] == account.steps(first)["A"]["_properties"]
    assert len(account.store.find("processing-job")) == 1


def test_another_environment_is_another_key(account: Account, build: Build) -> None:
    account.run(cached(build))
    assert hit(account, account.run(cached(build, environment={"A": "b"}))) is None


def test_a_step_that_does_not_ask_for_the_cache_runs(account: Account, build: Build) -> None:
    definition = cached(build)
    account.run(definition)
    del definition["Steps"][0]["CacheConfig"]
    assert hit(account, account.run(definition)) is None


def test_missing_or_changed_artifacts_are_a_miss(account: Account, build: Build) -> None:
    account.run(cached(build))
    shutil.rmtree(account.home.s3 / "bucket")
    second = account.run(cached(build))
    assert hit(account, second) is None
    account.s3.put_bytes("s3://bucket/out/a", b"of somebody else")
    assert hit(account, account.run(cached(build))) is None


def test_old_and_failed_results_and_other_pipelines_are_not_taken(account: Account, build: Build) -> None:
    first = account.run(cached(build))
    account.store.update("step", f"{first}/A", EndTime=1.0)
    second = account.run(cached(build))
    assert hit(account, second) is None
    account.store.update("step", f"{second}/A", StepStatus="Failed")
    assert hit(account, account.run(cached(build))) is None
    for execution in account.store.find("execution"):
        arn = execution["PipelineExecutionArn"]
        account.store.delete("execution", arn)
        account.store.create("execution", arn, execution, "other")
    assert hit(account, account.run(cached(build))) is None


def test_a_duration_that_cannot_be_read_fails_the_step(account: Account, build: Build) -> None:
    definition = cached(build)
    definition["Steps"][0]["CacheConfig"] = {"Enabled": True, "ExpireAfter": "soon"}
    assert "ISO 8601" in account.execution(account.run(definition))["FailureReason"]
