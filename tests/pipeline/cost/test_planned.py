import pytest

from pipeline.cost.planned import PRICED, Planned, planned
from pipeline.errors import UserError
from pipeline.settings import load_settings


def test_prod_starts_what_its_profile_says() -> None:
    split, tune, train, evaluate = planned(load_settings("prod"), {})
    assert split == Planned("Split", 1, 4, "ml.m5.xlarge", 6.0, 200, spot=False)
    assert tune == Planned("Tune", 16, 1, "ml.g5.2xlarge", 8.0, 0, spot=True)
    assert train == Planned("Train", 1, 2, "ml.g5.2xlarge", 24.0, 0, spot=True)
    assert evaluate == Planned("Evaluate", 1, 1, "ml.c5.4xlarge", 3.0, 100, spot=False)
    assert tune.machine_hours == 128


def test_parameters_override_the_settings() -> None:
    given = {
        "ProcessingInstanceCount": "3",
        "TuningInstanceCount": "2",
        "TrainingInstanceType": "ml.m5.4xlarge",
        "TrainingInstanceCount": "5",
        "EvaluationInstanceType": "ml.g5.xlarge",
        "Epochs": "3",
    }
    split, tune, train, evaluate = planned(load_settings("prod"), given)
    assert (split.instances, split.instance_type) == (3, "ml.m5.xlarge")
    assert tune.machine_hours == 256
    assert (train.instances, train.instance_type, train.disk_gb) == (5, "ml.m5.4xlarge", 200)
    assert (evaluate.instances, evaluate.instance_type, evaluate.disk_gb) == (1, "ml.g5.xlarge", 0)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "", "²", "9999999"])
def test_a_count_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="TrainingInstanceCount is a whole number of 1 or more, not "):
        planned(load_settings("demo"), {"TrainingInstanceCount": value})


def test_the_parameters_are_those_of_the_definition(compiled_parameters: dict[str, object]) -> None:
    machines = {name for name in compiled_parameters if "Instance" in name}
    assert {name for names in PRICED.values() for name in names if name} == machines


@pytest.fixture(scope="module")
def compiled_parameters() -> dict[str, object]:
    from pipeline.definition.parameters import declare

    return {one.name: one.default_value for one in declare(load_settings("demo")).all()}
