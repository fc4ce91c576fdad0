from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cost.estimate import Estimate, estimate, exceeds
from pipeline.cost.usd import Usd
from pipeline.settings import PROFILES, load_settings


def dollars(found: Estimate) -> dict[str, tuple[float, float]]:
    return {
        line.name: (round(line.usd.low, 4), round(line.usd.high, 4))
        for line in (*found.lines, *found.monthly)
        if line.usd is not None
    }


def test_prod_by_hand() -> None:
    found = estimate(load_settings("prod"), {})
    assert dollars(found) == {
        "Split": (5.52, 5.52),  # 4 x 6 x 0.23
        "Tune": (58.176, 193.92),  # 16 x 8 x 1.515, 70 % less at the lower end
        "Train": (21.816, 72.72),  # 2 x 24 x 1.515
        "Evaluate": (2.448, 2.448),  # 3 x 0.816
        "disks": (0.9781, 0.9781),  # (4 x 200 GB x 6 h + 100 GB x 3 h) / 730 h x 0.14; an A10G's disk is inside
        "Deploy": (0.0, 0.0288),  # 15 min x 0.115
        "functions": (0.0, 0.01),  # 20 x 60 s x 0.5 GB x 0.0000166667
        "staging": (83.95, 83.95),  # 730 x 0.115
        "production": (297.84, 595.68),  # 2 to 4 x 730 x 0.204
        "images": (1.0, 1.0),
        "objects": (1.15, 1.15),
    }
    assert (round(found.usd.low, 2), round(found.usd.high, 2)) == (88.94, 275.62)
    assert (round(found.monthly_usd.low, 2), round(found.monthly_usd.high, 2)) == (383.94, 681.78)
    assert found.summary == "at most $275.62; then $383.94 to $681.78 a month while its endpoints serve"


def test_a_line_says_how_it_is_made_up() -> None:
    lines = {line.name: line.what for line in estimate(load_settings("prod"), {}).lines}
    assert lines["Tune"] == "16 jobs x 1 ml.g5.2xlarge x 8 h on spot machines x $1.515"
    assert lines["Split"] == "4 ml.m5.xlarge x 6 h x $0.23"
    assert "20 min" in estimate(load_settings("demo"), {}).lines[1].what


def test_what_has_no_price_is_said_and_asked_about() -> None:
    settings = load_settings("demo")
    found = estimate(settings, {"TrainingInstanceType": "ml.p6-b200.48xlarge"})
    assert found.unpriced == ("Train",)
    assert found.notes[0] == "no price is known of ml.p6-b200.48xlarge: what runs there is in no sum"
    assert "Train" not in dollars(found)
    assert "and Train, which nobody here has a price for" in found.summary
    assert exceeds(found, settings)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_as_it_stands_is_not_asked_about(profile: str) -> None:
    settings = load_settings(profile)
    assert not exceeds(estimate(settings, {}), settings)


def test_more_than_the_limit_is_asked_about() -> None:
    larger = load_settings("prod", {"tune.trials": 32})
    assert exceeds(estimate(larger, {}), larger)
    raised = load_settings("prod", {"tune.trials": 32, "cost.ask_above_usd": 1000})
    assert not exceeds(estimate(raised, {}), raised)
    demo = load_settings("demo")
    assert exceeds(estimate(demo, {"TrainingInstanceCount": "2000"}), demo)


def test_how_many_trials_run_side_by_side_does_not_matter() -> None:
    one = estimate(load_settings("prod", {"tune.parallel_trials": 1}), {})
    assert one.usd == estimate(load_settings("prod"), {}).usd


PROFILE = st.sampled_from(PROFILES)
COUNT = st.integers(1, 50)


@given(PROFILE, COUNT, COUNT, st.sampled_from(["Processing", "Tuning", "Training"]))
def test_more_machines_cost_no_less(profile: str, count: int, more: int, kind: str) -> None:
    settings, name = load_settings(profile), f"{kind}InstanceCount"
    few, many = (estimate(settings, {name: str(number)}).usd for number in (count, count + more))
    assert 0 < few.low <= few.high
    assert few.low < many.low
    assert few.high < many.high


@given(PROFILE, st.sampled_from(["split", "tune", "train", "evaluate"]), st.integers(2, 900), st.integers(1, 100))
def test_longer_jobs_cost_no_less(profile: str, job: str, minutes: int, more: int) -> None:
    def at_most(limit: int) -> float:
        changes = {f"{job}.max_runtime_minutes": limit, "train.spot": False, "tune.spot": False}
        return estimate(load_settings(profile, changes), {}).usd.high

    assert at_most(minutes) < at_most(minutes + more)


@given(PROFILE, st.integers(1, 99))
def test_more_instances_serve_for_more(profile: str, count: int) -> None:
    def month(instances: int) -> Usd:
        changes = {"deploy.instance_count": instances, "deploy.max_instance_count": 100}
        return estimate(load_settings(profile, changes), {}).monthly_usd

    few, many = month(count), month(count + 1)
    assert 0 < few.low < many.low <= many.high == few.high
