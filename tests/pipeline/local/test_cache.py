from __future__ import annotations

import pytest

from pipeline.local.cache import cache_key, expire_seconds
from pipeline.local.failures import StepError

TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "a"},
    "HyperParameters": {"x": "1", "y": "2"},
    "ResourceConfig": {"InstanceCount": 1},
    "OutputDataConfig": {"S3OutputPath": "s3://b/x"},
}


def test_documented_members_alone_make_the_key() -> None:
    key = cache_key("Training", TRAINING)
    assert key == cache_key("Training", {**TRAINING, "ResourceConfig": {"InstanceCount": 9}, "RoleArn": "r"})
    assert key == cache_key("Training", {**TRAINING, "HyperParameters": {"y": "2", "x": "1"}})
    assert key != cache_key("Training", {**TRAINING, "HyperParameters": {"x": "1", "y": "3"}})
    assert key != cache_key("Training", {**TRAINING, "CheckpointConfig": {"S3Uri": "s3://b/c"}})


def test_a_tuning_jobs_key_leaves_out_where_its_trials_run() -> None:
    request = {"HyperParameterTuningJobConfig": {"Strategy": "Random"}, "TrainingJobDefinition": TRAINING}
    moved = {**request, "TrainingJobDefinition": {**TRAINING, "OutputDataConfig": {"S3OutputPath": "s3://b/y"}}}
    other = {**request, "TrainingJobDefinition": {**TRAINING, "StaticHyperParameters": {"x": "1"}}}
    assert cache_key("Tuning", request) == cache_key("Tuning", moved)
    assert cache_key("Tuning", request) != cache_key("Tuning", other)


@pytest.mark.parametrize("type", ["Condition", "Fail", "Lambda", "RegisterModel"])
def test_other_steps_are_never_cached(type: str) -> None:
    assert cache_key(type, TRAINING) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("P30D", 2_592_000), ("p30d", 2_592_000), ("30d", 2_592_000), ("PT1H30M", 5400), ("P1Y2M1W", 37_324_800)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert expire_seconds({"ExpireAfter": text}) == seconds


def test_without_a_duration_a_result_never_grows_too_old() -> None:
    assert expire_seconds({}) == float("inf")


@pytest.mark.parametrize("text", ["", "P", "soon", "P1", "1H", "P-1D"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(StepError, match="ISO 8601"):
        expire_seconds({"ExpireAfter": text})
