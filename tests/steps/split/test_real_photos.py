"""The promises that only real photos can hold: class shares, groups, and what the perceptual hash finds."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from steps.common.labels import LABELS, SPLITS
from steps.common.split_report import SplitSettings
from steps.split import labels
from steps.split.__main__ import DEFAULT_SALT
from steps.split.aside import Aside
from steps.split.assign import hashed_split
from steps.split.groups import NEAR_BITS, picture_groups
from steps.split.metadata import read_metadata
from steps.split.photos import list_files, match
from steps.split.pictures import picture_hash

pytestmark = pytest.mark.abid


@pytest.fixture(params=["records", "file list with records", "file list alone"])
def labels_folder(request: pytest.FixtureRequest, abid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "records":
        return abid / "metadata"
    (tmp_path / "file_list.json").symlink_to(abid / "file_list.json")
    if request.param == "file list with records":  # as if they lay beside; linking each would take longer than the rest
        monkeypatch.setattr(labels, "read_metadata", lambda _, problem: read_metadata(abid / "metadata", problem))
    return tmp_path


def test_each_class_s_share_of_each_split_is_within_two_points(abid: Path, labels_folder: Path) -> None:
    aside = Aside(io.BytesIO())
    found = labels.read_labels(labels_folder, lambda where, what: pytest.fail(f"{where}: {what}"))
    sources = [source for source in match(list_files(abid / "bin-images"), found, aside) if source.label in LABELS]
    groups = found.groups | picture_groups([source for source in sources if source.id not in found.groups], aside)
    assert aside.named("rejected").total == 0
    assert len(sources) == (7197 if found.form == "metadata" else 6237)
    settings = SplitSettings(salt=DEFAULT_SALT)
    splits = np.array([SPLITS.index(hashed_split(groups[source.id], settings)) for source in sources])
    of = np.array([source.label for source in sources])
    for label in np.unique(of):
        for index, split in enumerate(SPLITS):
            assert abs((splits[of == label] == index).mean() - settings.share(split)) <= 0.02


def test_records_group_the_photos_of_a_bin(abid: Path) -> None:
    found = labels.read_labels(abid / "metadata", lambda where, what: pytest.fail(f"{where}: {what}"))
    assert len({found.groups[photo_id] for photo_id in found.by_id}) == 4535
    assert len(found.by_id) == 7197
    assert len(found.others) == 2533
    assert found.groups.keys() == found.by_id.keys() | found.others.keys()


def test_a_photo_and_its_resized_encoding_are_near_duplicates(abid: Path) -> None:
    for path in sorted((abid / "native").iterdir())[::20]:
        both = [picture_hash(file.read_bytes()) for file in (path, abid / "bin-images" / path.name)]
        assert (both[0] ^ both[1]).bit_count() <= NEAR_BITS, path.name
