from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.job_settings import Hyperparameters
from pipeline.settings import PROFILES, Settings, load_settings


def test_there_are_five_profiles_and_each_is_whole() -> None:
    assert PROFILES == ("baseline", "demo", "dev", "local", "prod")
    assert [load_settings(profile).profile for profile in PROFILES] == list(PROFILES)


def test_the_demo_chooses_among_two_trials_and_trains_on_two_hosts() -> None:
    demo = load_settings("demo")
    assert (demo.tune.trials, demo.train.instance_count) == (2, 2)
    assert 0.2 < demo.gate.min_macro_f1 < 1  # above chance: passed by learning only


def test_the_baseline_is_one_instance_and_one_trial_with_the_defaults() -> None:
    baseline = load_settings("baseline")
    assert (baseline.train.instance_count, baseline.tune.instance_count, baseline.tune.trials) == (1, 1, 1)
    assert baseline.hyperparameters == Hyperparameters()
    for name, range_ in baseline.tune.ranges.items():
        assert [float(value) for value in range_.values] == [getattr(Hyperparameters(), name)]


def test_prod_is_spot_on_two_gpu_hosts_after_a_bayesian_search_that_stops_early() -> None:
    prod = load_settings("prod")
    assert prod.train.spot
    assert prod.train.instance_count == 2
    assert prod.train.instance_type.startswith(("ml.g", "ml.p"))
    assert prod.hyperparameters.checkpoint_steps > 0
    assert (prod.tune.strategy, prod.tune.early_stopping) == ("Bayesian", True)


def test_overrides_come_as_text_or_typed_by_dotted_names() -> None:
    settings = load_settings(
        "demo",
        {"tune.trials": "3", "train.spot": False, "aws.subnets": "subnet-1,subnet-2", "aws.security_groups": ["sg-1"]},
    )
    assert settings.tune.trials == 3
    assert settings.aws.subnets == ("subnet-1", "subnet-2")
    assert settings.aws.security_groups == ("sg-1",)
    assert settings.tune.epochs == load_settings("demo").tune.epochs


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings("demo").tune.trials = 5  # type: ignore[misc]


def test_each_kind_of_job_has_a_role_of_its_own() -> None:
    settings = load_settings("demo", {"aws.account": "111122223333", "aws.training_role": "arn:aws:iam::1:role/mine"})
    assert settings.role("pipeline") == "arn:aws:iam::111122223333:role/bincount-pipeline"
    assert settings.role("processing") == "arn:aws:iam::111122223333:role/bincount-processing"
    assert settings.role("training") == "arn:aws:iam::1:role/mine"


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_a_role_is_in_the_partition_of_its_region(region: str, partition: str) -> None:
    role = load_settings("demo", {"aws.region": region}).role("training")
    assert role == f"arn:{partition}:iam::000000000000:role/bincount-training"


@pytest.mark.parametrize("name", ["deploy", "champion"])
def test_functions_are_found_like_roles_unless_given(name: Literal["deploy", "champion"]) -> None:
    settings = load_settings("demo", {"aws.account": "111122223333", "aws.region": "cn-north-1"})
    assert settings.function(name) == f"arn:aws-cn:lambda:cn-north-1:111122223333:function:bincount-{name}"
    mine = "arn:aws:lambda:eu-west-1:111122223333:function:mine:live"
    setting = {"deploy": "deploy.function_arn", "champion": "deploy.champion_function_arn"}[name]
    assert load_settings("demo", {setting: mine}).function(name) == mine


def test_production_bakes_and_has_a_canary_where_it_counts() -> None:
    assert load_settings("prod").deploy.bake_seconds == load_settings("dev").deploy.bake_seconds == 300
    assert load_settings("prod").deploy.instance_count >= 2
    assert {load_settings(profile).deploy.bake_seconds for profile in ("demo", "local")} == {2}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_longest_name_made_from_a_profile_fits(profile: str) -> None:
    name = f"{load_settings(profile).model_package_group}-production-v999999-01234567"
    assert len(name) <= 63
    longest = Settings(profile="x" * 20).model_package_group
    assert len(f"{longest}-production-v999999-01234567") <= 63


def test_a_slash_at_the_end_of_the_data_uri_makes_no_empty_folder() -> None:
    assert load_settings("demo", {"split.data_uri": "s3://mine/photos/"}).data_uri == "s3://mine/photos"


def test_the_data_uri_follows_the_bucket_unless_given() -> None:
    assert load_settings("demo", {"aws.bucket": "mine"}).data_uri == "s3://mine/data"
    assert load_settings("demo", {"split.data_uri": "s3://aft-vbi-pds"}).data_uri == "s3://aft-vbi-pds"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"tune.trails": 3}, "no setting 'tune.trails' .did you mean tune.trials"),
        ({"learning_rate": 3}, "no setting 'learning_rate' .did you mean hyperparameters.learning_rate"),
        ({"tune.trials.x": 3}, "no setting 'tune.trials.x'"),
        ({"tune.trials": "many"}, "tune.trials: Input should be a valid integer"),
        ({"split.test": 1.5}, "split.test: Input should be less than or equal to 1"),
        ({"aws.subnets": "subnet-1"}, "subnets and security_groups are set together"),
        ({"hyperparameters.weights": "channel"}, "weights = channel needs train.weights_uri"),
        ({"train.teachers": 3}, "train.teachers are trials' models: at most 2, tune.trials"),
        ({"split.data_uri": "/data"}, "split.data_uri: String should match pattern"),
        ({"profile": "x" * 21}, "profile: String should have at most 20 characters"),
        ({"deploy.instance_count": 3}, "max_instance_count is at least instance_count"),
        ({"deploy.bake_seconds": 3601}, "less than or equal to 3600"),
        ({"deploy.capture_percent": 101}, "less than or equal to 100"),
        ({"deploy.instance_type": "m5.large"}, "deploy.instance_type: String should match pattern"),
        ({"deploy.function_arn": "bincount-deploy"}, "deploy.function_arn: String should match pattern"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as refused:
        load_settings("demo", overrides)
    assert "\n" not in str(refused.value)


def test_an_unknown_profile_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no profile 'prods' \(did you mean prod"):
        load_settings("prods")


NAMES = st.sampled_from(["tune.trials", "aws.tags", "tune.ranges", "aws", "split.salt", "profile", "gate.min_macro_f1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES | st.text(), VALUES, max_size=3))
def test_any_override_is_taken_or_refused_in_one_line(overrides: dict[str, object]) -> None:
    message = ""
    try:
        assert load_settings("demo", overrides)
    except UserError as error:
        message = str(error)
    assert "\n" not in message
