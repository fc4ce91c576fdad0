from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steps.common.images import to_input
from steps.train.augment import FILL, Draw, Patch, apply, draw, inverse_affine

strengths = st.floats(0, 1)
indices = st.integers(0, 2**40)


def forward_map(what: Draw, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    a, b, c, d, e, f = inverse_affine(what, size)
    return np.linalg.inv(np.array([[a, b, c], [d, e, f], [0, 0, 1]]))


@given(st.integers(0, 2**31 - 1), st.integers(0, 1000), indices, strengths)
def test_no_corner_of_the_frame_ever_leaves_the_picture(seed: int, epoch: int, index: int, strength: float) -> None:
    size = 100
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], np.float64).T
    x, y, _ = forward_map(draw(seed, epoch, index, strength), size) @ corners
    assert min(x.min(), y.min()) > -1e-6
    assert max(x.max(), y.max()) < size + 1e-6


@given(indices, strengths)
def test_the_frame_only_shrinks(index: int, strength: float) -> None:
    assert 0.6 < draw(0, 0, index, strength).scale <= 1


def test_a_draw_depends_on_seed_epoch_and_photo_alone() -> None:
    first = draw(1, 2, 3, 0.5)
    draw(9, 9, 9, 0.5)
    assert draw(1, 2, 3, 0.5) == first
    assert len({first, draw(2, 2, 3, 0.5), draw(1, 3, 3, 0.5), draw(1, 2, 4, 0.5)}) == 4


def test_no_strength_changes_no_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    assert np.array_equal(apply(pixels, draw(1, 2, 3, 0.0)), pixels)


def test_the_mirror_is_exact() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    mirrored = apply(pixels, Draw(mirror=True, brightness=1.0))
    assert np.abs(mirrored.astype(int) - pixels[:, ::-1].astype(int)).max() <= 1


def test_the_border_is_filled() -> None:
    shrunk = apply(np.full((40, 40, 3), 255, np.uint8), Draw(scale=0.5))
    assert np.abs(shrunk[0, 0].astype(int) - FILL).max() <= 1
    assert shrunk[20, 20].tolist() == [255, 255, 255]


def test_colours_move_as_asked() -> None:
    pixels = np.full((8, 8, 3), (100, 50, 200), np.uint8)
    darker = apply(pixels, Draw(brightness=0.5))
    assert np.abs(darker[0, 0].astype(int) - (50, 25, 100)).max() <= 1
    grey = apply(pixels, Draw(saturation=0.0))
    assert len(set(grey[0, 0].tolist())) == 1


def test_a_frame_of_another_shape_is_squeezed_as_the_served_photo_is() -> None:
    """Without a draw, resampling lands where the endpoint's does: no shift, no part of the frame lost."""
    y, x = np.mgrid[0:60, 0:80]
    frame = np.stack([x * 3, y * 4, (x + y)], axis=-1).astype(np.uint8)
    out = np.empty((56, 56, 3), np.uint8)
    assert apply(frame, Draw(), out) is out
    served = to_input(Image.fromarray(frame), 56)
    inside = np.abs(out.astype(int) - served.astype(int))[1:-1, 1:-1]
    assert inside.max() <= 3


def test_contrast_keeps_the_mean_and_colours_stay_in_range() -> None:
    pixels = np.random.default_rng(0).integers(60, 180, (32, 32, 3), dtype=np.uint8)
    flat = apply(pixels, Draw(contrast=0.5))
    assert abs(float(flat.mean()) - float(pixels.mean())) < 2
    assert abs(float(flat.std()) / float(pixels.std()) - 0.5) < 0.05
    assert apply(np.full((4, 4, 3), 250, np.uint8), Draw(brightness=1.4)).min() == 255


@given(indices, strengths)
def test_patches_are_few_small_and_inside(index: int, strength: float) -> None:
    patches = draw(0, 0, index, strength).patches
    assert len(patches) <= 3
    for patch in patches:
        assert 0.05 <= min(patch.width, patch.height) <= max(patch.width, patch.height) <= 0.17
        assert min(patch.left, patch.top) >= 0
        assert max(patch.left + patch.width, patch.top + patch.height) <= 1


def test_about_half_of_the_photos_get_patches_at_full_strength() -> None:
    share = np.mean([bool(draw(0, 0, index, 1.0).patches) for index in range(1000)])
    assert 0.45 < share < 0.55
    assert not any(draw(0, 0, index, 0.0).patches for index in range(100))


def test_a_patch_covers_what_it_says_and_nothing_else() -> None:
    pixels = np.full((20, 40, 3), 7, np.uint8)
    found = apply(pixels, Draw(patches=(Patch(0.25, 0.5, 0.1, 0.2, (1, 2, 3)),)))
    assert (found[10:14, 10:14] == (1, 2, 3)).all()
    found[10:14, 10:14] = 7
    assert (found == 7).all()
