from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest

from steps.common.files import atomic_file, sha256, write_json


def test_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    with atomic_file(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_file(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["f"]


def test_json_is_strict_and_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "v.json", {"a": ["ü", 1.5]})
    text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": ["ü", 1.5]}
    assert "ü" in text
    assert text.endswith("}\n")
    with pytest.raises(ValueError):
        write_json(tmp_path / "nan.json", {"a": math.nan})
    assert not (tmp_path / "nan.json").exists()


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
