"""A drawn bin: a fabric compartment with its items, behind bands of tape, as the pods of a warehouse hold them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from pipeline.data.items import ANGLES, Color, Item, draw_item, random_item, seeded, shade

ASPECTS = (4 / 3, 1.45, 1.65, 1.05, 0.9)  # width over height: as varied as the pods' shelves
MIN_VISIBLE = 0.55  # share of every item that no other covers: with less nobody could count
LIP = 0.09  # height of the strips above and below the opening, as a share of the bin's
_COARSE = 4  # visibility is measured on masks this many times smaller


@dataclass(frozen=True)
class Bin:
    """One bin and what lies in it."""

    items: tuple[Item, ...]
    aspect: float
    fabric: Color
    tag: Color
    seed: int


@dataclass(frozen=True)
class Placement:
    """Where an item lies: its centre as shares of the opening's width and height, and its lean in degrees."""

    x: float
    y: float
    angle: float


def random_bin(rng: Random, quantity: int) -> Bin:
    """Draw a bin with `quantity` items, of which some are the same product."""
    items: list[Item] = []
    while len(items) < quantity:
        items.append(rng.choice(items) if items and rng.random() < 0.12 else random_item(rng))
    hue, saturation = rng.uniform(0.10, 0.15), rng.uniform(0.2, 0.5)
    fabric = colorsys.hsv_to_rgb(hue, saturation, rng.uniform(0.45, 0.8))
    tag = colorsys.hsv_to_rgb(rng.random(), 0.5, 0.6)
    red, green, blue = (int(channel * 255) for channel in fabric)
    tag_red, tag_green, tag_blue = (int(channel * 255) for channel in tag)
    return Bin(
        tuple(items), rng.choice(ASPECTS), (red, green, blue), (tag_red, tag_green, tag_blue), rng.getrandbits(32)
    )


def draw_bin(bin_: Bin, shots: int, size: int) -> list[Image.Image]:
    """Photograph a bin `shots` times: the same items, moved a little, in other light. The longer side is `size` px."""
    rng = seeded(bin_.seed)
    frame = (size, round(size / bin_.aspect)) if bin_.aspect >= 1 else (round(size * bin_.aspect), size)
    scale = float(min(frame))
    tiles = [draw_item(item, scale) for item in bin_.items]
    while (layout := _arrange(bin_, tiles, frame, rng)) is None:
        scale *= 0.9  # a crowded bin may have no room for a layout: smaller items always find one
        tiles = [draw_item(item, scale) for item in bin_.items]
    photos = []
    for shot in range(shots):
        moved = layout if shot == 0 else _nudge(layout, tiles, frame, rng)
        photos.append(_photo(bin_, tiles, moved, frame, rng))
    return photos


def _arrange(bin_: Bin, tiles: list[Image.Image], frame: tuple[int, int], rng: Random) -> list[Placement] | None:
    """Place the items from the back to the front, each visible in the end; None when 40 tries found no place."""
    placed: list[Placement] = []
    for index, item in enumerate(bin_.items):
        for _ in range(40):
            lean = ANGLES[item.kind]
            x = rng.random()
            y = 1 - 0.25 * rng.random() ** 2 if rng.random() < 0.75 else rng.uniform(0.2, 1)  # most stand on the floor
            candidate = [*placed, Placement(x, y, rng.triangular(-lean, lean, 0))]
            if _countable(tiles[: index + 1], candidate, frame):
                placed = candidate
                break
        else:
            return None
    return placed


def _nudge(layout: list[Placement], tiles: list[Image.Image], frame: tuple[int, int], rng: Random) -> list[Placement]:
    for _ in range(10):
        moved = [
            Placement(
                min(1, max(0, place.x + rng.gauss(0, 0.03))),
                min(1, max(0, place.y + rng.gauss(0, 0.02))),
                place.angle + rng.gauss(0, 2),
            )
            for place in layout
        ]
        if _countable(tiles, moved, frame):
            return moved
    return layout


def visible_shares(tiles: list[Image.Image], layout: list[Placement], frame: tuple[int, int]) -> list[float]:
    """Return the share of each item that the items before it leave to see, each 0 to 1."""
    coarse = frame[0] // _COARSE, frame[1] // _COARSE
    covered = Image.new("L", coarse)
    shares = []
    for tile, place in zip(reversed(tiles), reversed(layout), strict=True):
        alpha = tile.getchannel("A").reduce(_COARSE)
        alpha = alpha.rotate(place.angle, expand=True).point([0] * 128 + [255] * 128)
        mask = Image.new("L", coarse)
        mask.paste(alpha, _corner(alpha.size, place, coarse))
        whole = alpha.histogram()[255]
        shares.append(ImageChops.subtract(mask, covered).histogram()[255] / max(1, whole))
        covered = ImageChops.lighter(covered, mask)
    return shares[::-1]


def _countable(tiles: list[Image.Image], layout: list[Placement], frame: tuple[int, int]) -> bool:
    return min(visible_shares(tiles, layout, frame)) >= MIN_VISIBLE


def _corner(tile: tuple[int, int], place: Placement, frame: tuple[int, int]) -> tuple[int, int]:
    """Return the tile's upper left corner: 0 and 1 of a placement are as far as the tile goes without leaving."""
    opening = frame[1] * (1 - 2 * LIP)
    return round(place.x * (frame[0] - tile[0])), round(frame[1] * LIP + place.y * max(0.0, opening - tile[1]))


def _photo(
    bin_: Bin, tiles: list[Image.Image], layout: list[Placement], frame: tuple[int, int], rng: Random
) -> Image.Image:
    image = _compartment(bin_, frame)
    for tile, place in zip(tiles, layout, strict=True):
        turned = tile.rotate(place.angle, Image.Resampling.BICUBIC, expand=True)
        x, y = _corner(turned.size, place, frame)
        alpha = turned.getchannel("A")
        image.paste(
            (20, 16, 8), (x + frame[0] // 60, y + frame[1] // 50), alpha.point([level // 2 for level in range(256)])
        )
        image.paste(turned, (x, y), alpha)
    _lips(image, bin_)
    for _ in range(rng.randint(1, 3)):
        _tape(image, rng)
    return _exposure(image, rng)


def _compartment(bin_: Bin, frame: tuple[int, int]) -> Image.Image:
    """Draw the empty bin: side walls, back, floor."""
    width, height = frame
    ramp = Image.linear_gradient("L").resize(frame).point([170 + level // 4 for level in range(256)])
    image = ImageChops.multiply(Image.new("RGB", frame, bin_.fabric), Image.merge("RGB", (ramp,) * 3))
    draw = ImageDraw.Draw(image)
    wall, back = width * 0.07, height * 0.72
    draw.polygon([(0, 0), (wall, height * 0.1), (wall, back), (0, height)], fill=shade(bin_.fabric, 0.72))
    draw.polygon(
        [(width, 0), (width - wall, height * 0.1), (width - wall, back), (width, height)], fill=shade(bin_.fabric, 0.62)
    )
    draw.polygon([(0, height), (wall, back), (width - wall, back), (width, height)], fill=shade(bin_.fabric, 0.85))
    return image


def _lips(image: Image.Image, bin_: Bin) -> None:
    """Draw the strips above and below the opening, with the bin's tag and its square code."""
    draw, rng, (width, height) = ImageDraw.Draw(image), seeded(bin_.seed), image.size
    lip = height * LIP
    for top, middle in ((0.0, rng.uniform(0.3, 0.6)), (height - lip, rng.uniform(0.3, 0.6))):
        draw.rectangle((0, top, width, top + lip), fill=shade(bin_.fabric, 1.25))
        left, side = width * middle, lip * 0.8
        draw.rectangle((left, top + lip * 0.1, left + 3 * side, top + lip * 0.9), fill=bin_.tag)
        draw.rectangle((left + 2 * side, top + lip * 0.1, left + 3 * side, top + lip * 0.9), fill=(235, 235, 230))
        for _ in range(12):
            x, y = left + 2 * side + rng.random() * side * 0.8, top + lip * 0.1 + rng.random() * side * 0.8
            draw.rectangle((x, y, x + side * 0.15, y + side * 0.15), fill=(25, 25, 25))


def _tape(image: Image.Image, rng: Random) -> None:
    """Lay one band of semi-transparent tape across: fine horizontal threads on a milky film."""
    width, height = image.size
    band = max(4, round(height * rng.uniform(0.1, 0.2)))
    film = rng.randint(40, 80)
    threads = bytes(min(255, film + rng.choice((-15, 0, 60))) for _ in range(band))
    mask = Image.frombytes("L", (1, band), threads).resize((width, band))
    gray = rng.randint(165, 205)
    image.paste((gray, gray - 6, gray - 16), (0, rng.randint(round(height * LIP), height - band)), mask)


def _exposure(image: Image.Image, rng: Random) -> Image.Image:
    """Light, cast, focus and grain of one shot."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.75, 1.15))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.6, 1.05))
    image = image.filter(ImageFilter.BoxBlur(max(image.size) / 320 * rng.uniform(0.4, 1.1)))
    grain = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    return Image.blend(image, Image.merge("RGB", (grain,) * 3), 0.03)
