from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.data.importing import PREFIX, Import
from pipeline.data.selection import Selection
from pipeline.errors import UserError
from pipeline.local.s3 import LocalS3


@pytest.fixture
def s3(tmp_path: Path) -> LocalS3:
    return LocalS3(tmp_path / "s3")


def selection(folder: Path, **files: str) -> Selection:
    folder.mkdir(exist_ok=True)
    chosen = Selection()
    for name, text in files.items():
        (folder / name).write_text(text)
        chosen.files[f"bin-images/{name}.jpg"] = folder / name
    return chosen


def finish(work: Import) -> Import:
    assert len(list(work.run())) == work.steps
    return work


def test_an_import_is_an_address_with_every_file(tmp_path: Path, s3: LocalS3) -> None:
    work = finish(Import(selection(tmp_path / "in", a="1", b="2"), s3))
    assert work.uri.startswith(f"{PREFIX}/")
    assert work.copied == 2
    assert s3.read_bytes(f"{work.uri}/bin-images/b.jpg") == b"2"


def test_the_address_follows_names_and_contents_alone(tmp_path: Path, s3: LocalS3) -> None:
    first = finish(Import(selection(tmp_path / "in", a="1", b="2"), s3))
    again = finish(Import(selection(tmp_path / "elsewhere", b="2", a="1"), s3))
    assert (again.uri, again.copied) == (first.uri, 0)
    others = [
        selection(tmp_path / "c", a="1", b="3"),
        selection(tmp_path / "d", a="1", c="2"),
        selection(tmp_path / "e", a="1"),
    ]
    assert len({first.uri, *(finish(Import(other, s3)).uri for other in others)}) == 4


def test_an_interrupted_import_goes_on(tmp_path: Path, s3: LocalS3) -> None:
    chosen = selection(tmp_path / "in", a="1", b="2", c="3")
    steps = Import(chosen, s3).run()
    for _ in range(5):  # three digests, two copies
        next(steps)
    steps.close()
    assert finish(Import(chosen, s3)).copied == 1


def test_a_file_that_disappears_is_an_error_in_one_line(tmp_path: Path, s3: LocalS3) -> None:
    chosen = selection(tmp_path / "in", a="1")
    (tmp_path / "in" / "a").unlink()
    with pytest.raises(UserError, match=r"cannot read .*/a: No such file"):
        list(Import(chosen, s3).run())


@pytest.mark.parametrize("names", [("source", None, "target"), (None,)])
def test_a_full_disk_blames_the_home_and_not_the_photo(
    names: tuple[str | None, ...], tmp_path: Path, s3: LocalS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = selection(tmp_path / "in", a="1")

    def full(source: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", *(str(source) if name == "source" else name for name in names))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(UserError, match=r"cannot copy to .*/s3: No space left on device: set BINCOUNT_HOME"):
        finish(Import(chosen, s3))
