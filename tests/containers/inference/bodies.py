"""Bodies of requests: photos of every kind, in every content type."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image


def coded(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


def as_json(**members: Any) -> bytes:
    return json.dumps(members).encode()


def form(*photos: bytes, boundary: str = "xYz", end: bool = True) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="p"; filename="p{number}.jpg"\r\n\r\n'.encode()
        + photo
        + b"\r\n"
        for number, photo in enumerate(photos)
    ]
    return b"".join(parts) + (f"--{boundary}--\r\n".encode() if end else b"")


FORM = "multipart/form-data; boundary=xYz"


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    value = Image.Exif()
    value[0x0112] = orientation
    return value


GRAY = Image.new("RGB", (30, 20), (175, 175, 175))  # four items

PICTURES = {
    "png": encoded(GRAY),
    "webp": encoded(GRAY, "WEBP"),
    "bmp": encoded(GRAY, "BMP"),
    "tiff": encoded(GRAY, "TIFF"),
    "gif": encoded(GRAY, "GIF"),
    "turned by exif": encoded(GRAY, "JPEG", exif=exif(6)),
    "mirrored by exif": encoded(GRAY, "JPEG", exif=exif(7)),
    "cmyk jpeg": encoded(GRAY.convert("CMYK"), "JPEG"),
    "cmyk tiff": encoded(GRAY.convert("CMYK"), "TIFF"),
    "palette png": encoded(GRAY.convert("P")),
    "gray": encoded(GRAY.convert("L")),
    "16 bits": encoded(Image.fromarray(np.full((20, 30), 175 * 257, dtype=np.uint16))),
    "opaque alpha": encoded(GRAY.convert("RGBA")),
    "animated gif": encoded(GRAY, "GIF", save_all=True, append_images=[Image.new("RGB", (30, 20), "black")]),
    "animated webp": encoded(GRAY, "WEBP", save_all=True, append_images=[Image.new("RGB", (30, 20), "black")]),
    "animated png": encoded(GRAY, save_all=True, append_images=[Image.new("RGB", (30, 20), "black")]),
    "one pixel": encoded(GRAY.crop((0, 0, 1, 1))),
    "narrow": encoded(GRAY.resize((20_000, 1))),
}


JPEG = encoded(GRAY, "JPEG")
