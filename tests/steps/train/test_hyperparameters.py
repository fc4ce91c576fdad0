from __future__ import annotations

import pytest

from steps.common.job import JobError
from steps.train.hyperparameters import Hyperparameters, parse


def test_strings_become_values() -> None:
    parameters = parse({"epochs": "3", "learning_rate": "1e-4", "freeze_batchnorm": "true", "weights": "none"})
    assert (parameters.epochs, parameters.learning_rate) == (3, 1e-4)
    assert parameters.freeze_batchnorm is True


def test_nothing_asked_gives_the_defaults() -> None:
    assert parse({}) == Hyperparameters()


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        JobError, match=r"unknown hyperparameter lerning_rate; known are epochs, batch_size, .*clip_norm"
    ):
        parse({"lerning_rate": "1"})


def test_the_sdk_s_own_keys_are_passed_over() -> None:
    assert parse({"sagemaker_job_name": "x"}) == Hyperparameters()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "0"),
        ("epochs", "many"),
        ("backbone", "vgg"),
        ("learning_rate", "nan"),
        ("learning_rate", "inf"),
        ("class_balance", "1.1"),
        ("dropout", "1"),
        ("image_size", "8"),
        ("seed", "-1"),
    ],
)
def test_a_value_out_of_its_limits_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(JobError) as caught:
        parse({name: value})
    assert f"{name}={value!r}" in str(caught.value)
    assert "\n" not in str(caught.value)
