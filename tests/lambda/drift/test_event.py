from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drift.environment import load
from drift.errors import RefusedError
from drift.event import Window, parse

NOW = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


def test_a_day_is_looked_at_unless_another_time_is_asked_for() -> None:
    question = parse({"ModelPackageGroupName": "bincount-prod"}, "bincount", NOW)
    assert (question.endpoint, question.window) == ("bincount-prod-production", Window(NOW - timedelta(days=1), NOW))
    assert parse({"ModelPackageGroupName": "bincount-prod", "Hours": 3}, "bincount", NOW).window.begin.hour == 22


def test_a_window_names_each_hour_that_it_touches() -> None:
    window = Window(NOW - timedelta(hours=2), NOW)
    assert list(window.folders()) == ["2026/02/28/23", "2026/03/01/00", "2026/03/01/01"]
    assert len(list(Window(NOW - timedelta(hours=168), NOW).folders())) == 169


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], "no JSON object"),
        (None, "no JSON object"),
        ({}, "ModelPackageGroupName 'None'"),
        ({"ModelPackageGroupName": "other-prod"}, "begin with bincount-"),
        ({"ModelPackageGroupName": "bincount-"}, "begin with bincount-"),
        ({"ModelPackageGroupName": "bincount-a/../b"}, "begin with bincount-"),
        ({"ModelPackageGroupName": "bincount-prod", "Hours": 0}, "Hours is a whole number from 1 to 168, not '0'"),
        ({"ModelPackageGroupName": "bincount-prod", "Hours": 169}, "not '169'"),
        ({"ModelPackageGroupName": "bincount-prod", "Hours": True}, "not 'True'"),
        ({"ModelPackageGroupName": "bincount-prod", "Hours": "24"}, "not '24'"),
        ({"ModelPackageGroupName": "bincount-prod", "Hours": 2.5}, "not '2.5'"),
    ],
)
def test_what_it_does_not_take_is_refused_in_a_line(event: Any, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        parse(event, "bincount", NOW)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "lacks PROJECT, PSI_LIMIT"),
        ({"PROJECT": "bincount"}, "lacks PSI_LIMIT"),
        ({"PROJECT": "bincount", "PSI_LIMIT": "much"}, "a number above 0, not 'much'"),
        ({"PROJECT": "bincount", "PSI_LIMIT": "0"}, "a number above 0"),
        ({"PROJECT": "bincount", "PSI_LIMIT": "nan"}, "a number above 0"),
        ({"PROJECT": "bincount", "PSI_LIMIT": "inf"}, "a number above 0"),
    ],
)
def test_an_environment_without_its_settings_is_refused(variables: dict[str, str], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        load(variables)
