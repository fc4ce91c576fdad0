from __future__ import annotations

from datetime import UTC, datetime

from pipeline.aws.links import job_url, links, logs_url, object_url
from pipeline.aws.models import Execution, Job, Step, Trial

NOW = datetime(2026, 11, 26, tzinfo=UTC)
CONSOLE = "https://eu-west-1.console.aws.amazon.com"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/bincount-dev/execution/abcdefghijkl"


def trial(name: str) -> Trial:
    return Trial(name, "Completed", NOW, NOW, {}, 0.5, {}, None)


def test_each_kind_of_job_has_its_page_and_its_log_group() -> None:
    assert job_url("eu-west-1", Job("processing", "p-1")) == (
        f"{CONSOLE}/sagemaker/home?region=eu-west-1#/processing-jobs/p-1"
    )
    group = "#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Dt-1$252F"
    assert logs_url("eu-west-1", Job("training", "t-1")) == f"{CONSOLE}/cloudwatch/home?region=eu-west-1{group}"
    assert logs_url("eu-west-1", Job("tuning", "h")) == job_url("eu-west-1", Job("tuning", "h"))


def test_other_partitions_have_consoles_of_their_own() -> None:
    assert job_url("cn-north-1", Job("training", "t")).startswith("https://console.amazonaws.cn/")
    assert job_url("us-gov-west-1", Job("training", "t")).startswith("https://console.amazonaws-us-gov.com/")


def test_an_execution_links_to_what_it_ran_and_made() -> None:
    steps = (
        Step("Split", "Processing", "Succeeded", cached_from="other", job=Job("processing", "old")),
        Step("Tune", "Tuning", "Succeeded", job=Job("tuning", "h"), trials=(trial("h-1"), trial("h-2"))),
        Step("Train", "Training", "Failed", job=Job("training", "t")),
        Step("Register", "RegisterModel", "Succeeded", made=f"{ARN[:44]}model-package/bincount-dev/7"),
        Step("Deploy", "Lambda"),
    )
    found = dict(links(Execution(ARN, "", "Failed", NOW, NOW, steps=steps)))
    assert list(found) == ["studio", "Tune job", "Tune/1 log", "Tune/2 log", "Train job", "Train log", "registry"]
    assert found["registry"].endswith("(Models, Registered models, bincount-dev, version 7)")
    assert "h-2$252F" in found["Tune/2 log"]


def test_keys_of_objects_are_escaped() -> None:
    url = object_url("eu-west-1", "s3://bucket/a b/#.html")
    assert url == f"{CONSOLE}/s3/object/bucket?region=eu-west-1&prefix=a%20b/%23.html"
