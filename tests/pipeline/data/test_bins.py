from __future__ import annotations

import pytest
from PIL import Image

from pipeline.data.bins import LIP, MIN_VISIBLE, Placement, draw_bin, random_bin, visible_shares
from pipeline.data.items import seeded


def tile(width: int, height: int) -> Image.Image:
    return Image.new("RGBA", (width, height), "red")


def test_an_item_alone_is_seen_whole() -> None:
    assert visible_shares([tile(40, 40)], [Placement(0.5, 0.5, 0)], (200, 200)) == [1.0]


def test_an_item_behind_another_is_seen_by_what_the_other_leaves() -> None:
    opening = 400 * (1 - 2 * LIP)
    back, front = tile(200, 200), tile(200, 200)
    # 100 px apart of 200 possible: half of the one behind is left.
    layout = [Placement(0, 0, 0), Placement(0.5, 0, 0)]
    shares = visible_shares([back, front], layout, (400, 400))
    assert shares == [pytest.approx(0.5, abs=0.02), 1.0]
    hidden = visible_shares([back, tile(400, int(opening))], [Placement(0, 0, 0)] * 2, (400, 400))
    assert hidden == [0.0, 1.0]


@pytest.mark.parametrize("number", range(12))
def test_every_item_of_a_bin_can_be_counted(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def remember(tiles: list[Image.Image], layout: list[Placement], frame: tuple[int, int]) -> list[float]:
        seen.append(visible_shares(tiles, layout, frame))
        return seen[-1]

    bin_ = random_bin(seeded(number), 5)
    monkeypatch.setattr("pipeline.data.bins.visible_shares", remember)
    photos = draw_bin(bin_, 1, 160)
    assert len(photos) == 1
    assert len(seen[-1]) == 5  # the last layout that was tried is the one that was drawn
    assert min(seen[-1]) >= MIN_VISIBLE


def test_shots_of_a_bin_resemble_but_differ() -> None:
    photos = draw_bin(random_bin(seeded("shots"), 3), 3, 120)
    assert len({photo.tobytes() for photo in photos}) == 3
    assert len({photo.size for photo in photos}) == 1


def test_a_bin_of_seven_still_finds_room() -> None:
    assert len(draw_bin(random_bin(seeded("crowd"), 7), 1, 96)) == 1
