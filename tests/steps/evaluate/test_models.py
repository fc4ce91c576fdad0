from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from steps.common.job import JobError
from steps.evaluate.models import find_artifact, open_model

Make = Callable[..., Path]


def test_a_channel_holds_an_archive_a_folder_or_nothing(tmp_path: Path, make_artifact: Make) -> None:
    (tmp_path / "empty").mkdir()
    archive = make_artifact("a", archive=tmp_path / "channel" / "model.tar.gz")
    folder = make_artifact("b")
    assert find_artifact(tmp_path / "none") is None
    assert find_artifact(tmp_path / "empty") is None
    assert find_artifact(archive.parent) == archive
    assert find_artifact(folder) == folder


def test_a_channel_with_something_else_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(JobError, match=r"holds photo\.jpg, but no model\.tar\.gz"):
        find_artifact(tmp_path)


def test_a_model_is_known_by_the_digest_of_its_archive(tmp_path: Path, make_artifact: Make) -> None:
    archive = make_artifact(archive=tmp_path / "model.tar.gz")
    with open_model(archive, "model") as model:
        assert model.digest == hashlib.sha256(archive.read_bytes()).hexdigest()
        assert (model.folder / "model.onnx").is_file()
    assert not model.folder.exists()


def test_a_broken_artifact_is_one_line_that_says_whose_it_is(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"junk")
    with (
        pytest.raises(JobError, match=r"^the champion's artifact cannot be used: .*$"),
        open_model(tmp_path / "model.tar.gz", "champion"),
    ):
        pass
