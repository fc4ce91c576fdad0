from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws.models import Verdict
from pipeline.cli.versions import class_rows, improvement_text, machines, verdict_text
from pipeline.local import aws
from pipeline.local.home import Home
from tests.registered import CARD, Registry, beside, evaluation

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

DEPLOYED = {
    "StagingInstanceType": "ml.t2.medium",
    "InstanceType": "ml.m5.large",
    "InstanceCount": "1",
    "MaxInstanceCount": "3",
    "InvocationsPerInstance": "300",
    "BakeSeconds": "60",
    "LatencyLimitMs": "1000",
    "CapturePercent": "5",
}


@pytest.fixture
def registry(home: Path) -> Registry:
    made = Registry(aws.session(Home(home)))
    first = evaluation(0.62, "a")
    made.register(first, "Approved")
    champion = {**beside(first, 0.03), "version": "counts/1"}
    staged = {"StagingStatus": "Passed", "StagingTime": "2026-11-22T12:00:00Z", "StagingReason": "it answered"}
    made.register(
        evaluation(0.65, "b", champion=champion), MinMacroF1="0.4", MinImprovement="0.0", **staged, **DEPLOYED
    )
    return made


def test_a_version_is_a_page(registry: Registry, call: Callable[..., Called]) -> None:
    called = call("models", "show", 2)
    assert called.code == 0, called
    told = {line[:10].strip(): line[11:] for line in called.lines}
    assert told["version"] == "2 of counts: PendingManualApproval"
    assert told["score"].startswith("macro-F1 0.650 [0.550, 0.750], accuracy 0.660 on 118 test photos")
    assert told["improved"] == "macro-F1 +0.030 [+0.010, +0.050] on counts/1"
    assert told["gate"] == "macro-F1 >= 0.4, improvement >= 0.0"
    assert told["staging"] == "Passed, 2026-11-22T12:00:00Z: it answered"
    assert told["machines"].startswith("staging: 1 x ml.t2.medium; production: 1 x ml.m5.large (to 3, at 300")
    assert (told["commit"], told["execution"], told["job"]) == ("abc123", "m08kb4bksw24", "train-1")
    assert told["data"] == "p-a-short96"
    assert told["parameters"] == "learning_rate 0.002 epochs 6"
    assert told["artifact"].endswith("home/s3/bincount-models/counts/1/model.tar.gz")  # the file itself
    assert told["report"] == "s3://bincount-models/counts/1/report.html"  # which is gone
    assert told["purpose"] == "Counts items."
    assert "production" not in told
    assert called.lines[-1] == "1\t0.500\t0.750\t0.600\t31"
    first = call("models", "show", 1).lines
    assert first[0].split(maxsplit=1)[1] == "1 of counts: Approved, the champion"
    assert not any(line.startswith("improved") for line in first)


def test_the_same_for_scripts(registry: Registry, call: Callable[..., Called]) -> None:
    told = json.loads(call("models", "show", 2, "--json").out)
    assert (told["number"], told["group"], told["serving"]) == (2, "counts", False)
    assert told["staging"] == {"status": "Passed", "reason": "it answered", "time": "2026-11-22T12:00:00Z"}
    assert told["production"] == {"status": "", "reason": "", "time": ""}
    assert told["figures"] == registry.evaluations[2]
    assert told["card"] == CARD
    listed = json.loads(call("models", "--json").out)
    assert listed[0] == {key: value for key, value in told.items() if key not in {"figures", "card"}}


def test_a_number_that_two_groups_have_needs_the_profile(registry: Registry, call: Callable[..., Called]) -> None:
    Registry(registry.session, "bincount-local").register(evaluation(0.5, "c"))
    called = call("models", "show", 1)
    assert called.err == "error: version 1 is in several groups: give --profile local or --profile counts\n"
    assert "1 of bincount-local" in call("models", "show", 1, "--profile", "local").out
    assert call("models", "show", 2).out.startswith("version    2 of counts")
    assert "there is no version 2 of bincount-local" in call("models", "show", 2, "--profile", "local").err
    assert call("models", "show", 3).err == "error: there is no version 3: `bincount models` lists them\n"
    assert call("models", "show", 0).code == 2


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict(), ""),
        (Verdict("Requested"), "Requested"),
        (Verdict("Failed", "why", "2026"), "Failed, 2026: why"),
    ],
)
def test_a_verdict_is_one_line(verdict: Verdict, text: str) -> None:
    assert verdict_text(verdict) == text


def test_machines_are_as_the_version_was_registered() -> None:
    assert list(machines({})) == []
    fixed = DEPLOYED | {"MaxInstanceCount": "1", "CapturePercent": "0"}
    assert list(machines(fixed))[1] == "production: 1 x ml.m5.large, bakes 60 s, latency limit 1000 ms"
    assert list(machines(DEPLOYED))[1].endswith(", keeps 5 %")


@pytest.mark.parametrize("broken", [{}, {"per_class": 3}, {"per_class": {"1": 3}}, {"per_class": {"1": {"f1": "x"}}}])
def test_figures_that_are_not_ours_have_no_classes(broken: dict[str, Any]) -> None:
    assert list(class_rows(broken)) == []


@pytest.mark.parametrize("champion", [None, 3, {"present": False, "improvement": {"value": 1.0}}, {"present": True}])
def test_without_a_champion_nothing_was_improved(champion: object) -> None:
    assert improvement_text({"champion": champion}) == ""
