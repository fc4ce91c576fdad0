from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.common import artifact
from steps.common.artifact import ArtifactError, ModelSpec, one_line, open_artifact, read_spec

Members = list[tuple[tarfile.TarInfo, bytes]]
MakeSpec = Callable[..., dict[str, Any]]


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def archive(path: Path, members: Members) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


WHOLE: Members = [member("./model.onnx", b"graph"), member("model.json", b"{}"), member("deep/er/file", b"x")]


def test_an_archive_gives_its_files_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_artifact(archive(tmp_path / "model.tar.gz", WHOLE)) as folder:
        assert (folder / "model.onnx").read_bytes() == b"graph"
        assert (folder / "deep" / "er" / "file").read_bytes() == b"x"
    assert not folder.exists()


def test_an_uncompressed_archive_and_a_folder_do_as_well(tmp_path: Path) -> None:
    packed = archive(tmp_path / "model.tar.gz", WHOLE)
    plain = tmp_path / "model.tar"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    with open_artifact(plain) as folder, open_artifact(folder) as same:
        assert same == folder
    with pytest.raises(ArtifactError, match=r"lacks model\.onnx and model\.json"), open_artifact(tmp_path):
        pass


@pytest.mark.parametrize(
    "evil",
    [
        member("../outside", b"x"),
        member("deep/../../outside", b"x"),
        member("model.bin", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("inside", kind=tarfile.SYMTYPE, link="model.onnx"),
        member("hard", kind=tarfile.LNKTYPE, link="model.onnx"),
        member("pipe", kind=tarfile.FIFOTYPE),
        member("null", kind=tarfile.CHRTYPE),
        member("disk", kind=tarfile.BLKTYPE),
    ],
    ids=lambda evil: evil[0].name,
)
def test_members_that_are_no_files_of_the_artifact_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evil: tuple[tarfile.TarInfo, bytes]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(ArtifactError) as caught, open_artifact(archive(tmp_path / "a.tar.gz", [*WHOLE, evil])):
        pass
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.rglob("*")} == {"a.tar.gz", "temporary"}


def test_an_absolute_name_is_taken_as_one_inside(tmp_path: Path) -> None:
    name = tmp_path / "outside"
    with open_artifact(archive(tmp_path / "a.tar.gz", [*WHOLE, member(str(name), b"x")])) as folder:
        assert (folder / str(name).lstrip("/")).read_bytes() == b"x"
    assert not name.exists()


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact, "MAX_ARTIFACT_BYTES", 10_000)
    bomb = archive(tmp_path / "a.tar.gz", [*WHOLE, member("zeros", bytes(10_000))])
    with pytest.raises(ArtifactError, match="more than 10000 bytes"), open_artifact(bomb):
        pass


def test_an_archive_of_very_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "MAX_MEMBERS", 5)
    many = archive(tmp_path / "a.tar.gz", [member(f"{index}") for index in range(6)])
    with pytest.raises(ArtifactError, match="5 files"), open_artifact(many):
        pass


def test_a_header_that_claims_an_absurd_length_does_not_fill_the_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**33
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(ArtifactError, match="absurd length"), open_artifact(tmp_path / "a.tar"):
        pass


def test_headers_upon_headers_end_in_one_line(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1
    header = info.tobuf(tarfile.GNU_FORMAT) + bytes(512)
    (tmp_path / "a.tar").write_bytes(header * 3000)
    with pytest.raises(ArtifactError, match=r"is no model\.tar\.gz"), open_artifact(tmp_path / "a.tar"):
        pass


@given(cut=st.integers(0, 400), noise=st.binary(max_size=20))
def test_damaged_archives_raise_nothing_else(tmp_path_factory: pytest.TempPathFactory, cut: int, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = archive(folder / "a.tar.gz", WHOLE)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut] + noise + whole[cut + len(noise) + 3 :])
    with contextlib.suppress(ArtifactError), open_artifact(path):
        pass


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"none\.tar\.gz does not exist"), open_artifact(tmp_path / "none.tar.gz"):
        pass


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image_size": 0}, "image_size"),
        ({"image_size": 10**9}, "image_size"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"class_labels": ["1"]}, "class_labels"),
        ({"class_labels": ["1", "1"]}, "twice"),
        ({"class_labels": ["1", ""]}, "class_labels"),
        ({"normalization": {"mean": [0, 0, 0], "std": [0, 1, 1]}}, "std"),
        ({"engine": "pickle"}, "engine"),
        ({"class_bias": [0.1, 0.2]}, "as many classes"),
        ({"class_bias": [0, 0, 0, 0, 1e300]}, "class_bias"),
        ({"format": "other"}, "format"),
        ({"an\nunknown\x1b[31m key": 1}, "unknown"),
        ({"provenance": {"commit": ["no", "text"]}}, "provenance"),
    ],
)
def test_a_model_json_with_a_fault_is_refused_in_one_line(
    tmp_path: Path, make_spec: MakeSpec, changes: dict[str, Any], words: str
) -> None:
    (tmp_path / "model.json").write_text(json.dumps(make_spec(**changes)))
    with pytest.raises(ArtifactError, match=words) as caught:
        read_spec(tmp_path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": ' + b" " * 2**20 + b"1}"]
)
def test_a_model_json_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "model.json").write_bytes(text)
    with pytest.raises(ArtifactError, match=r"model\.json"):
        read_spec(tmp_path)


def test_a_folder_in_place_of_model_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").mkdir()
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_spec(tmp_path)


def test_a_valid_model_json_is_read(tmp_path: Path, make_spec: MakeSpec) -> None:
    (tmp_path / "model.json").write_text(json.dumps(make_spec(temperature=1.5)))
    assert read_spec(tmp_path) == ModelSpec.model_validate(make_spec(temperature=1.5))


@given(st.text())
def test_what_a_library_says_becomes_one_printable_line(text: str) -> None:
    line = one_line(ValueError(text))
    assert 0 < len(line) <= 300
    assert line.isprintable()
