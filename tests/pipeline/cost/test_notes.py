from pipeline.cost.estimate import estimate
from pipeline.settings import load_settings


def notes(profile: str = "demo", parameters: dict[str, str] | None = None, **overrides: object) -> str:
    changes = {name.replace("__", "."): value for name, value in overrides.items()}
    return "\n".join(estimate(load_settings(profile, changes), parameters or {}).notes)


def test_day_region_and_source_of_the_prices_are_said() -> None:
    assert "prices of us-east-1 as of 2026-" in notes()
    assert "check them at https://aws.amazon.com/sagemaker/" in notes()
    assert "prices in eu-west-1, the region of the settings, are others" in notes(aws__region="eu-west-1")
    assert "the region of the settings" not in notes()


def test_what_the_sums_leave_out_is_said() -> None:
    assert "retried after a fault of the service is paid again" in notes()
    assert "not in it: S3 requests ($0.40 for a million photos read)" in notes()


def test_spot_is_an_assumption_where_there_is_spot() -> None:
    assert "0 to 70 % off is assumed" in notes("prod")
    assert "spot" not in notes()


def test_capture_is_told_where_there_is_some() -> None:
    assert "5 % of a million of 0.1 MB (assumed) are 5 GB, $0.12" in notes("prod")
    assert "captured" not in notes()


def test_a_deployment_has_two_fleets() -> None:
    # 15 min and 5 min of baking: a third of an hour of 2 to 4 ml.c5.xlarge
    assert "each deployment to production adds $0.14 to $0.27" in notes("prod")
    assert "each deployment" not in notes(deploy__instance_type="ml.x9.large")


def test_a_derived_price_is_called_one() -> None:
    assert "the price of ml.c7i.xlarge is derived" in notes(parameters={"EvaluationInstanceType": "ml.c7i.xlarge"})
    assert "derived" not in notes()


def test_each_type_without_a_price_is_named_once() -> None:
    told = notes(deploy__instance_type="ml.x9.large", deploy__staging_instance_type="ml.x9.large")
    assert told.startswith("no price is known of ml.x9.large: ")
