import pytest

from pipeline.errors import UserError
from pipeline.settings import load_settings


@pytest.mark.parametrize(
    ("instance_type", "local"),
    [
        ("ml.g5.2xlarge", True),
        ("ml.g4dn.xlarge", True),
        ("ml.m5d.large", True),
        ("ml.p4d.24xlarge", True),
        ("ml.m5.xlarge", False),
        ("ml.c5.4xlarge", False),
        ("ml.p3.2xlarge", False),
    ],
)
def test_which_machines_have_their_disk_inside(instance_type: str, local: bool) -> None:
    settings = load_settings("demo", {"train.instance_type": instance_type})
    assert settings.train.has_local_disk is local


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"train.spot": True, "train.max_wait_minutes": 1}, "max_wait_minutes is at least max_runtime_minutes"),
        ({"split.validation": 0.6, "split.test": 0.4}, "must leave photos to train on"),
        ({"tune.ranges": {"learning_rat": {"min": 0, "max": 1}}}, "learning_rat, which is no hyper.*learning_rate"),
        ({"tune.ranges.backbone": {"min": 0, "max": 1}}, "range of backbone needs values"),
        ({"tune.ranges.dropout": {"min": 1, "max": 0}}, "min below max"),
        ({"tune.ranges.dropout": {"min": 1, "values": ["1"]}}, "not both"),
        ({"tune.strategy": "Grid"}, "a Grid search needs values"),
        (
            {"tune.strategy": "Grid", "tune.ranges": {"seed": {"values": ["1", "2", "3"]}}, "tune.trials": 2},
            "every point once: set trials to 3",
        ),
        ({"tune.ranges.dropout": {"min": 0, "max": 0.5, "scale": "Logarithmic"}}, "Logarithmic range has min above 0"),
        ({"tune.ranges.dropout": {"min": 0, "max": 1, "scale": "ReverseLogarithmic"}}, "lies in 0 <= x < 1"),
        ({"tune.ranges.batch_size": {"min": 16.5, "max": 32}}, "batch_size has whole numbers"),
        ({"tune.ranges.seed": {"values": [str(seed) for seed in range(31)]}}, "at most 30 items"),
        ({"split.max_runtime_minutes": 13000}, "less than or equal to 12960"),
        ({"tune.ranges": {}}, "tune.ranges: .*at least 1 item"),
        (
            {"tune.hyperparameters.batch_sise": 32},
            "tune.hyperparameters.batch_sise.*did you mean tune.hyper.*batch_size",
        ),
        (
            {"tune.hyperparameters.batch_size": "few"},
            "tune.hyperparameters.batch_size: Input should be a valid integer",
        ),
        ({"tune.hyperparameters.learning_rate": 1e-3}, "learning_rate has a range: leave it out of tune.hyper"),
        ({"tune.hyperparameters.teacher_weight": 0.3}, "teacher_weight is for Train alone"),
        ({"tune.ranges.teacher_weight": {"min": 0, "max": 1}}, "teacher_weight is for Train alone"),
    ],
)
def test_a_job_that_cannot_be_is_refused_in_one_line(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as refused:
        load_settings("demo", overrides)
    assert "\n" not in str(refused.value)


def test_what_trials_are_told_otherwise_survives_being_written_down() -> None:
    settings = load_settings("demo", {"tune.hyperparameters.batch_size": "64"})
    assert settings.tune.hyperparameters.model_fields_set == {"batch_size"}
    written = settings.model_dump_json()
    assert type(settings).model_validate_json(written) == settings
    # 64 is what Train has by default, and yet another setting than none: compiled definitions are kept by this text.
    assert written != load_settings("demo").model_dump_json()
