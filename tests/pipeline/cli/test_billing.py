from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.aws.models import Job
from pipeline.aws.usage import Serving, Usage
from pipeline.cli.billing import _hourly, _local, _notes, _rows, _serving_row
from pipeline.cost.bill import bill

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make

USAGE = Usage("Train", "job", "ml.m5.xlarge", 1, 0, seconds=3600, on_demand_seconds=3600, running=False)


def test_what_still_runs_is_counted_so_far(make: Make) -> None:
    running = make.execution(make.step("Train", "Executing", job=Job("training", "job")))
    found = bill(running, [replace(USAGE, running=True)])
    assert [row[:2] for row in _rows(found, paid=True)] == [("Train", "running"), ("sum", "so far")]
    assert "it still runs: what it took so far" in list(_notes(running, found, "us-east-1"))


def test_what_has_no_price_and_another_region_are_said(make: Make) -> None:
    ended = make.execution(make.step("Train", job=Job("training", "job")), status="Succeeded")
    found = bill(ended, [replace(USAGE, instance_type="ml.x9.large")])
    assert [row[-1] for row in _rows(found, paid=True)] == ["unknown", "$0.00"]
    notes = list(_notes(ended, found, "eu-west-1"))
    assert notes[0] == "no price is known of the machines of Train: they are not in the sum"
    assert "prices in eu-west-1, where it ran, are others" in notes
    assert not any("still runs" in note or "spot" in note or "cached" in note for note in notes)


def test_an_execution_without_jobs_has_no_sum(make: Make) -> None:
    assert list(_rows(bill(make.execution(), []), paid=True)) == []


def test_an_endpoint_without_machines_or_price_has_no_dollars() -> None:
    assert _serving_row(Serving("e", "", 0)) == ("e", "0 serverless", "unknown", "unknown")
    assert _hourly(Serving("e", "ml.m5.large", 3)) == pytest.approx((0.345, 251.85))


def test_an_execution_of_a_profile_here_names_its_estimate(make: Make) -> None:
    told = "it ran on this machine and cost nothing; `bincount cost --profile demo` estimates it on AWS"
    assert _local(make.execution()) == told
