from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.endpoints import archive
from pipeline.local.endpoints.archive import unpack
from pipeline.local.endpoints.plan import DeploymentError


def _pack(path: Path, *members: tuple[str, dict[str, Any]], content: bytes = b"abc") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, changes in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def test_files_come_out_where_they_belong(tmp_path: Path) -> None:
    packed = _pack(tmp_path / "a", ("model.onnx", {}), ("code/more.json", {"mode": 0o4777}))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    unpack(packed, tmp_path / "model")
    files = [path for path in sorted((tmp_path / "model").rglob("*")) if path.is_file()]
    assert [path.relative_to(tmp_path / "model").as_posix() for path in files] == ["code/more.json", "model.onnx"]
    assert not files[0].stat().st_mode & 0o7022


@pytest.mark.parametrize(
    "member",
    [
        ("../outside", {}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "../../outside"}),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "../outside"}),
        ("device", {"type": tarfile.CHRTYPE}),
        ("pipe", {"type": tarfile.FIFOTYPE}),
    ],
)
def test_nothing_leaves_the_folder(tmp_path: Path, member: tuple[str, dict[str, Any]]) -> None:
    packed = _pack(tmp_path / "a", member)
    with pytest.raises(DeploymentError, match="cannot be unpacked"):
        unpack(packed, tmp_path / "in" / "model")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "in" / "outside").exists()


def test_an_absolute_name_stays_below(tmp_path: Path) -> None:
    unpack(_pack(tmp_path / "a", (f"{tmp_path}/outside", {})), tmp_path / "model")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("damage", ["not gzip", "cut", "bits", "no tar", "empty"])
def test_what_is_broken_is_one_line(tmp_path: Path, damage: str) -> None:
    whole = _pack(tmp_path / "a", ("model.onnx", {}), content=bytes(range(256)) * 200).read_bytes()
    broken = {
        "not gzip": b"PK\x03\x04 no gzip",
        "cut": whole[: len(whole) // 2],
        "bits": whole[:60] + bytes(40) + whole[100:],
        "no tar": gzip.compress(b"x" * 2000),
        "empty": b"",
    }
    (tmp_path / "b").write_bytes(broken[damage])
    with pytest.raises(DeploymentError, match="cannot be unpacked") as caught:
        unpack(tmp_path / "b", tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10)
    with pytest.raises(DeploymentError, match="more than"):
        unpack(_pack(tmp_path / "a", ("a", {}), content=bytes(11)), tmp_path / "model")
    assert not (tmp_path / "model" / "a").exists()
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(DeploymentError, match="more than 2 files"):
        unpack(_pack(tmp_path / "b", ("a", {}), ("b", {}), ("c", {})), tmp_path / "model")


def test_folders_too_deep_to_be_removed_again_are_not_made(tmp_path: Path) -> None:
    deep: list[tuple[str, dict[str, Any]]] = [("a/" * depth + "x", {}) for depth in (50, 400, 800, 1200)]
    with pytest.raises(DeploymentError, match="more than 100 deep"):
        unpack(_pack(tmp_path / "a", *deep), tmp_path / "model")
    shutil.rmtree(tmp_path / "model")
