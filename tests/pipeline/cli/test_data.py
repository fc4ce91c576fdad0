from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called


def test_synth_then_import_gives_an_address(home: Path, call: Callable[..., Called]) -> None:
    drawn = call("data", "synth", "photos", "--photos", 4, "--size", 64, "--broken", 2)
    assert drawn.code == 0
    assert "6 photos in photos" in drawn.out
    first, again = call("data", "import", "photos"), call("data", "import", "photos")
    assert first.out == again.out
    assert first.out.startswith("s3://bincount-local/bincount/data/")
    assert "12 files copied" in first.err
    assert "all there already" in again.err
    folder = home / "s3" / first.out.strip().removeprefix("s3://")
    assert len(list((folder / "bin-images").iterdir())) == 6


def test_import_says_what_is_missing_and_fails_only_where_asked(home: Path, call: Callable[..., Called]) -> None:
    call("data", "synth", "photos", "--photos", 4, "--size", 64)
    Path("photos/bin-images/00001.jpg").unlink()
    Path("photos/metadata/00002.json").unlink()
    called = call("data", "import", "photos")
    assert called.code == 0
    assert "1 labels have no photo: 00001" in called.err
    assert "1 photos have no label: 00002" in called.err
    refused = call("data", "import", "photos", "--max-missing", 0.2)
    assert refused.code == 1
    assert "1 of 3 labels have no photo, more than --max-missing 0.2: 00001" in refused.err
    assert call("data", "import", "photos", "--max-missing", 0.5).code == 0


def test_import_by_list_and_by_csv(home: Path, call: Callable[..., Called]) -> None:
    call("data", "synth", "photos", "--photos", 4, "--size", 64)
    Path("list.json").write_text(json.dumps({"1": ["metadata/00001.json", "metadata/00009.json"]}))
    Path("labels.csv").write_text("id,label\n00001,1\n00002,2\n")
    assert "1 photos, 2 labels" in call("data", "import", "photos", "--file-list", "list.json").err
    assert "4 photos, 2 labels" in call("data", "import", "photos", "--labels", "labels.csv").err


def test_many_missing_names_are_not_all_printed(home: Path, call: Callable[..., Called]) -> None:
    call("data", "synth", "photos", "--photos", 9, "--size", 64)
    for number in range(1, 8):
        Path(f"photos/bin-images/{number:05}.jpg").unlink()
    assert "7 labels have no photo: 00001, 00002, 00003, 00004, 00005, ...\n" in call("data", "import", "photos").err
