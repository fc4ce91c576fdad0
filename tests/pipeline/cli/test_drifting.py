"""Drift from the command line: first its words, then all of it on this machine with the real functions and servers."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws import deployment, functions
from pipeline.cli.drifting import in_words, rows
from pipeline.images import image_uri
from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.processes import stop_orphans
from pipeline.settings import load_settings
from steps.common.predictor import Predictor
from tests.artifacts import artifact, photo

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

GROUP, BUCKET = "bincount-demo", "bincount-local"
LABELS = ["1", "2", "3", "4", "5"]
ROLE = "arn:aws:iam::000000000000:role/bincount-retrain"
PIPELINE = f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/{GROUP}"
Call = Callable[..., "Called"]

ANSWER = {
    "ModelPackageGroupName": GROUP,
    "Version": 3,
    "Verdict": "Drifted",
    "Reason": "the class mix drifted",
    "Answers": 300,
    "Complete": False,
    "OfOtherVersions": 0,
    "Unreadable": 2,
    "PsiLimit": 0.2,
    "ClassMixPsi": 0.4,
    "ConfidencePsi": 0.01,
    "MeanConfidence": 0.7,
    "BaselineMeanConfidence": 0.71,
    "Share1": 0.25,
    "Share2": 0.75,
    "BaselineShare1": 0.5,
    "BaselineShare2": 0.5,
}


def test_a_verdict_in_words_and_rows() -> None:
    words = f"{GROUP}: Drifted: the class mix drifted (300 answers of version 3, 2 unreadable, a sample)"
    assert in_words(ANSWER) == words
    assert [row[1:] for row in rows(ANSWER)] == [
        ("say 1", "50.0%", "25.0%", ""),
        ("say 2", "50.0%", "75.0%", ""),
        ("class mix", "", "", "0.400"),
        ("confidence", "0.710", "0.700", "0.010"),
        ("limit", "", "", "0.200"),
    ]


def test_without_a_comparison_there_is_no_table() -> None:
    none = {"ModelPackageGroupName": GROUP, "Verdict": "NoEndpoint", "Reason": "there is no endpoint"}
    assert in_words(none) == f"{GROUP}: NoEndpoint: there is no endpoint"
    assert list(rows(none)) == []


def test_before_there_is_a_version(home: Path, call: Call) -> None:
    asked = call("drift")
    assert (asked.code, asked.out) == (1, "")
    assert "there is no version yet: `bincount run` registers one" in asked.err


def test_another_functions_answer_is_told(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.session(Home(home)).client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    monkeypatch.setattr(functions, "drift", lambda *_: {"statusCode": 500})
    asked = call("drift")
    assert asked.code == 1
    assert "the drift function answers with something else: [{'statusCode': 500}]" in asked.err


@pytest.fixture
def account(home: Path, tmp_path: Path) -> Iterator[Any]:
    """Return an account with a version whose test set had as many photos of each count, and a pipeline to retrain."""
    session: Any = aws.session(Home(home), lambda *_: 1)
    sagemaker, s3 = session.client("sagemaker"), session.client("s3")
    archive, folder = tmp_path / "model.tar.gz", tmp_path / "model"
    artifact(folder, archive=archive)
    predictions = Predictor(folder).predict([photo(count) for count in range(1, 6)])
    smoke = {
        "content_type": "image/jpeg",
        "photo_base64": base64.b64encode(photo(3)).decode(),
        "predicted_label": predictions[2].predicted_label,
        "probabilities": list(predictions[2].probabilities),
        "class_labels": LABELS,
    }
    confidences = [0] * 100
    for one in predictions:
        confidences[math.ceil(max(one.probabilities) * 100) - 1] += 100
    baseline = {"photos": 500, "class_labels": LABELS, "predicted": [100] * 5, "confidences": confidences}
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.read_bytes())
    s3.put_object(Bucket=BUCKET, Key="smoke.json", Body=json.dumps(smoke).encode())
    s3.put_object(Bucket=BUCKET, Key="baseline.json", Body=json.dumps(baseline | {"mean_confidence": 0.9}).encode())
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    where = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/baseline.json"}
    container = {"Image": image_uri("inference", load_settings("demo")), "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["image/jpeg"]},
        DriftCheckBaselines={"ModelQuality": {"Statistics": where}},
        CustomerMetadataProperties={"SmokeTest": f"s3://{BUCKET}/smoke.json", "CapturePercent": "100"},
    )
    _pipeline(session)
    yield session
    stop_orphans([], home / "endpoints", 0.0)


def _pipeline(session: Any) -> None:
    """Make a pipeline, and the rule by which the template lets the alarm start it."""
    steps = [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "retrained"}}]
    definition = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
    session.client("sagemaker").create_pipeline(PipelineName=GROUP, PipelineDefinition=definition, RoleArn=ROLE)
    pattern = {
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [f"{GROUP}-drift"], "state": {"value": ["ALARM"]}},
    }
    events = session.client("events")
    events.put_rule(Name="bincount-retrain", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="bincount-retrain", Targets=[{"Id": "pipeline", "Arn": PIPELINE, "RoleArn": ROLE}])


def _executions(session: Any) -> list[Any]:
    found = session.client("sagemaker").list_pipeline_executions(PipelineName=GROUP)
    return list(found["PipelineExecutionSummaries"])


def _ask(session: Any, count: int, times: int) -> None:
    runtime, content = session.client("sagemaker-runtime"), photo(count)
    for _ in range(times):
        runtime.invoke_endpoint(EndpointName=f"{GROUP}-production", ContentType="image/jpeg", Body=content)


@pytest.mark.slow
def test_shifted_photos_raise_the_alarm_that_starts_the_pipeline(account: Any, call: Call) -> None:
    assert "NoEndpoint: there is no endpoint bincount-demo-production" in call("drift").out
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/1"
    functions.call(account, functions.DEPLOY, {"Stage": "staging", "ModelPackageArn": arn, "PipelineExecutionArn": "x"})
    *_, last = deployment.wait_for(account, arn, "staging", every=0.1, timeout=60)
    assert last.passed, last
    assert call("models", "approve", 1, "--yes").code == 0

    for count in range(1, 6):
        _ask(account, count, 24)
    even = call("drift", "--profile", "demo")
    # 120, and the photo of the deploy function's smoke test, which is captured like any other.
    assert (even.code, even.lines[0]) == (0, f"{GROUP}: Stable: as in the evaluation (121 answers of version 1)")
    assert even.lines[1].startswith(f"{GROUP}\tsay 1\t20.0%\t")
    assert _executions(account) == []

    _ask(account, 5, 200)
    asked = call("drift", "--json", "--hours", 2)
    (answer,) = json.loads(asked.out)
    assert (asked.code, answer["Verdict"], answer["Answers"], answer["Version"]) == (1, "Drifted", 321, 1)
    (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=[f"{GROUP}-drift"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    (execution,) = _executions(account)
    assert execution["PipelineExecutionArn"].startswith(f"{PIPELINE}/execution/")
    assert call("drift").code == 1
    assert len(_executions(account)) == 1
    assert call("cleanup", "--yes").code == 0
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"]  # the template's: it costs a dime a month


def test_the_readmes_rule_is_taken(home: Path) -> None:
    text = (Path(__file__).parents[3] / "lambda" / "drift" / "README.md").read_text(encoding="utf-8")
    exec(text.split("```python\n")[1].split("```")[0], {})  # noqa: S102 - what the reader is told to run
    session: Any = aws.session(Home(home))
    (target,) = session.client("events").list_targets_by_rule(Rule="bincount-retrain")["Targets"]
    assert target["Arn"] == PIPELINE
