from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli import sources
from pipeline.cli.photos import local_data
from pipeline.cli.sources import parameters
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called


def definition(**defaults: str) -> str:
    return json.dumps({"Parameters": [{"Name": name, "DefaultValue": value} for name, value in defaults.items()]})


def test_a_folder_of_photos_becomes_an_address_of_the_local_s3(home: Path, call: Callable[..., Called]) -> None:
    assert call("data", "synth", "photos", "--photos", 3, "--size", 64).code == 0
    none = definition(DataUri="s3://bucket/none")
    first = parameters(none, {"DataUri": "photos"}, local_data)
    assert parameters(none, {"DataUri": "photos"}, local_data) == first
    assert first["DataUri"].startswith("s3://bincount-local/bincount/data/")
    slashed = parameters(none, {"DataUri": f"{first['DataUri']}/"}, local_data)
    assert slashed["DataUri"] == first["DataUri"]
    assert parameters(definition(DataUri=first["DataUri"]), {}, local_data) == first


def test_no_photos_at_the_address_is_said_before_anything_starts(home: Path) -> None:
    with pytest.raises(UserError, match=r"no photos at s3://bucket/none: give a folder with -p DataUri=FOLDER"):
        parameters(definition(DataUri="s3://bucket/none"), {}, local_data)
    with pytest.raises(UserError, match="nowhere is no folder"):
        parameters(definition(DataUri="s3://bucket/none"), {"DataUri": "nowhere"}, local_data)


def test_the_commit_is_told_where_there_is_one_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "commit_id", lambda: "abc")
    assert parameters(definition(CommitId="unknown"), {}, str) == {"CommitId": "abc"}
    assert parameters(definition(CommitId="unknown"), {"CommitId": "mine"}, str) == {"CommitId": "mine"}
    assert parameters(definition(), {}, str) == {}


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.CalledProcessError(128, "git")])
def test_no_git_is_no_commit(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert sources.commit_id() is None
