from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.local.home import Home


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_name_home_is_a_folder_of_its_own_here(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if value is None:
        monkeypatch.delenv("BINCOUNT_HOME", raising=False)
    else:
        monkeypatch.setenv("BINCOUNT_HOME", value)
    assert Home.find().root == tmp_path.resolve() / ".bincount"


def test_the_environment_names_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINCOUNT_HOME", "a b/ü")
    assert Home.find().root == tmp_path.resolve() / "a b" / "ü"
