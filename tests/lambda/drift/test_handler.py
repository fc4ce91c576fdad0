from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drift.errors import RefusedError
from drift.handler import handler
from tests.drifting import BUCKET, ENDPOINT, EVEN, GROUP, World, answers, baseline

FIVES = [1, 1, 1, 1, 6]


def test_answers_like_the_evaluations_are_stable(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.keep(answers(EVEN, 300))
    answer = world.call()
    assert (answer["Verdict"], answer["Reason"]) == ("Stable", "as in the evaluation")
    assert (answer["ModelPackageGroupName"], answer["EndpointName"], answer["Version"]) == (GROUP, ENDPOINT, 1)
    assert (answer["Answers"], answer["BaselinePhotos"], answer["Complete"]) == (300, 500, True)
    assert answer["ClassMixPsi"] < 0.05 > answer["ConfidencePsi"]
    assert answer["MeanConfidence"] == pytest.approx(answer["BaselineMeanConfidence"], abs=0.01)
    assert sum(answer[f"Share{label}"] for label in range(1, 6)) == pytest.approx(1)
    assert all(isinstance(value, str | int | float) for value in answer.values())
    metrics = world.metrics()
    assert (metrics["Drifted"], metrics["CapturedAnswers"]) == (0, 300)
    assert json.loads(capsys.readouterr().out) == {"event": "drift", **answer}


def test_another_class_mix_is_drift(world: World) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.keep(answers(FIVES, 300))
    answer = world.call()
    assert (answer["Verdict"], answer["Reason"]) == ("Drifted", "the class mix drifted")
    assert answer["ClassMixPsi"] > answer["PsiLimit"] > answer["ConfidencePsi"]
    assert answer["Share5"] > 0.5 > 0.3 > answer["BaselineShare5"]
    metrics = world.metrics()
    assert metrics.pop("Drifted") == 1
    assert metrics == {
        "CapturedAnswers": 300,
        **{name: pytest.approx(answer[name]) for name in ("ClassMixPsi", "ConfidencePsi", "MeanConfidence")},
    }


def test_less_confidence_is_drift(world: World) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.keep(answers(EVEN, 300, confidence=0.7))
    answer = world.call()
    assert (answer["Verdict"], answer["Reason"]) == ("Drifted", "the confidence drifted")
    assert answer["MeanConfidence"] < answer["BaselineMeanConfidence"] - 0.05


def test_the_limit_is_the_environments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.keep(answers(FIVES, 300))
    monkeypatch.setenv("PSI_LIMIT", "2.5")
    assert world.call()["Verdict"] == "Stable"


@pytest.mark.parametrize(("number", "verdict"), [(0, "TooFew"), (99, "TooFew"), (100, "Drifted")])
def test_too_few_answers_raise_no_alarm(world: World, number: int, verdict: str) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.keep(answers([0, 0, 0, 0, 1], number))
    answer = world.call()
    assert (answer["Verdict"], answer["Answers"]) == (verdict, number)
    assert ("Drifted" in world.metrics()) == (verdict == "Drifted")
    assert world.metrics()["CapturedAnswers"] == number


def test_what_lies_outside_the_window_is_not_read(world: World) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.keep(answers(EVEN, 150), hours=5)
    world.keep(answers(FIVES, 300), hours=30)
    assert (world.call()["Answers"], world.call(Hours=4)["Answers"], world.call(Hours=48)["Answers"]) == (150, 0, 450)


def test_only_the_version_that_serves_is_compared(world: World) -> None:
    world.register(baseline(EVEN))
    world.register(baseline(EVEN))
    world.serve(f"{ENDPOINT}-v2-0123abcd")
    world.keep([*answers(EVEN, 120, version=2), *answers(FIVES, 500, version=1)])
    answer = world.call()
    assert (answer["Version"], answer["Answers"], answer["OfOtherVersions"]) == (2, 120, 500)
    assert answer["Verdict"] == "Stable"


def test_without_an_endpoint_of_ours_there_is_nothing_to_compare(world: World) -> None:
    assert world.call()["Verdict"] == "NoEndpoint"
    world.serve("somebody-elses")
    assert world.call()["Verdict"] == "NoEndpoint"
    assert world.metrics() == {}


def test_without_capture_there_is_nothing_to_compare(world: World) -> None:
    world.register(baseline(EVEN))
    world.serve(capture=False)
    answer = world.call()
    assert (answer["Verdict"], answer["Version"]) == ("NoCapture", 1)
    assert "capture_percent" in answer["Reason"]


def test_a_version_without_a_baseline_says_so(world: World) -> None:
    world.register()
    world.serve()
    assert world.call()["Verdict"] == "NoBaseline"
    assert "older than this check" in world.call()["Reason"]


def test_a_version_that_was_deleted_has_no_baseline(world: World) -> None:
    world.serve()
    assert world.call()["Verdict"] == "NoBaseline"


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b"[" * 100_000,
        [],
        {},
        baseline(EVEN) | {"predicted": [1, 2]},
        baseline(EVEN) | {"predicted": [0] * 5, "confidences": [0] * 100},
        baseline(EVEN) | {"predicted": [-1, 501, 0, 0, 0]},
        baseline(EVEN) | {"confidences": [1.5] * 100},
        baseline(EVEN) | {"confidences": [500]},
        baseline(EVEN) | {"mean_confidence": float("nan")},
        baseline(EVEN) | {"mean_confidence": "high"},
        b" " * (1 << 20) + b"{}",
    ],
)
def test_a_baseline_that_is_none_is_told(world: World, document: Any) -> None:
    world.register(document)
    world.serve()
    assert world.call()["Reason"] == f"s3://{BUCKET}/evaluation/baseline.json holds no baseline"


def test_a_baseline_that_is_gone_is_told(world: World) -> None:
    world.register(baseline(EVEN))
    world.serve()
    world.s3.delete_object(Bucket=BUCKET, Key="evaluation/baseline.json")
    assert world.call()["Reason"] == f"s3://{BUCKET}/evaluation/baseline.json is gone, or not this function's to read"


def test_another_groups_question_is_refused(world: World) -> None:
    with pytest.raises(RefusedError):
        handler({"ModelPackageGroupName": "payments"}, None)


def test_a_trouble_of_the_service_is_an_error_so_that_the_scheduler_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.register(baseline(EVEN))
    world.serve()
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "DescribeEndpoint")

    def refuse(*_: object, **__: object) -> None:
        raise throttled

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    with pytest.raises(ClientError, match="Rate exceeded"):
        world.call()
