"""What a file is, by its first bytes: names and headers are what somebody says it is."""

from __future__ import annotations

from predict.errors import RefusalError

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


def content_type(data: bytes) -> str:
    """Return the content type of a picture of a format that the endpoint takes; whether it is whole, the endpoint says.

    Raises:
        RefusalError: 400, there are no bytes; 415, they do not begin like a picture.
    """
    if not data:
        raise RefusalError(400, "the photo is empty")
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise RefusalError(415, "this is not a picture: JPEG, PNG, WebP, GIF, BMP and TIFF are taken")
