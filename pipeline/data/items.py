"""The items of a drawn bin: what they are, and each as a small picture with transparent surroundings."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Color = tuple[int, int, int]

SIZES = {  # width and height of an item, each a range of shares of the bin's shorter side
    "box": ((0.26, 0.48), (0.22, 0.44)),
    "bottle": ((0.15, 0.22), (0.42, 0.62)),
    "book": ((0.11, 0.18), (0.42, 0.60)),
    "bag": ((0.30, 0.48), (0.28, 0.44)),
}
KINDS = tuple(SIZES)
ANGLES = {"box": 12, "bottle": 15, "book": 20, "bag": 35}  # how far an item leans, degrees either way


@dataclass(frozen=True)
class Item:
    """One product. Width and height are shares of the bin's shorter side; the seed draws its print."""

    asin: str
    kind: str
    width: float
    height: float
    color: Color
    accent: Color
    seed: int

    @property
    def name(self) -> str:
        """A catalogue name, as the inventory record gives one."""
        return f"Drawn {self.kind.title()} {self.asin[-4:]}, colour #{bytes(self.color).hex()}"


def seeded(seed: object) -> Random:
    """Return a source of randomness that always gives the same for the same seed."""
    return Random(str(seed))  # noqa: S311 - it draws pictures


def random_item(rng: Random) -> Item:
    """Draw a product from the catalogue that never ends."""
    kind = rng.choice(KINDS)
    width, height = (rng.uniform(*bounds) for bounds in SIZES[kind])
    if kind == "book" and rng.random() < 0.4:  # lying
        width, height = height, width
    asin = "B0" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=8))
    return Item(asin, kind, width, height, _color(rng, kind), _vivid(rng), rng.getrandbits(32))


def _color(rng: Random, kind: str) -> Color:
    chance = rng.random()
    if kind == "box" and chance < 0.5:
        return _hsv(rng.uniform(0.06, 0.09), rng.uniform(0.35, 0.55), rng.uniform(0.45, 0.75))  # cardboard
    if chance < 0.65:
        return _vivid(rng)
    return _hsv(rng.random(), 0.06, rng.choice((0.12, 0.2, 0.85, 0.95)))  # black or white goods


def _vivid(rng: Random) -> Color:
    return _hsv(rng.random(), rng.uniform(0.5, 0.9), rng.uniform(0.35, 0.95))


def _hsv(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def shade(color: Color, factor: float) -> Color:
    """Return the colour made darker (factor below 1) or lighter."""
    red, green, blue = (min(255, int(channel * factor)) for channel in color)
    return red, green, blue


def draw_item(item: Item, scale: float) -> Image.Image:
    """Draw an upright item: an RGBA picture of its size times `scale` pixels, opaque where the item is."""
    size = max(6, round(item.width * scale)), max(6, round(item.height * scale))
    tile = Image.new("RGBA", size)
    {"box": _box, "bottle": _bottle, "book": _book, "bag": _bag}[item.kind](tile, item, seeded(item.seed))
    return tile


def _box(tile: Image.Image, item: Item, rng: Random) -> None:
    draw, (width, height) = ImageDraw.Draw(tile), tile.size
    top = round(height * rng.uniform(0.12, 0.22))
    slant = round(width * rng.uniform(0.05, 0.12))
    draw.polygon([(slant, 0), (width - slant, 0), (width, top), (0, top)], fill=shade(item.color, 1.3))
    draw.rectangle((0, top, width, height), fill=item.color)
    if rng.random() < 0.6:
        tape = width * rng.uniform(0.4, 0.55)
        draw.rectangle((tape, top, tape + width * 0.1, height), fill=shade(item.color, 0.8))
    else:
        draw.ellipse((width * 0.2, height * 0.35, width * 0.8, height * 0.75), fill=item.accent)
    _barcode(draw, (width * 0.08, height * 0.6, width * 0.42, height * 0.88), rng)
    draw.line((0, top, width, top), fill=shade(item.color, 0.6))
    _light(tile, rng.uniform(0.7, 0.9))


def _bottle(tile: Image.Image, item: Item, rng: Random) -> None:
    draw, (width, height) = ImageDraw.Draw(tile), tile.size
    shoulder = round(height * rng.uniform(0.16, 0.28))
    neck = width * rng.uniform(0.22, 0.34)
    draw.rectangle((neck, 0, width - neck, shoulder + 2), fill=shade(item.color, 0.9))
    draw.rectangle((neck - 1, 0, width - neck + 1, height * 0.1), fill=item.accent)
    draw.rounded_rectangle((0, shoulder * 0.75, width - 1, height - 1), radius=width * 0.24, fill=item.color)
    label = height * rng.uniform(0.4, 0.5)
    draw.rectangle((0, label, width, label + height * 0.3), fill=item.accent)
    draw.line((width * 0.2, label + height * 0.1, width * 0.8, label + height * 0.1), fill=(240, 240, 235), width=2)
    _light(tile, 0.45)


def _book(tile: Image.Image, item: Item, rng: Random) -> None:
    standing = tile.height > tile.width
    spine = tile if standing else tile.transpose(Image.Transpose.ROTATE_90)
    draw, (width, height) = ImageDraw.Draw(spine), spine.size
    draw.rectangle((0, 0, width, height), fill=item.color)
    for _ in range(rng.randint(1, 3)):
        stripe = height * rng.uniform(0.05, 0.9)
        draw.rectangle((0, stripe, width, stripe + height * 0.04), fill=item.accent)
    title = shade(item.color, 0.4) if sum(item.color) > 380 else (235, 230, 215)
    draw.line((width * 0.5, height * 0.2, width * 0.5, height * 0.75), fill=title, width=max(1, width // 5))
    if rng.random() < 0.5:  # the pages
        draw.rectangle((width * 0.82, 0, width, height), fill=(225, 218, 200))
    _light(spine, 0.75)
    if not standing:
        tile.paste(spine.transpose(Image.Transpose.ROTATE_270))


def _bag(tile: Image.Image, item: Item, rng: Random) -> None:
    draw, (width, height) = ImageDraw.Draw(tile), tile.size
    corners = 14
    outline = []
    for corner in range(corners):
        angle = 2 * math.pi * corner / corners
        reach = rng.uniform(0.82, 1.0) / max(abs(math.cos(angle)), abs(math.sin(angle))) ** 0.6
        outline.append((width / 2 * (1 + reach * math.cos(angle)), height / 2 * (1 + reach * math.sin(angle))))
    draw.polygon(outline, fill=item.color)
    draw.ellipse((width * 0.3, height * 0.3, width * 0.7, height * 0.6), fill=item.accent)
    alpha = tile.getchannel("A")
    for _ in range(9):  # creases
        start = (rng.uniform(0, width), rng.uniform(0, height))
        end = (start[0] + rng.gauss(0, width / 4), start[1] + rng.gauss(0, height / 4))
        draw.line((start, end), fill=shade(item.color, rng.choice((0.6, 1.6, 1.9))), width=max(1, width // 40))
    tile.putalpha(alpha)
    _light(tile, rng.uniform(0.6, 0.8))


def _barcode(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], rng: Random) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, fill=(238, 236, 228))
    x = left + 2
    while x < right - 2:
        draw.line((x, top + 2, x, bottom - 3), fill=(30, 30, 30))
        x += rng.randint(2, 4)


@cache
def _both_edges() -> Image.Image:
    """Return a ramp from dark over light in the middle to dark."""
    ramp = Image.linear_gradient("L").rotate(90)
    return ImageChops.darker(ramp, ImageChops.invert(ramp))


def _light(tile: Image.Image, edge: float) -> None:
    """Darken the tile towards its left and right edge, to `edge` of its brightness, and outline it."""
    levels = [min(255, int(255 * edge) + level) for level in range(256)]
    both = _both_edges().resize(tile.size).point(levels)
    alpha = tile.getchannel("A")
    inner = alpha.filter(ImageFilter.MinFilter(3))
    lit = ImageChops.multiply(tile.convert("RGB"), Image.merge("RGB", (both,) * 3))
    lit.paste(shade(lit.resize((1, 1)).getpixel((0, 0)), 0.45), mask=ImageChops.subtract(alpha, inner))  # type: ignore[arg-type]
    tile.paste(lit)
    tile.putalpha(alpha)
