from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli import sources
from pipeline.cli.photos import found_data, local_data
from pipeline.cli.sources import parameters
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called


def definition(**defaults: str) -> str:
    declared = [{"Name": name, "Type": "String", "DefaultValue": value} for name, value in defaults.items()]
    return json.dumps({"Parameters": declared})


def test_a_folder_of_photos_becomes_an_address_of_the_local_s3(home: Path, call: Callable[..., Called]) -> None:
    assert call("data", "synth", "photos", "--photos", 3, "--size", 64).code == 0
    none = definition(DataUri="s3://bucket/none")
    first = parameters(none, {"DataUri": "photos"}, local_data, ours=True)
    assert parameters(none, {"DataUri": "photos"}, local_data, ours=True) == first
    assert first["DataUri"].startswith("s3://bincount-local/bincount/data/")
    slashed = parameters(none, {"DataUri": f"{first['DataUri']}/"}, local_data, ours=True)
    assert slashed["DataUri"] == first["DataUri"]
    assert parameters(definition(DataUri=first["DataUri"]), {}, local_data, ours=True) == first


def test_no_photos_at_the_address_is_said_before_anything_starts(home: Path) -> None:
    with pytest.raises(UserError, match=r"no photos at s3://bucket/none: give a folder with -p DataUri=FOLDER"):
        parameters(definition(DataUri="s3://bucket/none"), {}, local_data, ours=True)
    with pytest.raises(UserError, match="nowhere is no folder"):
        parameters(definition(DataUri="s3://bucket/none"), {"DataUri": "nowhere"}, local_data, ours=True)


def test_a_look_at_the_photos_copies_none(home: Path, call: Callable[..., Called]) -> None:
    assert call("data", "synth", "photos", "--photos", 3, "--size", 64).code == 0
    assert found_data("photos") == "photos"
    assert not (home / "s3").exists()
    for nothing in ("nowhere", "s3://bucket/none"):
        with pytest.raises(UserError, match=r"no folder|no photos"):
            found_data(nothing)
    asked: list[str] = []

    def ask(where: str) -> str:
        asked.append(where)
        return where

    parameters(definition(DataUri="s3://bucket/none"), {"DataUri": "/"}, ask, ours=True)
    assert asked == ["/"]  # not the default


NUMBERS = json.dumps(
    {
        "Parameters": [
            {"Name": "Epochs", "Type": "Integer", "DefaultValue": 3},
            {"Name": "MinMacroF1", "Type": "Float", "DefaultValue": 0.5},
            {"Name": "ApprovalStatus", "Type": "String", "DefaultValue": "Approved", "EnumValues": ["Approved"]},
        ]
    }
)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Epochs", "many", "must be of type Integer"),
        ("Epochs", "", "must be of type Integer"),
        ("ApprovalStatus", "Maybe", "must be one of Approved"),
        ("Epochs", "0", "parameter Epochs is '0': input should be greater than or equal to 1"),
        ("MinMacroF1", "7", "less than or equal to 1"),
        ("MinMacroF1", "nan", "finite number"),
    ],
)
def test_a_value_that_a_job_would_fail_with_is_refused_before_any_runs(name: str, value: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        parameters(NUMBERS, {name: value}, str, ours=True)


def test_another_pipelines_parameters_have_limits_of_their_own() -> None:
    assert parameters(NUMBERS, {"Epochs": "0"}, str, ours=False) == {"Epochs": "0"}


def test_the_commit_is_told_where_there_is_one_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "commit_id", lambda: "abc")
    assert parameters(definition(CommitId="unknown"), {}, str, ours=True) == {"CommitId": "abc"}
    assert parameters(definition(CommitId="unknown"), {"CommitId": "mine"}, str, ours=True) == {"CommitId": "mine"}
    assert parameters(definition(), {}, str, ours=True) == {}


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.CalledProcessError(128, "git")])
def test_no_git_is_no_commit(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert sources.commit_id() is None
