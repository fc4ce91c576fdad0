from __future__ import annotations

import io
from typing import TYPE_CHECKING

from steps.split.aside import Aside
from steps.split.groups import picture_groups
from steps.split.photos import Source

if TYPE_CHECKING:
    from tests.steps.split.conftest import Bins, Draw


def test_versions_of_a_photo_are_one_group_and_what_does_not_decode_is_rejected(bins: Bins, draw: Draw) -> None:
    photos = {
        "2": draw(1),
        "3": draw(2),
        "10": draw(1, (200, 150)),
        "11": draw(1)[:400],
        "a": draw(2, quality=50),
        "b": b"no",
    }
    for name, data in photos.items():
        bins.photo(name, data)
    aside = Aside(io.BytesIO())
    groups = picture_groups([Source(name, 1, str(bins.photos / name)) for name in photos], aside)
    assert groups == {"2": "picture:2", "3": "picture:3", "10": "picture:2", "a": "picture:3"}
    assert aside.named("rejected").first == [("11", "truncated or damaged"), ("b", "not a picture")]


def test_no_photos_no_groups() -> None:
    assert picture_groups([], Aside(io.BytesIO())) == {}
